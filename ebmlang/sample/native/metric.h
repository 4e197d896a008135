/* Which chains a block holds, and what a metric does to vectors of them. */

/* Where a block of chains is in the tables of a flight. */
typedef struct {
  int64_t first, count; /* its chains */
  int64_t metric, warp; /* their group in each; of a diagonal metric each lane has its own */
} place;

enum { DIAGONAL, DENSE, LOW_RANK };

/* out = L^T g, or L g: `across` is how far the elements of a row of L, or of L^T, lie apart. */
static inline void multiply_dense(const real *factor, int64_t down, int64_t across,
                                  const vec *restrict g, vec *restrict out) {
  for (int64_t i = 0; i < DIM; i++) {
    vec sum = {};
    for (int64_t j = 0; j < DIM; j++) sum += factor[i * down + j * across] * g[j];
    out[i] = sum;
  }
}

/* out = out + V (S - I) V^T out */
static inline void stretch(const real *directions, const real *factors, int64_t rank,
                           vec *restrict out, vec *restrict along) {
  for (int64_t k = 0; k < rank; k++) {
    vec sum = {};
    for (int64_t i = 0; i < DIM; i++) sum += directions[i * rank + k] * out[i];
    along[k] = sum * (factors[k] - 1);
  }
  for (int64_t i = 0; i < DIM; i++)
    for (int64_t k = 0; k < rank; k++) out[i] += directions[i * rank + k] * along[k];
}
