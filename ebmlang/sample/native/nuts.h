/* The no-U-turn step of a block of chains: kernels/nuts.py, leaf by leaf in the same order. A lane
   that is done goes on flying until all are; nothing of it is looked at.

   Sources: as there. */

#if !ON_DEVICE

#define DEEPEST 16 /* most doublings that there is room for */

/* The first point of an open subtree: the momenta before it and at it, and their sum up to it. */
typedef struct {
  vec before[DIM], first[DIM], total[DIM];
} mark;

typedef struct tree {
  point end[2];        /* backwards and forwards in time */
  vec at_end[2][DIM]; /* the momenta there */
  vec total[DIM], start[DIM], near[DIM], moving[DIM];
  point grown, picked, chosen; /* the last leaf, one of the new ones, one of the whole tree */
  vec first[DIM], sum[DIM], before[DIM];
  mark marks[DEEPEST + 1];
  vec nothing[DIM]; /* zeros */
} tree;

/* Whether going on at either end would bring the ends nearer to each other, where the momenta
   in between and at the ends sum up to a - b + c + d. */
static void add_turning(const vec *restrict first, const vec *restrict last, const vec *a,
                        const vec *b, const vec *c, const vec *d, int *restrict turning) {
  vec to_first = {}, to_last = {};
  for (int64_t i = 0; i < DIM; i++) {
    vec way = a[i] - b[i] + c[i] + d[i] - (first[i] + last[i]) / 2;
    to_first += first[i] * way;
    to_last += last[i] * way;
  }
  const real *u = (const real *)&to_first, *v = (const real *)&to_last;
  EACH_LANE turning[l] |= (u[l] <= 0) | (v[l] <= 0);
}

/* Whether any of the subtrees that end at leaf n has turned; it may open some. */
static void close_subtrees(tree *t, int64_t n, const vec *restrict momentum,
                           int *restrict turning) {
  int64_t place = __builtin_popcountll((uint64_t)n / 2);
  if (n % 2 == 0) {
    memcpy(t->marks[place].before, t->before, sizeof t->before);
    memcpy(t->marks[place].first, momentum, sizeof t->before);
    memcpy(t->marks[place].total, t->sum, sizeof t->sum);
    return;
  }
  int64_t ending = __builtin_ctzll(~(uint64_t)n);
  for (int64_t i = place - ending + 1; i <= place; i++) {
    const mark *m = t->marks + i, *middle = m + 1;
    add_turning(m->first, momentum, t->sum, m->total, m->first, t->nothing, turning);
    if (i == place) return;
    add_turning(m->first, middle->first, middle->total, m->total, m->first, t->nothing, turning);
    add_turning(middle->before, momentum, t->sum, middle->total, middle->first, middle->before,
                turning);
  }
}

/* Lanes for which it is so take the point of another. */
static void take_point(const flight *f, const int *restrict wanted, const point *restrict from,
                       point *restrict to) {
  take(wanted, from->at, DIM, to->at);
  take(wanted, from->slope, DIM, to->slope);
  if (HAS_WARP) {
    take(wanted, from->q, DIM, to->q);
    take(wanted, from->by_q, DIM, to->by_q);
    take(wanted, &from->volume, 1, &to->volume);
  }
  if (!PLAIN) take(wanted, from->x, PACKED, to->x);
  take(wanted, &from->energy, 1, &to->energy);
  take(wanted, &from->log_jacobian, 1, &to->log_jacobian);
}

static inline double add_logs(double a, double b) {
  double top = a > b ? a : b, low = a > b ? b : a;
  return top == -INFINITY ? top : top + log1p(exp(low - top));
}

static inline int any_of(const int *flags) {
  int any = 0;
  EACH_LANE any |= flags[l];
  return any;
}

/* The trajectory from where the block is, with the momentum that it has: the point that is picked
   comes to be `here`, and where the block was `there`. */
static void grow_tree(const flight *f, block *b, uint32_t iteration) {
  tree *t = b->tree;
  key k = {(uint32_t)f->key_low, (uint32_t)f->key_high};
  uint32_t words[4][LANES] ALIGNED;
  double begun[LANES] ALIGNED, now[LANES] ALIGNED, weight[LANES] ALIGNED = {0};
  double grown_weight[LANES] ALIGNED, faithful[LANES] ALIGNED = {0};
  double allowed_share[LANES] ALIGNED = {0};
  double uniform[LANES] ALIGNED, rise[LANES] ALIGNED;
  int growing[LANES] ALIGNED, ahead[LANES] ALIGNED, chosen[LANES] ALIGNED, turning[LANES] ALIGNED;
  int allowed[LANES] ALIGNED = {0}, moved[LANES] ALIGNED = {0}, outside[LANES] ALIGNED;
  int every[LANES] ALIGNED;
  real probe[LANES] ALIGNED;
  const point *start = &b->here;

  /* What a zero in the metric holds still would add to every sum of momenta, and never turn. */
  memcpy(t->start, b->momentum, sizeof b->momentum);
  for (int64_t i = 0; i < DIM; i++) b->momentum[i] = splat(1), t->moving[i] = ZERO(vec);
  drift(f, b, t->moving, splat(1));
  for (int64_t i = 0; i < DIM; i++) {
    const real *by = (const real *)(t->moving + i), *from = (const real *)(t->start + i);
    real *to = (real *)(b->momentum + i);
    EACH_LANE to[l] = by[l] != 0 ? from[l] : 0;
  }
  find_kinetic(b->momentum, begun);
  EACH_LANE growing[l] = every[l] = 1, b->diverged[l] = 0, b->gradients[l] = 0;
  for (int side = 0; side < 2; side++) {
    take_point(f, every, start, t->end + side);
    memcpy(t->at_end[side], b->momentum, sizeof b->momentum);
  }
  take_point(f, every, start, &t->chosen);
  memcpy(t->total, b->momentum, sizeof b->momentum);

  for (int64_t doubling = 0; doubling < f->most_doublings && any_of(growing); doubling++) {
    make_words(k, (uint32_t)(doubling / 4), iteration, (uint32_t)f->direction_word, b->numbers,
               words);
    EACH_LANE ahead[l] = as_uniform(words[doubling % 4][l]) < 0.5;
    vec step_size;
    const real *h = (const real *)&b->step_size;
    real *signed_size = (real *)&step_size;
    EACH_LANE signed_size[l] = ahead[l] ? h[l] : -h[l];
    vec half = step_size / splat(2);
    take_point(f, every, t->end, &t->grown);
    take_point(f, ahead, t->end + 1, &t->grown);
    memcpy(b->momentum, t->at_end[0], sizeof b->momentum);
    take(ahead, t->at_end[1], DIM, b->momentum);
    memcpy(t->near, b->momentum, sizeof b->momentum);

    for (int64_t n = 0; n < (int64_t)1 << doubling && any_of(growing); n++) {
      if (n % 4 == 0)
        make_words(k, (uint32_t)(n / 4), iteration, (uint32_t)f->leaf_words[doubling], b->numbers,
                   words);
      memcpy(t->before, b->momentum, sizeof b->momentum);
      kick(f, b, t->grown.slope, half);
      drift(f, b, t->grown.at, step_size);
      evaluate(f, b, &t->grown);
      kick(f, b, t->grown.slope, half);
      find_kinetic(b->momentum, now);
      find_infeasible(f, b, &t->grown, outside);
      vec sum = 0 * t->grown.energy + 0 * t->grown.log_jacobian;
      for (int64_t i = 0; i < DIM; i++) sum += 0 * t->grown.slope[i] + 0 * t->grown.at[i];
      memcpy(probe, &sum, sizeof probe); /* 0 where all of it is finite, else nan */
      const real *e0 = (const real *)&start->energy, *e1 = (const real *)&t->grown.energy;
      const real *j0 = (const real *)&start->log_jacobian;
      const real *j1 = (const real *)&t->grown.log_jacobian;
      EACH_LANE rise[l] = ((double)e1[l] - (double)e0[l]) - ((double)j1[l] - (double)j0[l]) +
                          now[l] - begun[l];
      EACH_LANE {
        int finite = (probe[l] == 0) & (rise[l] - rise[l] == 0);
        int far_off = !finite | (rise[l] > DIVERGENCE);
        double share = !finite ? 0 : exp(-rise[l] > 0 ? 0 : -rise[l]);
        double leaf = finite & !outside[l] ? -rise[l] : -INFINITY;
        if (growing[l]) {
          faithful[l] += share;
          allowed_share[l] += outside[l] ? 0 : share;
          allowed[l] |= !outside[l];
          b->diverged[l] |= far_off;
          b->gradients[l]++;
        }
        growing[l] &= !far_off;
        double together = n ? add_logs(grown_weight[l], leaf) : leaf;
        chosen[l] = !n | (log(as_uniform(words[n % 4][l])) < leaf - together);
        grown_weight[l] = together;
        turning[l] = 0;
      }
      take_point(f, chosen, &t->grown, &t->picked);
      if (n == 0) {
        memcpy(t->first, b->momentum, sizeof b->momentum);
        memcpy(t->sum, b->momentum, sizeof b->momentum);
      } else {
        for (int64_t i = 0; i < DIM; i++) t->sum[i] += b->momentum[i];
      }
      close_subtrees(t, n, b->momentum, turning);
      EACH_LANE growing[l] &= !turning[l];
    }

    /* The far end is where the ends were not grown. */
    memcpy(t->before, t->at_end[1], sizeof t->before);
    take(ahead, t->at_end[0], DIM, t->before);
    EACH_LANE turning[l] = 0;
    add_turning(t->before, b->momentum, t->total, t->nothing, t->sum, t->nothing, turning);
    add_turning(t->before, t->first, t->total, t->nothing, t->first, t->nothing, turning);
    add_turning(t->near, b->momentum, t->sum, t->nothing, t->near, t->nothing, turning);
    make_words(k, (uint32_t)(doubling / 4), iteration, (uint32_t)f->swap_word, b->numbers, words);
    EACH_LANE {
      uniform[l] = log(as_uniform(words[doubling % 4][l]));
      chosen[l] = growing[l] & (uniform[l] < grown_weight[l] - weight[l]);
      moved[l] |= chosen[l];
      weight[l] = add_logs(weight[l], grown_weight[l]);
    }
    take_point(f, chosen, &t->picked, &t->chosen);
    for (int64_t i = 0; i < DIM; i++) t->total[i] += t->sum[i];
    for (int side = 0; side < 2; side++) {
      EACH_LANE chosen[l] = growing[l] & (ahead[l] == side);
      take_point(f, chosen, &t->grown, t->end + side);
      take(chosen, b->momentum, DIM, t->at_end[side]);
    }
    EACH_LANE growing[l] &= !turning[l];
  }

  const real *e0 = (const real *)&start->energy, *j0 = (const real *)&start->log_jacobian;
  EACH_LANE {
    double count = (double)b->gradients[l];
    b->hamiltonian[l] = (double)e0[l] - (double)j0[l] + begun[l];
    b->faithful[l] = faithful[l] / count;
    b->acceptance[l] = allowed_share[l] / count;
    b->accepted[l] = moved[l];
    b->infeasible[l] = !allowed[l] & !b->diverged[l];
  }
  take_point(f, every, &b->here, &b->there);
  take_point(f, every, &t->chosen, &b->here);
}

#endif
