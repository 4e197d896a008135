/* One trajectory of a length that is known: kernels/hmc.py, langevin.py, generalized.py, and any of
   them in the coordinates of warped.py. */

/* One iteration of every chain of a block. */
static void move(const flight *f, block *b, uint32_t iteration) {
  key k = {(uint32_t)f->key_low, (uint32_t)f->key_high};
  uint32_t words[4][LANES] ALIGNED = {0};
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
    if (f->rule == METROPOLIS) make_words(k, 0, iteration, (uint32_t)f->accept_word, b->numbers, words);
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

struct trajectory {
  char nothing;
};

/* A chain that diverged has stayed where it was. */
static const vec *began_at(const flight *f, block *b) { return written(f, &b->here); }
