/* What trajectories are made of, for a block of chains: the density at a point, the straightening
   map, and the two halves of a leapfrog step.

   Everything is as it is in torch, in the same order: what is not finite is rejected and counted,
   what violates a requirement has density zero, gains are taken in double. `flight` is written out
   by machine.py, which also defines DIM, PACKED, REQUIRED, PLAIN (whether x is q), WORK and the
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
  point points[2];
  point *here, *there; /* which of them is which */
  vec momentum[DIM], fresh[DIM], swept[DIM], sweeping[DIM];
  vec scale[DIM]; /* of a diagonal metric */
  vec used[DIM];  /* 0 where momentum moves nothing */
  vec step_size, renewal, drift_share;
  real scratch[WORK] ALIGNED;
  double level[LANES] ALIGNED, drift[LANES] ALIGNED;
  /* Of the latest iteration; the Hamiltonian only where it is to be told. */
  vec acceptance, faithful;
  ivec accepted, diverged, infeasible, gradients;
  double hamiltonian[LANES] ALIGNED;
  uint32_t numbers[LANES] ALIGNED;
  place where;
  struct trajectory *trajectory; /* what else a kernel needs */
} block;

/* Where all lanes went, the two points change names and nothing is copied. On a device they are what
   they are, so that their numbers can stay in registers. */
#if ON_DEVICE
#define HERE(b) ((b)->points)
#define THERE(b) ((b)->points + 1)
#else
#define HERE(b) ((b)->here)
#define THERE(b) ((b)->there)
#endif

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

APART void straighten(const flight *f, const block *b, const vec *restrict q, vec *restrict z,
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

APART void bend(const flight *f, const block *b, point *restrict p, vec *restrict mean,
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
APART void pull_to_straight(const flight *f, const block *b, point *restrict p,
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

/* Energy, log-determinant and slope where the points are: one of each block. */
APART void evaluate(const flight *f, block *b, point *const *points) {
  const real *x[BLOCKS];
  real *out[2 * BLOCKS];
  EACH_BLOCK {
    point *p = points[w];
    vec *q = plain_q(f, p);
    p->log_jacobian = ZERO(vec);
    if (HAS_WARP) bend(f, b + w, p, b[w].swept, b[w].sweeping);
    if (!PLAIN)
      p->log_jacobian =
          go_to_written(f->pieces, f->many_pieces, f->columns, f->bounds, f->contrasts, q, p->x);
    x[w] = (const real *)written(f, p);
    out[2 * w] = (real *)&p->energy;
    out[2 * w + 1] = (real *)(PLAIN ? plain_slope(f, p) : p->by_x);
  }
  inputs in = {f->shared, 0};
#if BLOCKS == 1
  ENERGY(x[0], &in, out, b->scratch);
#else
  ENERGY(x, &in, out, b->scratch);
#endif
  EACH_BLOCK {
    point *p = points[w];
    if (!PLAIN)
      pull_to_free(f->pieces, f->many_pieces, f->columns, f->bounds, f->contrasts, plain_q(f, p),
                   p->x, p->by_x, plain_slope(f, p));
    if (HAS_WARP) {
      pull_to_straight(f, b + w, p, b[w].swept, b[w].sweeping);
      p->log_jacobian += p->volume;
    }
  }
}

/* L^T slope, where L is more than a diagonal. */
APART void pull_to_momentum(const flight *f, block *b, const vec *restrict slope) {
  const real *scale = f->scale + b->where.metric * DIM;
  if (f->metric == DENSE) {
    multiply_dense(f->factor + b->where.metric * DIM * DIM, 1, DIM, slope, b->swept);
  } else {
    for (int64_t i = 0; i < DIM; i++) b->swept[i] = slope[i] * scale[i];
    stretch(f->directions + b->where.metric * DIM * f->rank,
            f->factors + b->where.metric * f->rank, f->rank, b->swept, b->sweeping);
  }
}

/* L momentum, there. */
APART void push_to_velocity(const flight *f, block *b) {
  const real *scale = f->scale + b->where.metric * DIM;
  if (f->metric == DENSE) {
    multiply_dense(f->factor + b->where.metric * DIM * DIM, DIM, 1, b->momentum, b->swept);
  } else {
    memcpy(b->swept, b->momentum, sizeof b->momentum);
    stretch(f->directions + b->where.metric * DIM * f->rank,
            f->factors + b->where.metric * f->rank, f->rank, b->swept, b->sweeping);
    for (int64_t i = 0; i < DIM; i++) b->swept[i] *= scale[i];
  }
}

/* z <- z - time L^T slope */
INLINE void kick(const flight *f, block *b, const vec *restrict slope, vec time) {
  if (f->metric == DIAGONAL) {
    for (int64_t i = 0; i < DIM; i++) b->momentum[i] -= time * (slope[i] * b->scale[i]);
  } else {
    pull_to_momentum(f, b, slope);
    for (int64_t i = 0; i < DIM; i++) b->momentum[i] -= time * b->swept[i];
  }
}

/* A kick, and to = from + time L z; of a diagonal metric in one loop, since what goes
   through memory waits for it. */
INLINE void kick_and_drift(const flight *f, block *b, const vec *restrict slope, vec kick_time,
                           const vec *from, vec time, vec *to) {
  if (f->metric == DIAGONAL) {
    for (int64_t i = 0; i < DIM; i++) {
      vec kicked = b->momentum[i] - kick_time * (slope[i] * b->scale[i]);
      b->momentum[i] = kicked;
      to[i] = from[i] + time * b->scale[i] * kicked;
    }
  } else {
    kick(f, b, slope, kick_time);
    push_to_velocity(f, b);
    for (int64_t i = 0; i < DIM; i++) to[i] = from[i] + time * b->swept[i];
  }
}

APART void find_kinetic(const vec *restrict momentum, double *restrict out) {
  double sum[LANES] ALIGNED = {0};
  const real(*z)[LANES] = (const real(*)[LANES])momentum;
  for (int64_t i = 0; i < DIM; i++) EACH_LANE sum[l] += (double)z[i][l] * (double)z[i][l];
  EACH_LANE out[l] = sum[l] / 2;
}

/* 0 where all numbers are finite, else nan. */
INLINE vec probe(const vec *numbers, int64_t many) {
  vec sum = ZERO(vec);
  for (int64_t i = 0; i < many; i++) sum += 0 * numbers[i];
  return sum;
}

/* Whether all that is known of a point is finite. */
static inline ivec is_known(const point *p) {
  vec values = 0 * p->energy + 0 * p->log_jacobian;
  return values + probe(p->slope, DIM) + probe(p->at, DIM) == 0;
}

/* The rise of the total energy, each difference taken by itself, and in double. */
static inline vec find_rise(const point *from, const point *to, const double *restrict before,
                            const double *restrict after) {
  const real *e0 = (const real *)&from->energy, *e1 = (const real *)&to->energy;
  const real *j0 = (const real *)&from->log_jacobian, *j1 = (const real *)&to->log_jacobian;
  union { vec v; real a[LANES]; } rise;
  EACH_LANE {
    double potential = ((double)e1[l] - (double)e0[l]) - ((double)j1[l] - (double)j0[l]);
    rise.a[l] = (real)(potential + after[l] - before[l]);
  }
  return rise.v;
}

/* How likely a rise is accepted: 1 where there is none. */
INLINE vec find_share(vec rise) { return exponential(lesser(ZERO(vec), -rise)); }

/* Whether a required margin of a lane is not at least 0; one that is not a number is not. */
static inline ivec find_outside(const flight *f, block *b, point *p) {
  ivec outside = ZERO(ivec);
#if REQUIRED
  vec margins[REQUIRED];
  real *out[1] = {(real *)margins};
  inputs in = {f->shared + SHARED_BY_ENERGY, 0};
  MARGINS((const real *)written(f, p), &in, out, b->scratch);
  for (int64_t i = 0; i < REQUIRED; i++) outside = outside | ~(margins[i] >= 0);
#endif
  return outside;
}

/* Lanes that accepted take the numbers of where they went. */
static inline void take(ivec accepted, const vec *restrict there, int64_t many,
                        vec *restrict here) {
  for (int64_t i = 0; i < many; i++) here[i] = choose(accepted, there[i], here[i]);
}

/* The same of all that is known of a point, in the coordinates that chains move in. */
INLINE void take_point(const flight *f, ivec accepted, const point *there, point *here) {
  if (HAS_WARP) {
    take(accepted, there->q, DIM, here->q);
    take(accepted, there->by_q, DIM, here->by_q);
  } else {
    take(accepted, there->at, DIM, here->at);
    take(accepted, there->slope, DIM, here->slope);
  }
  if (!PLAIN) take(accepted, there->x, PACKED, here->x);
  take(accepted, &there->energy, 1, &here->energy);
  take(accepted, &there->log_jacobian, 1, &here->log_jacobian);
}

