/* What the loops of all descents share: lanes, coordinates, data by row, and the objective.

   Each start of a batch is a lane; LANES of them make a block, whose state stays in the cache while
   it takes all steps of a call. In front of this text stand, besides the prelude, the objective

     static void OBJECTIVE(const real *x, const inputs *in, real *const *out, real *scratch);

   whose outputs are the value and then the gradient by each variable, and what is known of it:
   OBJECTIVE_SCRATCH, DIM, VARIABLES, PLACES (where each variable begins in a point), ROWS, WIDTHS
   (elements of each of the data by row), and the constants of the methods. */

#include <stdlib.h>

typedef real vec __attribute__((vector_size(64), may_alias));
#if REAL_IS_FLOAT
typedef int32_t mask __attribute__((vector_size(64), may_alias));
#else
typedef int64_t mask __attribute__((vector_size(64), may_alias));
#endif

static const int64_t PLACES_OF[] = PLACES, WIDTHS_OF[] = WIDTHS;

static inline vec every(real value) {
  vec filled = {0};
  return filled + value;
}

static inline vec pick(mask where, vec yes, vec no) {
  return (vec)((where & (mask)yes) | (~where & (mask)no));
}

static inline vec keep(mask where, vec value) { return (vec)(where & (mask)value); }

static inline int any(mask where) {
  int found = 0;
  for (int lane = 0; lane < LANES; ++lane) found |= where[lane] != 0;
  return found;
}

static inline vec larger(vec one, vec other) { return pick(one > other, one, other); }

static inline vec smaller(vec one, vec other) { return pick(one < other, one, other); }

static inline vec clamp(vec value, vec lower, vec upper) {
  /* What is no number stays none. */
  value = pick(value < lower, lower, value);
  return pick(value > upper, upper, value);
}

static inline vec size_of(vec value) { return larger(value, -value); }

static inline mask is_finite(vec value) { return (value - value) == every(0); }

static inline vec root(vec value) {
  vec found;
  for (int lane = 0; lane < LANES; ++lane) found[lane] = R(sqrt)(value[lane]);
  return found;
}

/* Four sums side by side: one alone would wait for each of its additions. */
static inline vec dot(const vec *restrict one, const vec *restrict other) {
  vec sums[4] = {every(0), every(0), every(0), every(0)};
  int j = 0;
  for (; j + 4 <= DIM; j += 4)
    for (int part = 0; part < 4; ++part) sums[part] += one[j + part] * other[j + part];
  for (; j < DIM; ++j) sums[0] += one[j] * other[j];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/* A call: which starts take how many steps, and all that does not change on the way. */
typedef struct {
  int64_t count;              /* starts that take part */
  const int64_t *which;       /* their places in the batch */
  int64_t steps;
  const void *const *shared;  /* of the objective */
  const real *const *rows;    /* data by row, each [start][elements] */
  const int64_t *order;       /* the coordinate of each packed number */
  const real *shift, *scale, *lower, *upper, *floor, *ceiling;
} job;

typedef struct {
  const job *task;
  inputs in;
  vec *point, *slope; /* packed: where the objective is evaluated, and its gradient there */
  vec *rows;
  const real *columns[ROWS + 1];
  real *out[VARIABLES + 1];
  vec value;
  real *scratch;
  void *memory;
} evaluator;

/* Memory for one block at a time; 0 where there is none. */
static int begin(evaluator *with, const job *task) {
  int64_t elements = 0;
  for (int k = 0; k < ROWS; ++k) elements += WIDTHS_OF[k];
  size_t vectors = 2 * DIM + elements + OBJECTIVE_SCRATCH / LANES + 2;
  with->memory = aligned_alloc(64, vectors * sizeof(vec));
  if (with->memory == NULL) return 0;
  with->task = task;
  with->point = with->memory;
  with->slope = with->point + DIM;
  with->rows = with->slope + DIM;
  with->scratch = (real *)(with->rows + elements);
  with->out[0] = (real *)&with->value;
  for (int k = 0; k < VARIABLES; ++k) with->out[k + 1] = (real *)(with->slope + PLACES_OF[k]);
  int64_t place = 0;
  for (int k = 0; k < ROWS; ++k) {
    with->columns[k] = (const real *)(with->rows + place);
    place += WIDTHS_OF[k];
  }
  with->in.shared = task->shared;
  with->in.rows = with->columns;
  return 1;
}

/* The starts of a block; lanes that are left over repeat the last of them. */
static int choose_lanes(const job *task, int64_t first, int64_t *lanes) {
  int64_t left = task->count - first;
  int used = left < LANES ? (int)left : LANES;
  for (int lane = 0; lane < LANES; ++lane)
    lanes[lane] = task->which[first + (lane < used ? lane : used - 1)];
  return used;
}

static void load(vec *restrict to, const real *restrict from, const int64_t *lanes, int64_t width) {
  for (int lane = 0; lane < LANES; ++lane) {
    const real *row = from + lanes[lane] * width;
    for (int64_t j = 0; j < width; ++j) to[j][lane] = row[j];
  }
}

static void store(
    const vec *restrict from, real *restrict to, const int64_t *lanes, int used, int64_t width) {
  for (int lane = 0; lane < used; ++lane) {
    real *row = to + lanes[lane] * width;
    for (int64_t j = 0; j < width; ++j) row[j] = from[j][lane];
  }
}

static mask load_truth(const uint8_t *from, const int64_t *lanes, int64_t width, int64_t place) {
  mask found;
  for (int lane = 0; lane < LANES; ++lane)
    found[lane] = from[lanes[lane] * width + place] ? -1 : 0;
  return found;
}

static void store_truth(
    mask from, uint8_t *to, const int64_t *lanes, int used, int64_t width, int64_t place) {
  for (int lane = 0; lane < used; ++lane) to[lanes[lane] * width + place] = from[lane] != 0;
}

static void load_rows(evaluator *with, const int64_t *lanes) {
  vec *to = with->rows;
  for (int k = 0; k < ROWS; ++k) {
    load(to, with->task->rows[k], lanes, WIDTHS_OF[k]);
    to += WIDTHS_OF[k];
  }
}

static void retract(const job *task, vec *y) {
  for (int j = 0; j < DIM; ++j) y[j] = clamp(y[j], every(task->lower[j]), every(task->upper[j]));
}

/* Value and gradient at solver's coordinates; `inf` and 0 where one of them is not finite. */
static vec evaluate(evaluator *with, const vec *restrict y, vec *restrict gradient) {
  const job *task = with->task;
  for (int i = 0; i < DIM; ++i) {
    int64_t j = task->order[i];
    vec floor = every(task->floor[j]), ceiling = every(task->ceiling[j]);
    vec x = clamp(task->shift[j] + task->scale[j] * y[j], floor, ceiling);
    /* At a bound without rounding. */
    x = pick(y[j] <= task->lower[j], floor, x);
    with->point[i] = pick(y[j] >= task->upper[j], ceiling, x);
  }
  OBJECTIVE((const real *)with->point, &with->in, with->out, with->scratch);
  mask finite = is_finite(with->value);
  for (int i = 0; i < DIM; ++i) {
    int64_t j = task->order[i];
    gradient[j] = task->scale[j] * with->slope[i];
    finite &= is_finite(gradient[j]);
  }
  for (int j = 0; j < DIM; ++j) gradient[j] = keep(finite, gradient[j]);
  return pick(finite, with->value, every(INFINITY));
}

/* The largest entry of the projected gradient. */
static vec measure_stationarity(const job *task, const vec *y, const vec *gradient) {
  vec largest = every(0);
  for (int j = 0; j < DIM; ++j) {
    vec end = clamp(y[j] - gradient[j], every(task->lower[j]), every(task->upper[j]));
    largest = larger(size_of(end - y[j]), largest);
  }
  return largest;
}

typedef struct {
  const real *position;
  real *value, *gradient;
} evaluated;

/* Value and gradient of each start. */
int evaluate_starts(const job *task, const evaluated *to) {
  evaluator with;
  if (!begin(&with, task)) return 0;
  vec *y = aligned_alloc(64, 2 * DIM * sizeof(vec)), *slope = y + DIM;
  for (int64_t first = 0; y != NULL && first < task->count; first += LANES) {
    int64_t lanes[LANES];
    int used = choose_lanes(task, first, lanes);
    load_rows(&with, lanes);
    load(y, to->position, lanes, DIM);
    vec found = evaluate(&with, y, slope);
    store(&found, to->value, lanes, used, 1);
    store(slope, to->gradient, lanes, used, DIM);
  }
  int done = y != NULL;
  free(y);
  free(with.memory);
  return done;
}
