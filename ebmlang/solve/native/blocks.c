/* What the loops of all descents share: lanes, coordinates, data by row, and the objective.

   Each start of a batch is a lane; LANES of them make a block, whose state stays in the cache while
   it takes all steps of a call. In front of this text stand the prelude, `lanes.h` and the constants
   of the methods. What is minimized comes with the job, so that these loops are built once. */

#include <stdlib.h>

/* Outputs are the value, and then the gradient by each variable. */
typedef void objective(const real *x, const inputs *in, real *const *out, real *scratch);

INLINE vec keep(ivec where, vec value) { return (vec)(where & (ivec)value); }

INLINE int any(ivec where) {
  int found = 0;
  for (int lane = 0; lane < LANES; ++lane) found |= where[lane] != 0;
  return found;
}

INLINE vec clamp(vec value, vec lower, vec upper) {
  /* What is no number stays none. */
  value = choose(value < lower, lower, value);
  return choose(value > upper, upper, value);
}

/* Four sums side by side: one alone would wait for each of its additions. */
static inline vec dot(const vec *restrict one, const vec *restrict other, int64_t dim) {
  vec sums[4] = {splat(0), splat(0), splat(0), splat(0)};
  int64_t j = 0;
  for (; j + 4 <= dim; j += 4)
    for (int part = 0; part < 4; ++part) sums[part] += one[j + part] * other[j + part];
  for (; j < dim; ++j) sums[0] += one[j] * other[j];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/* A call: which starts take how many steps, and all that does not change on the way. */
typedef struct {
  int64_t count;              /* starts that take part */
  const int64_t *which;       /* their places in the batch */
  int64_t steps;
  objective *minimized;
  int64_t scratch;            /* how many numbers it works in */
  const void *const *shared;  /* what it reads, whatever the start */
  int64_t dim, variables;
  const int64_t *places;      /* where each variable begins in a point */
  int64_t boxes;              /* whether the last four data by row are boxes, see `open_box` */
  int64_t columns;            /* how many data by row there are */
  const int64_t *widths;      /* how many elements each has */
  const real *const *rows;    /* the data, each [start][elements] */
  const int64_t *order;       /* the coordinate of each packed number */
  const real *shift, *scale, *lower, *upper, *floor, *ceiling;
} job;

typedef struct {
  const job *task;
  inputs in;
  vec *point, *slope; /* packed: where the objective is evaluated, and its gradient there */
  vec *rows, *value;
  const real **columns;
  real **out;
  real *scratch;
  void *memory;
  int64_t evaluations; /* of starts, so far */
} evaluator;

/* The next so many vectors of a room. */
static vec *take(vec **room, int64_t many) {
  vec *begin = *room;
  *room += many;
  return begin;
}

static void end(evaluator *with) {
  free(with->memory);
  free(with->columns);
  free(with->out);
}

/* Memory for one block at a time; 0 where there is none. */
static int begin(evaluator *with, const job *task) {
  int64_t elements = 0;
  for (int k = 0; k < task->columns; ++k) elements += task->widths[k];
  size_t vectors = 2 * task->dim + 1 + elements + task->scratch / LANES + 1;
  vec *room = with->memory = aligned_alloc(64, vectors * sizeof(vec));
  with->columns = malloc((task->columns + 1) * sizeof(real *));
  with->out = malloc((task->variables + 1) * sizeof(real *));
  if (room == NULL || with->columns == NULL || with->out == NULL) return end(with), 0;
  with->task = task;
  with->evaluations = 0;
  with->point = take(&room, task->dim);
  with->slope = take(&room, task->dim);
  with->value = take(&room, 1);
  with->rows = take(&room, elements);
  with->scratch = (real *)room;
  with->out[0] = (real *)with->value;
  for (int k = 0; k < task->variables; ++k)
    with->out[k + 1] = (real *)(with->slope + task->places[k]);
  const vec *place = with->rows;
  for (int k = 0; k < task->columns; ++k) {
    with->columns[k] = (const real *)place;
    place += task->widths[k];
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

static ivec load_truth(const uint8_t *from, const int64_t *lanes, int64_t width, int64_t place) {
  ivec found;
  for (int lane = 0; lane < LANES; ++lane)
    found[lane] = from[lanes[lane] * width + place] ? -1 : 0;
  return found;
}

static void store_truth(
    ivec from, uint8_t *to, const int64_t *lanes, int used, int64_t width, int64_t place) {
  for (int lane = 0; lane < used; ++lane) to[lanes[lane] * width + place] = from[lane] != 0;
}

static void load_rows(evaluator *with, const int64_t *lanes) {
  vec *to = with->rows;
  for (int k = 0; k < with->task->columns; ++k) {
    load(to, with->task->rows[k], lanes, with->task->widths[k]);
    to += with->task->widths[k];
  }
}

static void retract(const job *task, vec *y) {
  for (int j = 0; j < task->dim; ++j) y[j] = clamp(y[j], splat(task->lower[j]), splat(task->upper[j]));
}

/* Coordinates that bounds from the row are folded into, as in `rows/boxes.py`: the last four data by
   row are what is added, the width, and the bounds. */
static void open_box(evaluator *with) {
  const real **last = with->columns + with->task->columns - 4;
  const vec *shift = (const vec *)last[0], *width = (const vec *)last[1];
  const vec *lower = (const vec *)last[2], *upper = (const vec *)last[3];
  for (int i = 0; i < with->task->dim; ++i) {
    vec u = with->point[i], x = shift[i] + width[i] * u;
    ivec both = is_finite(lower[i]) & is_finite(upper[i]);
    with->point[i] = clamp(choose(both & (u >= 1), upper[i], x), lower[i], upper[i]);
  }
}

static void close_box(evaluator *with) {
  const vec *width = (const vec *)with->columns[with->task->columns - 3];
  for (int i = 0; i < with->task->dim; ++i) with->slope[i] *= width[i];
}

/* Value and gradient at solver's coordinates; `inf` and 0 where one of them is not finite. */
static vec evaluate(evaluator *with, const vec *restrict y, vec *restrict gradient) {
  const job *task = with->task;
  const int64_t dim = task->dim;
  for (int i = 0; i < dim; ++i) {
    int64_t j = task->order[i];
    vec floor = splat(task->floor[j]), ceiling = splat(task->ceiling[j]);
    vec x = clamp(task->shift[j] + task->scale[j] * y[j], floor, ceiling);
    /* At a bound without rounding. */
    x = choose(y[j] <= task->lower[j], floor, x);
    with->point[i] = choose(y[j] >= task->upper[j], ceiling, x);
  }
  if (task->boxes) open_box(with);
  task->minimized((const real *)with->point, &with->in, with->out, with->scratch);
  if (task->boxes) close_box(with);
  ivec finite = is_finite(*with->value);
  for (int i = 0; i < dim; ++i) {
    int64_t j = task->order[i];
    gradient[j] = task->scale[j] * with->slope[i];
    finite &= is_finite(gradient[j]);
  }
  for (int j = 0; j < dim; ++j) gradient[j] = keep(finite, gradient[j]);
  return choose(finite, *with->value, splat(INFINITY));
}

/* The largest entry of the projected gradient. */
static vec measure_stationarity(const job *task, const vec *y, const vec *gradient) {
  vec largest = splat(0);
  for (int j = 0; j < task->dim; ++j) {
    vec end = clamp(y[j] - gradient[j], splat(task->lower[j]), splat(task->upper[j]));
    largest = larger(magnitude(end - y[j]), largest);
  }
  return largest;
}

typedef struct {
  const real *position;
  real *value, *gradient;
} evaluated;

/* Value and gradient of each start. Like every function that is called from outside, it returns how
   many evaluations it took, or -1 where there is no memory. */
int64_t evaluate_starts(const job *task, const evaluated *to) {
  evaluator with;
  if (!begin(&with, task)) return -1;
  vec *y = aligned_alloc(64, 2 * task->dim * sizeof(vec)), *slope = y + task->dim;
  for (int64_t first = 0; y != NULL && first < task->count; first += LANES) {
    int64_t lanes[LANES];
    int used = choose_lanes(task, first, lanes);
    load_rows(&with, lanes);
    load(y, to->position, lanes, task->dim);
    vec found = evaluate(&with, y, slope);
    store(&found, to->value, lanes, used, 1);
    store(slope, to->gradient, lanes, used, task->dim);
    with.evaluations += used;
  }
  int64_t done = y != NULL ? with.evaluations : -1;
  free(y);
  end(&with);
  return done;
}
