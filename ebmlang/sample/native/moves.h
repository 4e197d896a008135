/* Whole steps of chains that carry a momentum: kernels/hmc.py, langevin.py, generalized.py and
   warped.py as one loop over blocks of chains, with the state of a block at hand all the time.

   Everything is as it is there, in the same order: what is not finite is rejected and counted, what
   violates a requirement has density zero, gains are taken in double. `flight` is written out by
   machine.py, which also defines DIM, PACKED, REQUIRED, PLAIN (whether x is q), WORK and the
   functions ENERGY and MARGINS. */

enum { METROPOLIS, UNADJUSTED, PERSISTENT, NO_U_TURN };

/* Where no map straightens anything, what it would need must not stand in the way of registers. */
#define HAS_WARP (WARPED && f->warped)

#define DIVERGENCE 1000.0 /* [nats], as in integrator.py */

/* A point of each chain of a block. */
typedef struct {
  vec at[DIM];           /* q, or z where the coordinates are straightened */
  vec slope[DIM];        /* of the potential, there */
  vec q[DIM], by_q[DIM]; /* the same in plain coordinates, where they are straightened */
  vec x[PACKED], by_x[PACKED];
  vec energy, log_jacobian, volume; /* the last of the straightening map */
} point;

typedef struct {
  point here, there;
  vec momentum[DIM], fresh[DIM], swept[DIM], sweeping[DIM], scale[DIM];
  vec step_size, renewal, drift_share;
  real scratch[WORK] ALIGNED;
  double level[LANES] ALIGNED, drift[LANES] ALIGNED;
  double acceptance[LANES] ALIGNED, faithful[LANES] ALIGNED, hamiltonian[LANES] ALIGNED;
  uint32_t numbers[LANES] ALIGNED;
  int accepted[LANES] ALIGNED, diverged[LANES] ALIGNED, infeasible[LANES] ALIGNED;
  int64_t gradients[LANES] ALIGNED;
  place where;
  struct trajectory *trajectory; /* of the no-U-turn sampler only */
} block;

static inline vec *plain_q(const flight *f, point *p) { return HAS_WARP ? p->q : p->at; }
static inline vec *plain_slope(const flight *f, point *p) { return HAS_WARP ? p->by_q : p->slope; }
static inline vec *written(const flight *f, point *p) { return PLAIN ? plain_q(f, p) : p->x; }

/* The straightening map, as warp.py has it: an entry says by how much one coordinate drives
   another. */
static void find_moments(const flight *f, int64_t group, const vec *restrict z,
                         vec *restrict mean, vec *restrict log_scale) {
  for (int64_t i = 0; i < DIM; i++) {
    mean[i] = splat(f->warp_mean[group * DIM + i]);
    log_scale[i] = splat(f->warp_log_scale[group * DIM + i]);
  }
  for (int64_t e = 0; e < f->entries; e++) {
    const real *by = f->warp_entries + (group * f->entries + e) * 3;
    vec driver = z[f->drivers[e]];
    mean[f->driven[e]] += driver * by[0] + driver * driver * by[1];
    log_scale[f->driven[e]] += driver * by[2];
  }
}

static void straighten(const flight *f, const block *b, const vec *restrict q, vec *restrict z,
                       vec *restrict mean, vec *restrict log_scale) {
  int64_t group = b->where.warp;
  for (int64_t i = 0; i < DIM; i++)
    z[i] = (q[i] - f->warp_center[group * DIM + i]) / f->warp_scale[group * DIM + i];
  find_moments(f, group, z, mean, log_scale);
  for (int64_t i = 0; i < DIM; i++) {
    vec shrunk = -log_scale[i];
    z[i] = (z[i] - mean[i]) * exponential(shrunk);
  }
}

static void bend(const flight *f, const block *b, point *restrict p, vec *restrict mean,
                 vec *restrict log_scale) {
  int64_t group = b->where.warp;
  find_moments(f, group, p->at, mean, log_scale);
  p->volume = splat(f->warp_volume[group]);
  for (int64_t i = 0; i < DIM; i++) {
    p->volume += log_scale[i];
    p->q[i] = f->warp_center[group * DIM + i] +
              f->warp_scale[group * DIM + i] * (mean[i] + p->at[i] * exponential(log_scale[i]));
  }
}

/* The slope by z, of that by q; the map's volume counts with the Jacobian. */
static void pull_to_straight(const flight *f, const block *b, point *restrict p,
                             vec *restrict mean, vec *restrict log_scale) {
  int64_t group = b->where.warp;
  find_moments(f, group, p->at, mean, log_scale);
  for (int64_t i = 0; i < DIM; i++)
    p->slope[i] = p->by_q[i] * f->warp_scale[group * DIM + i] * exponential(log_scale[i]);
  for (int64_t e = 0; e < f->entries; e++) {
    const real *by = f->warp_entries + (group * f->entries + e) * 3;
    int64_t from = f->drivers[e], to = f->driven[e];
    vec steep = p->by_q[to] * f->warp_scale[group * DIM + to];
    /* What drives is not driven, so the slope of `to` is its own still. */
    p->slope[from] += steep * by[0] + 2 * p->at[from] * steep * by[1] +
                      p->slope[to] * p->at[to] * by[2] - by[2];
  }
}

/* Energy, log-determinant and slope where the point is. */
static void evaluate(const flight *f, block *b, point *p) {
  vec *q = plain_q(f, p), *slope = plain_slope(f, p);
  p->log_jacobian = ZERO(vec);
  if (HAS_WARP) bend(f, b, p, b->swept, b->sweeping);
  if (!PLAIN)
    p->log_jacobian =
        go_to_written(f->pieces, f->many_pieces, f->columns, f->bounds, f->contrasts, q, p->x);
  real *out[2] = {(real *)&p->energy, (real *)(PLAIN ? slope : p->by_x)};
  inputs in = {f->shared, 0};
  ENERGY((const real *)written(f, p), &in, out, b->scratch);
  if (!PLAIN)
    pull_to_free(f->pieces, f->many_pieces, f->columns, f->bounds, f->contrasts, q, p->x, p->by_x,
                 slope);
  if (HAS_WARP) {
    pull_to_straight(f, b, p, b->swept, b->sweeping);
    p->log_jacobian += p->volume;
  }
}

/* z <- z - time L^T slope */
static void kick(const flight *f, block *b, const vec *restrict slope, vec time) {
  const real *scale = f->scale + b->where.metric * DIM;
  switch (f->metric) {
  case DIAGONAL:
    for (int64_t i = 0; i < DIM; i++) b->momentum[i] -= time * (slope[i] * b->scale[i]);
    return;
  case DENSE:
    multiply_dense(f->factor + b->where.metric * DIM * DIM, 1, DIM, slope, b->swept);
    break;
  case LOW_RANK:
    for (int64_t i = 0; i < DIM; i++) b->swept[i] = slope[i] * scale[i];
    stretch(f->directions + b->where.metric * DIM * f->rank,
            f->factors + b->where.metric * f->rank, f->rank, b->swept, b->sweeping);
    break;
  }
  for (int64_t i = 0; i < DIM; i++) b->momentum[i] -= time * b->swept[i];
}

/* q <- q + time L z */
static void drift(const flight *f, block *b, vec *restrict at, vec time) {
  const real *scale = f->scale + b->where.metric * DIM;
  switch (f->metric) {
  case DIAGONAL:
    for (int64_t i = 0; i < DIM; i++) at[i] += time * b->scale[i] * b->momentum[i];
    return;
  case DENSE:
    multiply_dense(f->factor + b->where.metric * DIM * DIM, DIM, 1, b->momentum, b->swept);
    break;
  case LOW_RANK:
    memcpy(b->swept, b->momentum, sizeof b->momentum);
    stretch(f->directions + b->where.metric * DIM * f->rank,
            f->factors + b->where.metric * f->rank, f->rank, b->swept, b->sweeping);
    for (int64_t i = 0; i < DIM; i++) b->swept[i] *= scale[i];
    break;
  }
  for (int64_t i = 0; i < DIM; i++) at[i] += time * b->swept[i];
}

static void find_kinetic(const vec *restrict momentum, double *restrict out) {
  double sum[LANES] ALIGNED = {0};
  const real(*z)[LANES] = (const real(*)[LANES])momentum;
  for (int64_t i = 0; i < DIM; i++) EACH_LANE sum[l] += (double)z[i][l] * (double)z[i][l];
  EACH_LANE out[l] = sum[l] / 2;
}

/* 0 where all that is known of a point is finite, else nan. */
static inline void find_probe(const point *p, real *restrict probe) {
  vec sum = 0 * p->energy + 0 * p->log_jacobian;
  for (int64_t i = 0; i < DIM; i++) sum += 0 * p->slope[i] + 0 * p->at[i];
  memcpy(probe, &sum, sizeof sum);
}

/* The rise of the potential, each difference taken by itself. */
static inline void find_rise(const point *from, const point *to, double *restrict rise) {
  const real *e0 = (const real *)&from->energy, *e1 = (const real *)&to->energy;
  const real *j0 = (const real *)&from->log_jacobian, *j1 = (const real *)&to->log_jacobian;
  EACH_LANE rise[l] = ((double)e1[l] - (double)e0[l]) - ((double)j1[l] - (double)j0[l]);
}

/* Whether every required margin of each lane is at least 0; one that is not a number is not. */
static void find_infeasible(const flight *f, block *b, point *p, int *restrict infeasible) {
  EACH_LANE infeasible[l] = 0;
#if REQUIRED
  real margins[REQUIRED][LANES] ALIGNED;
  real *out[1] = {margins[0]};
  inputs in = {f->shared + SHARED_BY_ENERGY, 0};
  MARGINS((const real *)written(f, p), &in, out, b->scratch);
  for (int64_t i = 0; i < REQUIRED; i++)
    EACH_LANE infeasible[l] |= !(margins[i][l] >= 0);
#endif
}

/* Lanes that accepted take the numbers of where they went. */
static inline void take(const int *restrict accepted, const vec *restrict there, int64_t many,
                        vec *restrict here) {
  real(*to)[LANES] = (real(*)[LANES])here;
  const real(*from)[LANES] = (const real(*)[LANES])there;
  for (int64_t i = 0; i < many; i++) EACH_LANE to[i][l] = accepted[l] ? from[i][l] : to[i][l];
}

/* One iteration of every chain of a block. */
static void move(const flight *f, block *b, uint32_t iteration) {
  key k = {(uint32_t)f->key_low, (uint32_t)f->key_high};
  uint32_t words[4][LANES] ALIGNED;
  point *here = &b->here, *there = &b->there;
  double before[LANES] ALIGNED, after[LANES] ALIGNED, gain[LANES] ALIGNED, uniform[LANES] ALIGNED;
  real probe[LANES] ALIGNED;
  vec step_size = b->step_size;
  int64_t count = f->most_steps;

  if (f->varies_steps) {
    uint32_t all[LANES] ALIGNED;
    EACH_LANE all[l] = 0xFFFFFFFFu;
    make_words(k, 0, iteration, (uint32_t)f->steps_word, all, words);
    count = (int64_t)ceil(as_uniform(words[0][0]) * (double)f->most_steps);
  }
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
  find_kinetic(b->momentum, before);

  memcpy(there->at, here->at, sizeof here->at);
  vec half = step_size / splat(2);
  kick(f, b, here->slope, half);
  for (int64_t remaining = count - 1; remaining >= 0; remaining--) {
    drift(f, b, there->at, step_size);
    evaluate(f, b, there);
    kick(f, b, there->slope, remaining ? step_size : half);
  }

  find_kinetic(b->momentum, after);
  EACH_LANE b->gradients[l] = count;
  find_probe(there, probe);
  find_infeasible(f, b, there, b->infeasible);

  const real *e0 = (real *)&here->energy, *j0 = (real *)&here->log_jacobian;
  if (f->rule == PERSISTENT) {
    EACH_LANE uniform[l] = fabs(b->level[l]);
    EACH_LANE b->hamiltonian[l] = NAN;
  } else {
    make_words(k, 0, iteration, (uint32_t)f->accept_word, b->numbers, words);
    EACH_LANE uniform[l] = as_uniform(words[0][l]);
    EACH_LANE b->hamiltonian[l] = (double)e0[l] - (double)j0[l] + before[l];
  }
  find_rise(here, there, gain);
  EACH_LANE gain[l] = gain[l] + after[l] - before[l];
  EACH_LANE b->faithful[l] = exp(-gain[l] > 0 ? 0 : -gain[l]);
  EACH_LANE {
    int there_finite = probe[l] == 0, finite = there_finite & (gain[l] - gain[l] == 0);
    int outside = b->infeasible[l];
    b->faithful[l] = finite ? b->faithful[l] : 0;
    b->infeasible[l] = outside & finite;
    if (f->rule == UNADJUSTED) {
      b->accepted[l] = there_finite & !b->infeasible[l];
      b->acceptance[l] = b->accepted[l];
      b->diverged[l] = !there_finite;
    } else {
      b->acceptance[l] = outside ? 0 : b->faithful[l];
      b->accepted[l] = uniform[l] < b->acceptance[l];
      b->diverged[l] = !finite | (gain[l] > DIVERGENCE);
    }
  }

  /* Go there, or stay. */
  if (HAS_WARP) {
    here->log_jacobian -= here->volume;
    there->log_jacobian -= there->volume;
  }
  if (HAS_WARP) {
    take(b->accepted, there->q, DIM, here->q);
    take(b->accepted, there->by_q, DIM, here->by_q);
  } else {
    take(b->accepted, there->at, DIM, here->at);
    take(b->accepted, there->slope, DIM, here->slope);
  }
  if (!PLAIN) take(b->accepted, there->x, PACKED, here->x);
  take(b->accepted, &there->energy, 1, &here->energy);
  take(b->accepted, &there->log_jacobian, 1, &here->log_jacobian);
  if (f->rule == PERSISTENT) {
    real(*z)[LANES] = (real(*)[LANES])b->momentum;
    const real(*turned)[LANES] = (const real(*)[LANES])b->fresh;
    for (int64_t i = 0; i < DIM; i++)
      EACH_LANE z[i][l] = b->accepted[l] ? z[i][l] : -turned[i][l];
    EACH_LANE gain[l] = exp(gain[l]);
    EACH_LANE b->level[l] = b->accepted[l] ? b->level[l] * gain[l] : b->level[l];
  }
}
