/* Random numbers of chains, as sample/streams.py makes them: pure functions of a key, a place, an
   iteration, a purpose and a chain.

   Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011): four words of 32 bits for each counter. A word
   w is the uniform number (w + 1/2) 2^-32; Box and Muller (1958) turn each two of them into two normal
   variates, one by the cosine and one by the sine: of columns 4 place to 4 place + 3. */

/* Compiled once, however often it is called: what it does outweighs a call, and the compiler's time
   does count. */
#if ON_DEVICE /* there registers are not saved for a call */
#define APART static
#else
#define APART static __attribute__((noinline))
#endif

#define EACH_LANE _Pragma("GCC unroll 1") for (int l = 0; l < LANES; l++)
#define EACH_BLOCK for (int w = 0; w < BLOCKS; w++)

typedef struct {
  uint32_t low, high; /* the two words of the key */
} key;

/* Numbers of 32 bits in the low halves of 64, so that products need not be spread and packed: of every
   other lane. What stands in the high halves is of no meaning. */
#if ON_DEVICE
typedef uint64_t low_halves;
#else
typedef uint64_t low_halves __attribute__((vector_size(LANES * sizeof(uint32_t)), may_alias));
#endif

/* Whole products of the low halves. */
INLINE low_halves multiply_low(low_halves a, uint32_t b) {
#if HAS_AVX512
  typedef int words __attribute__((vector_size(sizeof(low_halves))));
  typedef long long products __attribute__((vector_size(sizeof(low_halves))));
  words other = (words)(b + ZERO(low_halves));
#if REAL_IS_FLOAT
  return (low_halves)__builtin_ia32_pmuludq512_mask((words)a, other, ZERO(products), -1);
#else
  return (low_halves)__builtin_ia32_pmuludq256((words)a, other);
#endif
#else
  return (a & 0xFFFFFFFFu) * (uint64_t)b;
#endif
}

/* The words of a counter of which only the last number, the chain, differs from lane to lane: until it
   has come to the others, in the third round, they are found once for all. */
INLINE void find_words(key k, uint32_t place, uint32_t iteration, uint32_t purpose,
                       low_halves chain, low_halves *words) {
  const uint32_t by_first = 0xD2511F53u, by_second = 0xCD9E8D57u;
  const uint32_t more_low = 0x9E3779B9u, more_high = 0xBB67AE85u;
  uint32_t k0 = k.low, k1 = k.high;
  uint64_t first = (uint64_t)place * by_first, second = (uint64_t)purpose * by_second;
  uint32_t a0 = (uint32_t)(second >> 32) ^ iteration ^ k0, a1 = (uint32_t)second;
  uint32_t a3 = (uint32_t)first;
  low_halves b2 = chain ^ (uint64_t)((uint32_t)(first >> 32) ^ k1);
  k0 += more_low, k1 += more_high;
  first = (uint64_t)a0 * by_first;
  low_halves c1 = multiply_low(b2, by_second), c0 = (c1 >> 32) ^ (uint64_t)(a1 ^ k0);
  uint32_t a2 = (uint32_t)(first >> 32) ^ a3 ^ k1;
  a3 = (uint32_t)first;
  k0 += more_low, k1 += more_high;
  second = (uint64_t)a2 * by_second;
  low_halves c3 = multiply_low(c0, by_first), c2 = (c3 >> 32) ^ (uint64_t)(a3 ^ k1);
  c0 = c1 ^ (uint64_t)((uint32_t)(second >> 32) ^ k0);
  c1 = second + (c1 ^ c1);
#pragma GCC unroll 7
  for (int round = 3; round < 10; round++) {
    k0 += more_low, k1 += more_high;
    low_halves wide_first = multiply_low(c0, by_first), wide_second = multiply_low(c2, by_second);
    c0 = (wide_second >> 32) ^ c1 ^ (uint64_t)k0;
    c2 = (wide_first >> 32) ^ c3 ^ (uint64_t)k1;
    c1 = wide_second;
    c3 = wide_first;
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
}

/* A vector of words at a time: as many as a block has lanes. */
static inline void make_words(key k, uint32_t place, uint32_t iteration, uint32_t purpose,
                              const uint32_t *restrict chain, uint32_t (*restrict words)[LANES]) {
#if ON_DEVICE
  low_halves found[4];
  find_words(k, place, iteration, purpose, chain[0], found);
  for (int i = 0; i < 4; i++) words[i][0] = (uint32_t)found[i];
#else
  low_halves chains = *(const low_halves *)chain, even[4], odd[4];
  find_words(k, place, iteration, purpose, chains, even);
  find_words(k, place, iteration, purpose, chains >> 32, odd);
  for (int i = 0; i < 4; i++)
    *(low_halves *)words[i] = (even[i] & 0xFFFFFFFFu) ^ (odd[i] << 32);
#endif
}

static inline double as_uniform(uint32_t word) { return ((double)word + 0.5) * 0x1p-32; }

#if REAL_IS_FLOAT
/* In float the words are taken apart as whole numbers, so that no digit is lost where a uniform
   number is near 1 or an angle near a multiple of a right one.

   Polynomial of the logarithm: Cephes (Moshier), logf.c. */
static inline float radius_of(uint32_t word) {
  /* u = (w + 1/2) 2^-32, and v = 1 - u, each with all digits of a float. */
  float u = (float)word * 0x1p-32f + 0x1p-33f, v = (float)~word * 0x1p-32f + 0x1p-33f;
  union { float f; uint32_t i; } bits = {u};
  /* u = m 2^e with m in [sqrt(1/2), sqrt(2)) */
  uint32_t shifted = bits.i - 0x3f3504f3u;
  int32_t e = (int32_t)shifted >> 23;
  bits.i = (shifted & 0x007fffffu) + 0x3f3504f3u;
  float f = e == 0 ? -v : bits.f - 1.0f;
  /* -2 log u, since that is what is asked for: twice is exact. */
  float z = f * f;
  float y = -1.40753672584e-1f;
  y = y * f + 2.3029220920e-1f;
  y = y * f - 2.3353997480e-1f;
  y = y * f + 2.4840281692e-1f;
  y = y * f - 2.8498644574e-1f;
  y = y * f + 3.3336115330e-1f;
  y = y * f - 4.0001429530e-1f;
  y = y * f + 4.9999987986e-1f;
  y = y * f - 6.6666662348e-1f;
  y = y * f * z;
  float n = (float)e;
  y += n * 4.24388880e-4f;
  y += z;
  return sqrtf((y - 2.0f * f) - n * 1.38671875f);
}

/* sin of (part + 1/2) 2 pi 2^-32, for angles up to a right one: t + t^3 p(t^2) with p fitted with 40
   digits (mpmath), 6e-9 from the sine. */
static inline float sine_of(int32_t part) {
  float t = (float)part * 1.46291807926715968e-9f + 7.3145903963357984e-10f;
  float z = t * t;
  float p = 2.6057801371e-6f;
  p = p * z - 1.9809602631e-4f;
  p = p * z + 8.3330662414e-3f;
  p = p * z - 1.6666659550e-1f;
  return p * z * t + t;
}

/* cos and sin of 2 pi u. A word as a number with a sign is an angle from -pi up to pi; what is beyond
   a right one is taken from a straight one, in whole numbers. */
static inline void angle_of(uint32_t word, float *cosine, float *sine) {
  int32_t angle = (int32_t)word, size = angle ^ (angle >> 31);
  int32_t beyond = (int32_t)(word + 0x40000000u) >> 31;
  *cosine = sine_of(0x3fffffff - size);
  *sine = sine_of(angle ^ (beyond & 0x7fffffff));
}

static inline void make_radius(const uint32_t *restrict word, float *restrict radius) {
  EACH_LANE radius[l] = radius_of(word[l]);
}

static inline void make_angle(const uint32_t *restrict word, float *restrict c, float *restrict s) {
  EACH_LANE angle_of(word[l], &c[l], &s[l]);
}
#else
static inline void make_radius(const uint32_t *restrict word, double *restrict radius) {
  EACH_LANE radius[l] = log(as_uniform(word[l]));
  EACH_LANE radius[l] = sqrt(-2 * radius[l]);
}

/* One loop for each: gcc would make one call of sincos of both, which has no vector form. */
static inline void make_angle(const uint32_t *restrict word, double *restrict c, double *restrict s) {
  EACH_LANE c[l] = cos(6.283185307179586 * as_uniform(word[l]));
  EACH_LANE s[l] = sin(6.283185307179586 * as_uniform(word[l]));
}
#endif

/* Standard normal variates: [width][LANES]. */
APART void make_normal(key k, uint32_t iteration, uint32_t purpose,
                               const uint32_t *restrict chain, int width,
                               real (*restrict z)[LANES]) {
  uint32_t words[4][LANES] ALIGNED;
  real radius[LANES] ALIGNED, c[LANES] ALIGNED, s[LANES] ALIGNED;
  for (int place = 0; 4 * place < width; place++) {
    int column = 4 * place, left = width - column;
    make_words(k, place, iteration, purpose, chain, words);
    for (int pair = 0; pair < 2 && 2 * pair < left; pair++) {
      real(*out)[LANES] = z + column + 2 * pair;
      make_radius(words[2 * pair], radius);
      make_angle(words[2 * pair + 1], c, s);
      EACH_LANE out[0][l] = radius[l] * c[l];
      if (2 * pair + 1 < left) EACH_LANE out[1][l] = radius[l] * s[l];
    }
  }
}
