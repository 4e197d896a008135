/* The steps of `descent/adam.py`. */

/* A batch, each array with the start in front. */
typedef struct {
  real *position, *value, *gradient, *first, *second, *caution, *best_position, *best_value;
} adam_state;

typedef struct {
  int64_t dim;
  vec *position, *gradient, *first, *second, *best_position; /* [dim] */
  vec *trial, *found, *mean; /* where a step leads, and its first moment */
  vec value, caution, best_value;
} adam_block;

enum { ADAM_ARRAYS = 8 };

static void furnish_adam(adam_block *at, vec *room, int64_t dim) {
  at->dim = dim;
  at->position = take(&room, dim);
  at->gradient = take(&room, dim);
  at->first = take(&room, dim);
  at->second = take(&room, dim);
  at->best_position = take(&room, dim);
  at->trial = take(&room, dim);
  at->found = take(&room, dim);
  at->mean = take(&room, dim);
}

static void load_adam(adam_block *at, const adam_state *batch, const int64_t *lanes) {
  load(at->position, batch->position, lanes, at->dim);
  load(&at->value, batch->value, lanes, 1);
  load(at->gradient, batch->gradient, lanes, at->dim);
  load(at->first, batch->first, lanes, at->dim);
  load(at->second, batch->second, lanes, at->dim);
  load(&at->caution, batch->caution, lanes, 1);
  load(at->best_position, batch->best_position, lanes, at->dim);
  load(&at->best_value, batch->best_value, lanes, 1);
}

static void store_adam(
    const adam_block *at, const adam_state *batch, const int64_t *lanes, int used) {
  store(at->position, batch->position, lanes, used, at->dim);
  store(&at->value, batch->value, lanes, used, 1);
  store(at->gradient, batch->gradient, lanes, used, at->dim);
  store(at->first, batch->first, lanes, used, at->dim);
  store(at->second, batch->second, lanes, used, at->dim);
  store(&at->caution, batch->caution, lanes, used, 1);
  store(at->best_position, batch->best_position, lanes, used, at->dim);
  store(&at->best_value, batch->best_value, lanes, used, 1);
}

/* A step of `size`, after `count` others; one to a value that is not finite is taken back. */
static void step_adam(evaluator *with, adam_block *at, int64_t count, real size) {
  const int64_t dim = at->dim;
  vec unit = 1 / larger(root(dot(at->gradient, at->gradient, dim)), splat(TINY));
  double mean = 1 - pow(FIRST_MOMENT, count + 1), spread = 1 - pow(SECOND_MOMENT, count + 1);
  for (int j = 0; j < dim; ++j) {
    vec direction = at->gradient[j] * unit;
    at->mean[j] = (real)FIRST_MOMENT * at->first[j] + (real)(1 - FIRST_MOMENT) * direction;
    at->second[j] = (real)SECOND_MOMENT * at->second[j] +
                    (real)(1 - SECOND_MOMENT) * direction * direction;
    /* Where every gradient so far was zero, mean and spread are zero and nothing moves. */
    vec deviation = larger(root(at->second[j] / (real)spread), splat(REAL_EPS));
    at->trial[j] = at->position[j] - size * at->caution * (at->mean[j] / (real)mean) / deviation;
  }
  retract(with->task, at->trial);
  vec value = evaluate(with, at->trial, at->found);
  ivec finite = is_finite(value);
  at->value = choose(finite, value, at->value);
  ivec better = at->value < at->best_value;
  for (int j = 0; j < dim; ++j) {
    at->position[j] = choose(finite, at->trial[j], at->position[j]);
    at->gradient[j] = choose(finite, at->found[j], at->gradient[j]);
    at->first[j] = keep(finite, at->mean[j]);
    at->best_position[j] = choose(better, at->position[j], at->best_position[j]);
  }
  at->best_value = choose(better, at->value, at->best_value);
  at->caution = choose(finite, at->caution, at->caution / 2);
}

/* `sizes` has the length of each of the steps, of which `count` have been taken before. */
int64_t adam(const job *task, const adam_state *from, const adam_state *to, int64_t count,
         const double *sizes) {
  evaluator with;
  if (!begin(&with, task)) return -1;
  adam_block own, *at = &own;
  vec *room = aligned_alloc(64, ADAM_ARRAYS * task->dim * sizeof(vec));
  furnish_adam(at, room, task->dim);
  for (int64_t first = 0; room != NULL && first < task->count; first += LANES) {
    int64_t lanes[LANES];
    int used = choose_lanes(task, first, lanes);
    load_rows(&with, lanes);
    load_adam(at, from, lanes);
    for (int64_t step = 0; step < task->steps; ++step)
      step_adam(&with, at, count + step, (real)sizes[step]);
    with.evaluations += used * task->steps;
    store_adam(at, to, lanes, used);
  }
  int64_t done = room != NULL ? with.evaluations : -1;
  free(room);
  end(&with);
  return done;
}
