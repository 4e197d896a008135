/* Small matrices, one for each lane: [row][column] of vec. Rows change places lane by lane, by
   selecting, so that each lane has its own order of pivots. */

#define AT(m, i, j) (m)[(i) * columns + (j)]

/* Eliminate below the diagonal of n rows; the columns past n go along. Returns the determinant. */
static vec eliminate(vec *restrict m, int n, int columns, vec *restrict log_size) {
  vec sign = splat(1), product = splat(1), logs = {};
  for (int k = 0; k < n; k++) {
    for (int r = k + 1; r < n; r++) {
      ivec swap = magnitude(AT(m, r, k)) > magnitude(AT(m, k, k));
      sign = choose(swap, -sign, sign);
      for (int c = k; c < columns; c++) {
        vec upper = AT(m, k, c), lower = AT(m, r, c);
        AT(m, k, c) = choose(swap, lower, upper);
        AT(m, r, c) = choose(swap, upper, lower);
      }
    }
    vec pivot = AT(m, k, k);
    product *= pivot;
    logs += logarithm(magnitude(pivot));
    vec safe = choose(pivot == 0, splat(1), pivot);
    for (int r = k + 1; r < n; r++) {
      vec factor = AT(m, r, k) / safe;
      for (int c = k + 1; c < columns; c++) AT(m, r, c) -= factor * AT(m, k, c);
    }
  }
  *log_size = logs;
  return sign * product;
}

static void solve_lanes(const vec *a, const vec *b, vec *restrict x, vec *restrict m, int n, int k) {
  const int columns = n + k;
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) AT(m, i, j) = a[i * n + j];
    for (int j = 0; j < k; j++) AT(m, i, n + j) = b ? b[i * k + j] : splat((real)(i == j));
  }
  vec logs;
  vec determinant = eliminate(m, n, columns, &logs);
  ivec singular = splat_bool(0);
  for (int i = 0; i < n; i++) singular |= AT(m, i, i) == 0;
  for (int j = 0; j < k; j++)
    for (int i = n - 1; i >= 0; i--) {
      vec rest = AT(m, i, n + j);
      for (int c = i + 1; c < n; c++) rest -= AT(m, i, c) * x[c * k + j];
      x[i * k + j] = choose(singular, splat((real)NAN), rest / AT(m, i, i));
    }
}

static void determinant_lanes(const vec *a, vec *restrict x, vec *restrict m, int n, int logarithmic) {
  vec logs;
  for (int i = 0; i < n * n; i++) m[i] = a[i];
  vec value = eliminate(m, n, n, &logs);
  x[0] = logarithmic ? logs : value;
}

static void cholesky_lanes(const vec *a, vec *restrict x, int n) {
  const int columns = n;
  ivec failed = splat_bool(0);
  for (int i = 0; i < n * n; i++) x[i] = ZERO(vec);
  for (int j = 0; j < n; j++) {
    vec square = a[j * n + j];
    for (int k = 0; k < j; k++) square -= AT(x, j, k) * AT(x, j, k);
    failed |= ~(square > 0);
    AT(x, j, j) = root(square);
    for (int i = j + 1; i < n; i++) {
      vec rest = a[i * n + j];
      for (int k = 0; k < j; k++) rest -= AT(x, i, k) * AT(x, j, k);
      AT(x, i, j) = rest / AT(x, j, j);
    }
  }
  for (int i = 0; i < n * n; i++) x[i] = choose(failed, splat((real)NAN), x[i]);
}

/* Neighbors change places until all are in order; nan comes last, as in torch. */
static void sort_lanes(const vec *a, vec *restrict x, int n) {
  for (int i = 0; i < n; i++) x[i] = a[i];
  for (int round = 0; round < n; round++)
    for (int i = round & 1; i + 1 < n; i += 2) {
      vec first = x[i], second = x[i + 1];
      ivec swap = (first > second) | (is_nan(first) & ~is_nan(second));
      x[i] = choose(swap, second, first);
      x[i + 1] = choose(swap, first, second);
    }
}

/* Elements in the order in which their keys rise, ties as they stand. */
static void sort_by_lanes(const vec *a, const vec *keys, vec *restrict x, vec *restrict room,
    int n) {
  for (int i = 0; i < n; i++) x[i] = a[i], room[i] = keys[i];
  for (int round = 0; round < n; round++)
    for (int i = round & 1; i + 1 < n; i += 2) {
      vec first = x[i], second = x[i + 1], lower = room[i], upper = room[i + 1];
      ivec swap = (lower > upper) | (is_nan(lower) & ~is_nan(upper));
      x[i] = choose(swap, second, first);
      x[i + 1] = choose(swap, first, second);
      room[i] = choose(swap, upper, lower);
      room[i + 1] = choose(swap, lower, upper);
    }
}

/* For each element the product of the others. */
static void others_lanes(const vec *a, vec *restrict x, int n) {
  vec before = splat(1), behind = splat(1);
  for (int i = 0; i < n; i++) {
    x[i] = before;
    before *= a[i];
  }
  for (int i = n - 1; i >= 0; i--) {
    x[i] *= behind;
    behind *= a[i];
  }
}
