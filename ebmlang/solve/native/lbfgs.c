/* The steps of `descent/lbfgs.py`, with the two loops over the pairs written as such: Nocedal and
   Wright, Numerical Optimization (2006), algorithm 7.4. */

/* A batch, each array with the start in front. */
typedef struct {
  real *position, *value, *gradient, *moves, *changes;
  uint8_t *known;
  real *direction;
  uint8_t *modelled;
  real *size;
  int64_t *trials;
  real *stationarity;
  uint8_t *converged, *stalled;
} lbfgs_state;

typedef struct {
  int64_t dim;
  vec *position, *gradient, *direction, *trial, *found, *newton; /* [dim] */
  ivec *held;
  vec *moves[MEMORY], *changes[MEMORY]; /* a ring: `newest` is the place of the last */
  vec along[MEMORY], length[MEMORY];            /* products on what is free: s y, y y */
  ivec known[MEMORY], convex[MEMORY], fresh[MEMORY];
  vec value, size, trials, stationarity;
  ivec modelled, converged, stalled;
  int newest;
} lbfgs_block;

enum { LBFGS_ARRAYS = 7 + 2 * MEMORY };

static void furnish_lbfgs(lbfgs_block *at, vec *room, int64_t dim) {
  at->dim = dim;
  at->position = take(&room, dim);
  at->gradient = take(&room, dim);
  at->direction = take(&room, dim);
  at->trial = take(&room, dim);
  at->found = take(&room, dim);
  at->newton = take(&room, dim);
  at->held = (ivec *)take(&room, dim);
  /* Pairs lie one after the other, as they do in the batch. */
  for (int k = 0; k < MEMORY; ++k) at->moves[k] = take(&room, dim);
  for (int k = 0; k < MEMORY; ++k) at->changes[k] = take(&room, dim);
}

static void load_lbfgs(lbfgs_block *at, const lbfgs_state *batch, const int64_t *lanes) {
  load(at->position, batch->position, lanes, at->dim);
  load(&at->value, batch->value, lanes, 1);
  load(at->gradient, batch->gradient, lanes, at->dim);
  load(at->moves[0], batch->moves, lanes, MEMORY * at->dim);
  load(at->changes[0], batch->changes, lanes, MEMORY * at->dim);
  for (int k = 0; k < MEMORY; ++k) {
    at->known[k] = load_truth(batch->known, lanes, MEMORY, k);
    at->fresh[k] = at->known[k];
    at->convex[k] = at->known[k] & 0;
    at->along[k] = at->length[k] = splat(0);
  }
  load(at->direction, batch->direction, lanes, at->dim);
  at->modelled = load_truth(batch->modelled, lanes, 1, 0);
  load(&at->size, batch->size, lanes, 1);
  for (int lane = 0; lane < LANES; ++lane) at->trials[lane] = batch->trials[lanes[lane]];
  load(&at->stationarity, batch->stationarity, lanes, 1);
  at->converged = load_truth(batch->converged, lanes, 1, 0);
  at->stalled = load_truth(batch->stalled, lanes, 1, 0);
  for (int j = 0; j < at->dim; ++j) at->held[j] = at->known[0] & 0;
  at->newest = MEMORY - 1;
}

static void store_lbfgs(
    const lbfgs_block *at, const lbfgs_state *batch, const int64_t *lanes, int used) {
  store(at->position, batch->position, lanes, used, at->dim);
  store(&at->value, batch->value, lanes, used, 1);
  store(at->gradient, batch->gradient, lanes, used, at->dim);
  for (int k = 0; k < MEMORY; ++k) {
    int from = (at->newest + 1 + k) % MEMORY;
    for (int lane = 0; lane < used; ++lane) {
      int64_t place = (lanes[lane] * MEMORY + k) * at->dim;
      for (int j = 0; j < at->dim; ++j) {
        batch->moves[place + j] = at->moves[from][j][lane];
        batch->changes[place + j] = at->changes[from][j][lane];
      }
    }
    store_truth(at->known[from], batch->known, lanes, used, MEMORY, k);
  }
  store(at->direction, batch->direction, lanes, used, at->dim);
  store_truth(at->modelled, batch->modelled, lanes, used, 1, 0);
  store(&at->size, batch->size, lanes, used, 1);
  for (int lane = 0; lane < used; ++lane) batch->trials[lanes[lane]] = (int64_t)at->trials[lane];
  store(&at->stationarity, batch->stationarity, lanes, used, 1);
  store_truth(at->converged, batch->converged, lanes, used, 1, 0);
  store_truth(at->stalled, batch->stalled, lanes, used, 1, 0);
}

/* Which coordinates are at a bound with a gradient that pushes outwards; whether others than
   before. */
static int hold(const job *task, lbfgs_block *at) {
  const int64_t dim = at->dim;
  vec edge = smaller(at->stationarity, splat(HOLD));
  ivec differ = at->known[0] & 0;
  for (int j = 0; j < dim; ++j) {
    vec y = at->position[j], gradient = at->gradient[j];
    ivec held = ((y <= task->lower[j] + edge) & (gradient > 0)) |
                ((y >= task->upper[j] - edge) & (gradient < 0));
    differ |= held ^ at->held[j];
    at->held[j] = held;
  }
  return any(differ);
}

/* Take the products of pairs on what is free: of all where that has changed, else of new ones. */
static void judge_pairs(lbfgs_block *at, int all) {
  const int64_t dim = at->dim;
  for (int k = 0; k < MEMORY; ++k) {
    if (!any(at->known[k] & (all ? at->known[k] : at->fresh[k]))) {
      at->convex[k] &= at->known[k];
      continue;
    }
    vec along = splat(0), length = splat(0), reach = splat(0);
    for (int j = 0; j < dim; ++j) {
      vec move = keep(~at->held[j], at->moves[k][j]), change = keep(~at->held[j], at->changes[k][j]);
      along += move * change;
      length += change * change;
      reach += move * move;
    }
    at->along[k] = along;
    at->length[k] = length;
    at->convex[k] = at->known[k] & (along > (real)CURVATURE * root(length) * root(reach));
    at->fresh[k] &= 0;
  }
}

/* Choose direction and first step size at the current positions. */
static void aim(const job *task, lbfgs_block *at, ivec where) {
  const int64_t dim = at->dim;
  judge_pairs(at, hold(task, at));
  vec *const newton = at->newton, shares[MEMORY], scale = splat(1);
  ivec has_pairs = at->known[0] & 0;
  for (int j = 0; j < dim; ++j) newton[j] = keep(~at->held[j], at->gradient[j]);
  vec inside = dot(newton, newton, dim);
  for (int age = 0; age < MEMORY; ++age) {
    int k = (at->newest + MEMORY - age) % MEMORY;
    ivec convex = at->convex[k];
    if (!any(convex)) continue;
    scale = choose(convex & ~has_pairs, at->along[k] / at->length[k], scale);
    has_pairs |= convex;
    shares[k] = keep(convex, dot(at->moves[k], newton, dim) / at->along[k]);
    for (int j = 0; j < dim; ++j)
      newton[j] -= shares[k] * keep(~at->held[j], at->changes[k][j]);
  }
  for (int j = 0; j < dim; ++j) newton[j] *= scale;
  for (int age = MEMORY - 1; age >= 0; --age) {
    int k = (at->newest + MEMORY - age) % MEMORY;
    if (!any(at->convex[k])) continue;
    vec share = shares[k] - keep(at->convex[k], dot(at->changes[k], newton, dim) / at->along[k]);
    for (int j = 0; j < dim; ++j) newton[j] += share * keep(~at->held[j], at->moves[k][j]);
  }

  vec slope = splat(0);
  for (int j = 0; j < dim; ++j) slope -= newton[j] * keep(~at->held[j], at->gradient[j]);
  vec steep = root(inside) * root(dot(newton, newton, dim));
  ivec descends = has_pairs & is_finite(slope) & (slope < -(real)DESCENT * steep);
  vec longest = splat(TINY), farthest = splat(1);
  for (int j = 0; j < dim; ++j) {
    /* Held coordinates go straight to their bound, at the scale of the model. */
    vec gradient = at->gradient[j];
    vec modelled = choose(at->held[j], -scale * gradient, -newton[j]);
    vec direction = choose(descends, modelled, -gradient);
    at->direction[j] = choose(where, direction, at->direction[j]);
    longest = larger(magnitude(direction), longest);
    farthest = larger(magnitude(at->position[j]), farthest);
  }
  vec room = choose(descends, (real)LARGEST_MOVE * farthest, splat(FIRST_MOVE));
  at->modelled = (where & descends) | (~where & at->modelled);
  at->size = choose(where, smaller(room / longest, splat(1)), at->size);
}

static inline ivec is_converged(vec stationarity, vec value, real tolerance) {
  return is_finite(value) & (stationarity <= tolerance * larger(magnitude(value), splat(1)));
}

/* Take the trial point in the lanes where it is good, and shorten the step in the others. */
static void step_lbfgs(evaluator *with, lbfgs_block *at, real tolerance) {
  const int64_t dim = at->dim;
  const job *task = with->task;
  ivec done = at->converged | at->stalled;
  for (int j = 0; j < dim; ++j) at->trial[j] = at->position[j] + at->size * at->direction[j];
  retract(task, at->trial);
  vec value = evaluate(with, at->trial, at->found);
  vec stationarity = measure_stationarity(task, at->trial, at->found);
  vec predicted = splat(0);
  for (int j = 0; j < dim; ++j) predicted += at->gradient[j] * (at->trial[j] - at->position[j]);
  vec noise = (real)NOISE * REAL_EPS * magnitude(at->value);
  ivec lower = (value <= at->value + (real)DECREASE * predicted) & (predicted < 0);
  ivec level = (value <= at->value + noise) & (stationarity < at->stationarity);
  ivec accepted = is_finite(value) & (lower | level) & ~done;

  vec rise = value - at->value, share = -predicted / (2 * (rise - predicted));
  share = choose(is_finite(share) & (rise > predicted), share, splat((real)0.1));
  vec shorter = at->size * clamp(share, splat((real)0.1), splat((real)0.5));

  int k = at->newest = (at->newest + 1) % MEMORY;
  at->known[k] = at->fresh[k] = accepted;
  for (int j = 0; j < dim; ++j) {
    at->moves[k][j] = keep(accepted, at->trial[j] - at->position[j]);
    at->changes[k][j] = keep(accepted, at->found[j] - at->gradient[j]);
    at->position[j] = choose(accepted, at->trial[j], at->position[j]);
    at->gradient[j] = choose(accepted, at->found[j], at->gradient[j]);
  }
  at->value = choose(accepted, value, at->value);
  at->stationarity = choose(accepted, stationarity, at->stationarity);
  at->trials = keep(~accepted, at->trials + 1);
  ivec spent = at->trials >= TRIALS;
  for (int pair = 0; pair < MEMORY; ++pair) at->known[pair] &= ~spent;
  at->trials = keep(~spent, at->trials);
  at->stalled |= spent & ~at->modelled & ~done;
  at->converged = is_converged(at->stationarity, at->value, tolerance);
  ivec again = ~accepted & ~spent;
  if (any(~again)) aim(task, at, ~again);
  at->size = choose(again, shorter, at->size);
}

int64_t lbfgs(const job *task, const lbfgs_state *from, const lbfgs_state *to, double tolerance) {
  evaluator with;
  if (!begin(&with, task)) return -1;
  lbfgs_block own, *at = &own;
  vec *room = aligned_alloc(64, LBFGS_ARRAYS * task->dim * sizeof(vec));
  furnish_lbfgs(at, room, task->dim);
  for (int64_t first = 0; room != NULL && first < task->count; first += LANES) {
    int64_t lanes[LANES];
    int used = choose_lanes(task, first, lanes);
    load_rows(&with, lanes);
    load_lbfgs(at, from, lanes);
    for (int64_t step = 0; step < task->steps; ++step) {
      if (!any(~(at->converged | at->stalled))) break;
      step_lbfgs(&with, at, (real)tolerance);
      with.evaluations += used;
    }
    store_lbfgs(at, to, lanes, used);
  }
  int64_t done = room != NULL ? with.evaluations : -1;
  free(room);
  end(&with);
  return done;
}
