/* A sampler's coordinates to the written ones, piece by piece, as spaces/bijection.py has it: the
   map, the log of its volume, and the way back of a gradient.

   Source of the simplex: Egozcue et al., Isometric logratio transformations (2003). */

enum { FIXED, FREE, ABOVE, BELOW, BETWEEN, ORDERED, SIMPLEX };

typedef struct {
  int64_t kind, count, size; /* elements, and numbers of each */
  int64_t start;             /* the first of its columns of q */
  int64_t bounded;           /* where its bounds begin, one pair for each number */
  int64_t contrasts;         /* where its matrix [size][size - 1] begins */
} piece;

static inline void sigmoids(const vec *restrict q, real *restrict s, real *restrict both) {
  const real *v = (const real *)q;
  real e[LANES] ALIGNED, small[LANES] ALIGNED;
  EACH_LANE e[l] = R(exp)(-R(fabs)(v[l]));
  EACH_LANE small[l] = R(log1p)(e[l]);
  /* log sigmoid(q) + log sigmoid(-q) */
  EACH_LANE both[l] = -R(fabs)(v[l]) - 2 * small[l];
  EACH_LANE s[l] = (v[l] < 0 ? e[l] : 1) / (1 + e[l]);
}

static inline vec clamp(vec v, real low, real high) {
  real *at = (real *)&v;
  EACH_LANE at[l] = at[l] < low ? low : at[l] > high ? high : at[l];
  return v;
}

/* Return log |dx / dq|. */
APART vec go_to_written(const piece *pieces, int64_t many, const int64_t *columns,
                           const real *bounds, const real *contrasts, const vec *restrict q,
                           vec *restrict x) {
  vec total = {};
  for (const piece *p = pieces; p < pieces + many; p++) {
    const vec *free = q + p->start;
    for (int64_t e = 0; e < p->count; e++) {
      const int64_t *to = columns + e * p->size;
      const real *bound = bounds + p->bounded + 2 * e * p->size;
      vec sum = {}, top = splat(-INFINITY);
      switch (p->kind) {
      case FIXED:
        for (int64_t i = 0; i < p->size; i++) x[to[i]] = splat(bound[2 * i]);
        break;
      case FREE:
        for (int64_t i = 0; i < p->size; i++) x[to[i]] = *free++;
        break;
      case ABOVE:
      case BELOW:
        for (int64_t i = 0; i < p->size; i++, free++) {
          vec grown = exponential(*free);
          x[to[i]] = p->kind == ABOVE ? bound[2 * i] + grown : bound[2 * i + 1] - grown;
          total += *free;
        }
        break;
      case BETWEEN:
        for (int64_t i = 0; i < p->size; i++, free++) {
          vec share, both;
          real low = bound[2 * i], high = bound[2 * i + 1], width = high - low;
          sigmoids(free, (real *)&share, (real *)&both);
          /* Rounding may pass a bound by one unit in the last place. */
          x[to[i]] = clamp(low + width * share, low, high);
          total += R(log)(width) + both;
        }
        break;
      case ORDERED:
        x[to[0]] = *free++;
        for (int64_t i = 1; i < p->size; i++, free++) {
          x[to[i]] = x[to[i - 1]] + exponential(*free);
          total += *free;
        }
        break;
      case SIMPLEX:
        for (int64_t i = 0; i < p->size; i++) {
          vec y = {};
          for (int64_t j = 0; j < p->size - 1; j++)
            y += contrasts[p->contrasts + i * (p->size - 1) + j] * free[j];
          x[to[i]] = y;
          top = larger(top, y);
        }
        for (int64_t i = 0; i < p->size; i++) {
          vec shifted = x[to[i]] - top;
          sum += exponential(shifted);
        }
        top += logarithm(sum);
        for (int64_t i = 0; i < p->size; i++) {
          vec log_share = x[to[i]] - top;
          total += log_share;
          x[to[i]] = exponential(log_share);
        }
        total += R(log)((real)p->size) / 2;
        free += p->size - 1;
        break;
      }
    }
    columns += p->count * p->size;
  }
  return total;
}

/* The gradient of E - log |dx / dq| by q, of that of E by x. */
APART void pull_to_free(const piece *pieces, int64_t many, const int64_t *columns,
                         const real *bounds, const real *contrasts, const vec *restrict q,
                         const vec *restrict x, const vec *restrict by_x,
                         vec *restrict by_q) {
  for (const piece *p = pieces; p < pieces + many; p++) {
    const vec *free = q + p->start;
    vec *out = by_q + p->start;
    for (int64_t e = 0; e < p->count; e++) {
      const int64_t *to = columns + e * p->size;
      const real *bound = bounds + p->bounded + 2 * e * p->size;
      vec sum = {};
      switch (p->kind) {
      case FIXED:
        break;
      case FREE:
        for (int64_t i = 0; i < p->size; i++) *out++ = by_x[to[i]];
        break;
      case ABOVE:
      case BELOW:
        for (int64_t i = 0; i < p->size; i++, free++) {
          vec grown = exponential(*free) * by_x[to[i]];
          *out++ = (p->kind == ABOVE ? grown : -grown) - 1;
        }
        break;
      case BETWEEN:
        for (int64_t i = 0; i < p->size; i++, free++) {
          vec share, both;
          sigmoids(free, (real *)&share, (real *)&both);
          real width = bound[2 * i + 1] - bound[2 * i];
          *out++ = by_x[to[i]] * width * share * (1 - share) + (2 * share - 1);
        }
        break;
      case ORDERED:
        for (int64_t i = p->size - 1; i > 0; i--) {
          sum += by_x[to[i]];
          out[i] = sum * exponential(free[i]) - 1;
        }
        out[0] = sum + by_x[to[0]];
        free += p->size, out += p->size;
        break;
      case SIMPLEX:
        for (int64_t i = 0; i < p->size; i++) sum += by_x[to[i]] * x[to[i]] - 1;
        for (int64_t j = 0; j < p->size - 1; j++) {
          vec slope = {};
          for (int64_t i = 0; i < p->size; i++)
            slope += contrasts[p->contrasts + i * (p->size - 1) + j] *
                     (by_x[to[i]] * x[to[i]] - 1 - x[to[i]] * sum);
          out[j] = slope;
        }
        free += p->size - 1, out += p->size - 1;
        break;
      }
    }
    columns += p->count * p->size;
  }
}
