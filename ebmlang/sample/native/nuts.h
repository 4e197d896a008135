/* The no-U-turn sampler, lane by lane, as kernels/nuts.py has it: every chain of a block takes leaf
   `n` of doubling `k` at the same moment, and one that is done waits for those of its block. */

#define MOST_DOUBLINGS 16 /* room for as many */

/* An end of a trajectory, or a point that was chosen. */
typedef struct {
  point at;
  vec momentum[DIM];
} leaf;

/* The first point of an open subtree: the momentum before it, at it, and the sum up to it. */
typedef struct {
  vec before[DIM], first[DIM], total[DIM];
} mark;

struct trajectory {
  leaf backward, forward, last, chosen, branch_chosen;
  vec started[PACKED];
  vec near[DIM], far[DIM], before[DIM], total[DIM], branch_first[DIM], branch_total[DIM];
  vec one[DIM], other[DIM], sum[DIM];
  mark marks[MOST_DOUBLINGS];
  double log_weight[LANES] ALIGNED, branch_weight[LANES] ALIGNED;
  vec faithful, acceptance; /* sums over leaves */
  ivec growing, moved, allowed, diverged, gradients;
};

APART void take_leaf(const flight *f, ivec mask, const leaf *from, leaf *to) {
  take_point(f, mask, &from->at, &to->at);
  take(mask, from->momentum, DIM, to->momentum);
}

/* Whether going on at either end would bring the ends nearer to each other. */
APART ivec find_turning(const vec *restrict first, const vec *restrict last,
                        const vec *restrict total) {
  vec ahead = {}, behind = {};
  for (int64_t i = 0; i < DIM; i++) {
    vec way = total[i] - (first[i] + last[i]) / 2;
    behind += first[i] * way;
    ahead += last[i] * way;
  }
  return (ahead <= 0) | (behind <= 0);
}

static double add_logs(double a, double b) {
  double top = a > b ? a : b;
  return top == -INFINITY ? top : top + log1p(exp(-fabs(a - b)));
}

/* Which lanes have a subtree that ends at leaf `n` of a branch and has turned. */
static ivec close_subtrees(struct trajectory *t, int64_t n) {
  ivec turning = ZERO(ivec);
  int place = __builtin_popcountll(n / 2);
  const vec *last = t->last.momentum, *total = t->branch_total;
  if (n % 2 == 0) {
    mark *m = t->marks + place;
    memcpy(m->before, t->before, sizeof m->before);
    memcpy(m->first, last, sizeof m->first);
    memcpy(m->total, total, sizeof m->total);
    return turning;
  }
  int ending = __builtin_ctzll(~n);
  for (int at = place - ending + 1; at <= place; at++) {
    const mark *m = t->marks + at, *middle = at < place ? m + 1 : 0;
    for (int64_t i = 0; i < DIM; i++) t->sum[i] = total[i] + (m->first[i] - m->total[i]);
    turning = turning | find_turning(m->first, last, t->sum);
    if (!middle) continue;
    for (int64_t i = 0; i < DIM; i++) {
      t->one[i] = middle->total[i] + (m->first[i] - m->total[i]);
      t->other[i] = total[i] - middle->total[i] + middle->first[i] + middle->before[i];
    }
    turning = turning | find_turning(m->first, middle->first, t->one);
    turning = turning | find_turning(middle->before, last, t->other);
  }
  return turning;
}

/* One leapfrog step from the last leaf, for the lanes that grow; what it weighs, and the tally. */
static void walk(const flight *f, block *b, vec step_size, const double *before, double *weight) {
  struct trajectory *t = b->trajectory;
  point *there = THERE(b);
  vec half = step_size / splat(2);
  double after[LANES] ALIGNED;
  memcpy(b->momentum, t->last.momentum, sizeof b->momentum);
  kick_and_drift(f, b, t->last.at.slope, half, t->last.at.at, step_size, there->at);
  evaluate(f, b, &there);
  kick(f, b, there->slope, half);
  leaf *last = &t->last;
  take_point(f, t->growing, there, &last->at);
  take(t->growing, b->momentum, DIM, last->momentum);

  find_kinetic(last->momentum, after);
  vec rise = find_rise(HERE(b), &last->at, before, after);
  ivec growing = t->growing, outside = find_outside(f, b, &last->at);
  ivec finite = is_known(&last->at) & is_finite(rise), far_off = ~finite | (rise > DIVERGENCE);
  vec share = choose(growing & finite, find_share(rise), ZERO(vec));
  t->faithful += share;
  t->acceptance += choose(outside, ZERO(vec), share);
  t->gradients = t->gradients - growing;
  t->diverged = t->diverged | (growing & far_off);
  t->allowed = t->allowed | (growing & ~outside);
  t->growing = growing & ~far_off;
  b->infeasible = outside & finite;
  vec weighs = choose(finite & ~outside, -rise, splat(-(real)INFINITY));
  const real *w = (const real *)&weighs;
  EACH_LANE weight[l] = w[l];
}

/* Walk on from one end for `many` steps; of meaning for the lanes that are growing then. */
static void grow(const flight *f, block *b, key k, uint32_t iteration, uint32_t purpose,
                 int64_t many, vec step_size, const double *before) {
  struct trajectory *t = b->trajectory;
  uint32_t words[4][LANES] ALIGNED;
  double weight[LANES] ALIGNED, log_uniform[LANES] ALIGNED;
  for (int64_t n = 0; n < many; n++) {
    if (!is_any(t->growing)) return;
    memcpy(t->before, t->last.momentum, sizeof t->before);
    walk(f, b, step_size, before, weight);
    if (n % 4 == 0) make_words(k, (uint32_t)(n / 4), iteration, purpose, b->numbers, words);
    if (n == 0) {
      memcpy(t->branch_first, t->last.momentum, sizeof t->branch_first);
      memcpy(t->branch_total, t->last.momentum, sizeof t->branch_total);
      memcpy(t->branch_weight, weight, sizeof weight);
      memcpy(&t->branch_chosen, &t->last, sizeof t->last);
    } else {
      EACH_LANE log_uniform[l] = log(as_uniform(words[n % 4][l]));
      for (int64_t i = 0; i < DIM; i++) t->branch_total[i] += t->last.momentum[i];
      ivec picked;
      narrow_int *pick = (narrow_int *)&picked;
      for (int l = 0; l < LANES; l++) {
        double together = add_logs(t->branch_weight[l], weight[l]);
        pick[l] = -(log_uniform[l] < weight[l] - together);
        t->branch_weight[l] = together;
      }
      take_leaf(f, picked, &t->last, &t->branch_chosen);
    }
    t->growing = t->growing & ~close_subtrees(t, n);
  }
}

/* The end of one leapfrog step, accepted or rejected as in moves.h: by such steps chains settle, and
   a step size is found. The trajectory has just begun. */
static void step_once(const flight *f, block *b, key k, uint32_t iteration, const double *before) {
  struct trajectory *t = b->trajectory;
  point *here = HERE(b);
  uint32_t words[4][LANES] ALIGNED;
  double weight[LANES] ALIGNED, uniform[LANES] ALIGNED;
  vec step_size = b->step_size;
  if (f->jitter != 0) {
    make_words(k, 0, iteration, (uint32_t)f->jitter_word, b->numbers, words);
    real *h = (real *)&step_size;
    EACH_LANE h[l] *= (real)(1 + f->jitter * (2 * as_uniform(words[0][l]) - 1));
  }
  walk(f, b, step_size, before, weight);
  make_words(k, 0, iteration, (uint32_t)f->accept_word, b->numbers, words);
  EACH_LANE uniform[l] = as_uniform(words[0][l]);
  const real *share = (const real *)&t->acceptance;
  narrow_int *accepted = (narrow_int *)&b->accepted;
  EACH_LANE accepted[l] = -(narrow_int)(uniform[l] < share[l]);
  take_point(f, b->accepted, &t->last.at, here);
  b->acceptance = t->acceptance;
  b->faithful = t->faithful;
  b->diverged = t->diverged;
  b->gradients = t->gradients;
}

/* One iteration of every chain of a block. */
static void move(const flight *f, block *b, uint32_t iteration, int told) {
  key k = {(uint32_t)f->key_low, (uint32_t)f->key_high};
  struct trajectory *t = b->trajectory;
  point *here = HERE(b);
  uint32_t directions[4][LANES] ALIGNED, swaps[4][LANES] ALIGNED;
  double before[LANES] ALIGNED, log_uniform[LANES] ALIGNED;

  make_normal(k, iteration, (uint32_t)f->momentum_word, b->numbers, DIM,
              (real(*)[LANES])b->momentum);
  /* What a zero in the metric holds still would add to every sum of momenta, and never turn. */
  if (f->rule == NO_U_TURN)
    for (int64_t i = 0; i < DIM; i++) b->momentum[i] *= b->used[i];
  find_kinetic(b->momentum, before);
  memcpy(t->started, written(f, here), sizeof t->started);
  memcpy(&t->last.at, here, sizeof *here);
  memcpy(t->last.momentum, b->momentum, sizeof b->momentum);
  memcpy(&t->backward, &t->last, sizeof t->last);
  memcpy(&t->forward, &t->last, sizeof t->last);
  memcpy(&t->chosen, &t->last, sizeof t->last);
  memcpy(t->total, b->momentum, sizeof b->momentum);
  EACH_LANE t->log_weight[l] = 0;
  t->faithful = t->acceptance = ZERO(vec);
  t->moved = t->allowed = t->diverged = t->gradients = ZERO(ivec);
  t->growing = ~ZERO(ivec);
  const real *e0 = (real *)&here->energy, *j0 = (real *)&here->log_jacobian;
  if (told) EACH_LANE b->hamiltonian[l] = (double)e0[l] - (double)j0[l] + before[l];
  if (f->rule == METROPOLIS) {
    step_once(f, b, k, iteration, before);
    return;
  }

  for (int64_t doubling = 0; doubling < f->most_steps; doubling++) {
    if (!is_any(t->growing)) break;
    if (doubling % 4 == 0) {
      uint32_t quad = (uint32_t)(doubling / 4);
      make_words(k, quad, iteration, (uint32_t)f->direction_word, b->numbers, directions);
      make_words(k, quad, iteration, (uint32_t)f->swap_word, b->numbers, swaps);
    }
    ivec ahead, picked;
    narrow_int *way = (narrow_int *)&ahead, *pick = (narrow_int *)&picked;
    EACH_LANE way[l] = -(as_uniform(directions[doubling % 4][l]) < 0.5);
    vec step_size = choose(ahead, b->step_size, -b->step_size);
    memcpy(&t->last, &t->backward, sizeof t->last);
    take_leaf(f, ahead, &t->forward, &t->last);
    memcpy(t->near, t->last.momentum, sizeof t->near);
    memcpy(t->far, t->forward.momentum, sizeof t->far);
    take(ahead, t->backward.momentum, DIM, t->far);

    grow(f, b, k, iteration, (uint32_t)f->leaf_words[doubling], (int64_t)1 << doubling, step_size,
         before);

    take_leaf(f, t->growing & ahead, &t->last, &t->forward);
    take_leaf(f, t->growing & ~ahead, &t->last, &t->backward);
    for (int64_t i = 0; i < DIM; i++) {
      t->sum[i] = t->total[i] + t->branch_total[i];
      t->one[i] = t->total[i] + t->branch_first[i];
      t->other[i] = t->branch_total[i] + t->near[i];
    }
    ivec turning = find_turning(t->far, t->last.momentum, t->sum);
    turning = turning | find_turning(t->far, t->branch_first, t->one);
    turning = turning | find_turning(t->near, t->last.momentum, t->other);
    EACH_LANE log_uniform[l] = log(as_uniform(swaps[doubling % 4][l]));
    EACH_LANE pick[l] = -(log_uniform[l] < t->branch_weight[l] - t->log_weight[l]);
    picked = picked & t->growing;
    memcpy(t->total, t->sum, sizeof t->total);
    take_leaf(f, picked, &t->branch_chosen, &t->chosen);
    for (int l = 0; l < LANES; l++)
      t->log_weight[l] = add_logs(t->log_weight[l], t->branch_weight[l]);
    t->moved = t->moved | picked;
    t->growing = t->growing & ~turning;
  }

  vec leaves = count_to_real(t->gradients);
  b->acceptance = t->acceptance / leaves;
  b->faithful = t->faithful / leaves;
  b->accepted = t->moved;
  b->diverged = t->diverged;
  b->gradients = t->gradients;
  b->infeasible = ~t->allowed & ~t->diverged;
  memcpy(here, &t->chosen.at, sizeof *here);
}

/* A chain that diverged may have moved to a point before that. */
static const vec *began_at(const flight *f, block *b) { return (void)f, b->trajectory->started; }
