/* One trajectory of a length that is known: kernels/hmc.py, langevin.py, generalized.py, and any of
   them in the coordinates of warped.py. */

/* What a trajectory is to one block. */
typedef struct {
  point *here, *there;
  vec step_size;
  double before[LANES] ALIGNED; /* the kinetic energy at its beginning */
} course;

/* A new momentum, and a step size, in the coordinates of the trajectory. */
INLINE void set_out(const flight *f, block *b, key k, uint32_t iteration, int timed, course *c) {
  uint32_t words[4][LANES] ALIGNED;
  point *here = HERE(b), *there = THERE(b);
  vec step_size = b->step_size;
  if (f->rule == PERSISTENT) {
    make_normal(k, iteration, (uint32_t)f->momentum_word, b->numbers, DIM,
                (real(*)[LANES])b->fresh);
    vec kept, renewed;
    real *r = (real *)&b->renewal, *a = (real *)&kept, *n = (real *)&renewed;
    EACH_LANE a[l] = R(sqrt)(1 - r[l]), n[l] = R(sqrt)(r[l]);
    for (int64_t i = 0; i < DIM; i++)
      b->momentum[i] = kept * b->momentum[i] + renewed * b->fresh[i];
    memcpy(b->fresh, b->momentum, sizeof b->momentum);
    EACH_LANE {
      double moved = b->level[l] + b->drift[l] + 1;
      b->level[l] = moved - 2 * floor(moved / 2) - 1;
    }
  } else {
    make_normal(k, iteration, (uint32_t)f->momentum_word, b->numbers, DIM,
                (real(*)[LANES])b->momentum);
  }
  if (f->jitter != 0) {
    make_words(k, 0, iteration, (uint32_t)f->jitter_word, b->numbers, words);
    real *h = (real *)&step_size;
    EACH_LANE h[l] *= (real)(1 + f->jitter * (2 * as_uniform(words[0][l]) - 1));
  }
  if (HAS_WARP) {
    straighten(f, b, here->q, here->at, b->swept, b->sweeping);
    memcpy(there->q, here->q, sizeof here->q);
    bend(f, b, here, b->swept, b->sweeping);
    /* Where a chain stays, it stays to the last bit. */
    memcpy(here->q, there->q, sizeof here->q);
    pull_to_straight(f, b, here, b->swept, b->sweeping);
    here->log_jacobian += here->volume;
  }
  if (timed) find_kinetic(b->momentum, c->before);
  memcpy(there->at, here->at, sizeof there->at);
  c->here = here, c->there = there;
  c->step_size = step_size;
}

/* The end of a trajectory is taken or not. */
INLINE void arrive(const flight *f, block *b, key k, uint32_t iteration, int64_t count, int judged,
                   int told, const course *c) {
  point *here = c->here, *there = c->there;
  const double *before = c->before;
  double after[LANES] ALIGNED, uniform[LANES] ALIGNED;
  uint32_t words[4][LANES] ALIGNED;
  vec half = c->step_size / splat(2);
  kick(f, b, there->slope, half);

  b->gradients = splat_count(count);
  ivec known = is_known(there), outside = find_outside(f, b, there), finite = known;
  vec rise = ZERO(vec);
  if (judged) {
    find_kinetic(b->momentum, after);
    rise = find_rise(here, there, before, after);
    finite = known & is_finite(rise);
    b->faithful = choose(finite, find_share(rise), ZERO(vec));
  } else if (REQUIRED) {
    /* Whether there would be a rise. */
    vec values = 0 * here->energy + 0 * here->log_jacobian;
    finite = known & (values + probe(b->momentum, DIM) == 0);
  }
  b->infeasible = outside & finite;
  if (f->rule == UNADJUSTED) {
    b->accepted = known & ~b->infeasible;
    b->acceptance = choose(b->accepted, splat(1), ZERO(vec));
    b->diverged = ~known;
  } else {
    if (f->rule == PERSISTENT) {
      EACH_LANE uniform[l] = fabs(b->level[l]);
    } else {
      make_words(k, 0, iteration, (uint32_t)f->accept_word, b->numbers, words);
      EACH_LANE uniform[l] = as_uniform(words[0][l]);
    }
    b->acceptance = choose(outside, ZERO(vec), b->faithful);
    const real *share = (const real *)&b->acceptance;
    narrow_int *accepted = (narrow_int *)&b->accepted;
    EACH_LANE accepted[l] = -(narrow_int)(uniform[l] < share[l]);
    b->diverged = ~finite | (rise > DIVERGENCE);
  }
  if (told) {
    const real *e0 = (const real *)&here->energy, *j0 = (const real *)&here->log_jacobian;
    EACH_LANE b->hamiltonian[l] =
        f->rule == PERSISTENT ? NAN : (double)e0[l] - (double)j0[l] + before[l];
  }

  /* Go there, or stay. */
  if (HAS_WARP) {
    here->log_jacobian -= here->volume;
    there->log_jacobian -= there->volume;
  }
  if (!ON_DEVICE && !is_any(~b->accepted)) {
    b->here = there, b->there = here;
  } else {
    take_point(f, b->accepted, there, here);
  }
  if (f->rule == PERSISTENT) {
    for (int64_t i = 0; i < DIM; i++)
      b->momentum[i] = choose(b->accepted, b->momentum[i], -b->fresh[i]);
    vec grown = choose(b->accepted, exponential(rise), splat(1));
    const real *by = (const real *)&grown;
    EACH_LANE b->level[l] *= by[l];
  }
}

/* One iteration of every chain of some blocks, and whether its Hamiltonian is to be told. */
static void move(const flight *f, block *b, uint32_t iteration, int told) {
  key k = {(uint32_t)f->key_low, (uint32_t)f->key_high};
  int64_t count = f->most_steps;
  if (f->varies_steps) {
    uint32_t all[LANES] ALIGNED, words[4][LANES] ALIGNED;
    EACH_LANE all[l] = 0xFFFFFFFFu;
    make_words(k, 0, iteration, (uint32_t)f->steps_word, all, words);
    count = (int64_t)ceil(as_uniform(words[0][0]) * (double)f->most_steps);
  }
  /* An unadjusted end is taken whatever it gained. */
  int judged = f->rule != UNADJUSTED || f->faithful != 0;
  course courses[BLOCKS];
  point *there[BLOCKS];
  EACH_BLOCK set_out(f, b + w, k, iteration, judged || told, courses + w);
  EACH_BLOCK there[w] = courses[w].there;
  for (int64_t step = 0; step < count; step++) {
    EACH_BLOCK {
      const course *c = courses + w;
      const point *from = step == 0 ? c->here : c->there;
      vec kick_time = c->step_size;
      if (step == 0) kick_time = kick_time / splat(2);
      kick_and_drift(f, b + w, from->slope, kick_time, from->at, c->step_size, c->there->at);
    }
    evaluate(f, b, there);
  }
  EACH_BLOCK arrive(f, b + w, k, iteration, count, judged, told, courses + w);
}

struct trajectory {
  char nothing;
};

/* A chain that diverged has stayed where it was. */
static const vec *began_at(const flight *f, block *b) { return written(f, HERE(b)); }
