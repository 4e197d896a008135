/* Random numbers of chains, as sample/streams.py makes them: pure functions of a key, a place, an
   iteration, a purpose and a chain.

   Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011): four words of 32 bits for each counter. A word
   w is the uniform number (w + 1/2) 2^-32; Box and Muller (1958) turn four of them into four normal
   variates, of columns 4 place to 4 place + 3: the cosines of both pairs, then their sines. */

/* Compiled once, however often it is called: what it does outweighs a call, and the compiler's time
   does count. */
#if ON_DEVICE /* there registers are not saved for a call */
#define APART static
#else
#define APART static __attribute__((noinline))
#endif

#define EACH_LANE _Pragma("GCC unroll 1") for (int l = 0; l < LANES; l++)

typedef struct {
  uint32_t low, high; /* the two words of the key */
} key;

/* A vector of words at a time: as many as a block has lanes. */
static inline void make_words(key k, uint32_t place, uint32_t iteration, uint32_t purpose,
                              const uint32_t *restrict chain, uint32_t (*restrict words)[LANES]) {
  EACH_LANE {
    uint32_t c0 = place, c1 = iteration, c2 = purpose, c3 = chain[l];
    uint32_t k0 = k.low, k1 = k.high;
#pragma GCC unroll 10
    for (int round = 0; round < 10; round++) {
      uint64_t first = (uint64_t)c0 * 0xD2511F53u, second = (uint64_t)c2 * 0xCD9E8D57u;
      c0 = (uint32_t)(second >> 32) ^ c1 ^ k0;
      c2 = (uint32_t)(first >> 32) ^ c3 ^ k1;
      c1 = (uint32_t)second;
      c3 = (uint32_t)first;
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    words[0][l] = c0;
    words[1][l] = c1;
    words[2][l] = c2;
    words[3][l] = c3;
  }
}

static inline double as_uniform(uint32_t word) { return ((double)word + 0.5) * 0x1p-32; }

#if REAL_IS_FLOAT
/* In float the words are taken apart as whole numbers, so that no digit is lost where a uniform
   number is near 1 or an angle near a multiple of a right one.

   Polynomials: Cephes (Moshier), logf.c and sinf.c. */
static inline float radius_of(uint32_t word) {
  /* u = (w + 1/2) 2^-32, and v = 1 - u, each with all digits of a float. */
  float u = ((float)(int32_t)(word >> 8) + (float)(int32_t)(word & 255u) * 0x1p-8f + 0x1p-9f);
  uint32_t rest = ~word;
  float v = ((float)(int32_t)(rest >> 8) + (float)(int32_t)(rest & 255u) * 0x1p-8f + 0x1p-9f);
  u *= 0x1p-24f;
  v *= 0x1p-24f;
  union { float f; uint32_t i; } bits = {u};
  /* u = m 2^e with m in [sqrt(1/2), sqrt(2)) */
  uint32_t shifted = bits.i - 0x3f3504f3u;
  int32_t e = (int32_t)shifted >> 23;
  bits.i = (shifted & 0x007fffffu) + 0x3f3504f3u;
  float f = e == 0 ? -v : bits.f - 1.0f;
  float z = f * f;
  float y = 7.0376836292e-2f;
  y = y * f - 1.1514610310e-1f;
  y = y * f + 1.1676998740e-1f;
  y = y * f - 1.2420140846e-1f;
  y = y * f + 1.4249322787e-1f;
  y = y * f - 1.6668057665e-1f;
  y = y * f + 2.0000714765e-1f;
  y = y * f - 2.4999993993e-1f;
  y = y * f + 3.3333331174e-1f;
  y = y * f * z;
  float n = (float)e;
  y += n * -2.12194440e-4f;
  y -= 0.5f * z;
  float log_u = (f + y) + n * 0.693359375f;
  return sqrtf(-2.0f * log_u);
}

/* cos and sin of 2 pi u: the nearest multiple of a right angle is taken off in whole numbers. */
static inline void angle_of(uint32_t word, float *cosine, float *sine) {
  uint32_t turned = word + 0x20000000u;
  uint32_t quadrant = turned >> 30;
  int32_t rest = (int32_t)(turned & 0x3fffffffu) - 0x20000000; /* of 2^32 a turn, in +- an eighth */
  /* (rest + 1/2) 2 pi 2^-32 */
  float t = ((float)rest + 0.5f) * 1.46291807926715968e-9f;
  float z = t * t;
  float s = ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f) * z * t + t;
  float c = ((2.443315711809948e-5f * z - 1.388731625493765e-3f) * z + 4.166664568298827e-2f) * z * z
            - 0.5f * z + 1.0f;
  float a = quadrant & 1 ? s : c, b = quadrant & 1 ? c : s;
  *cosine = (quadrant + 1) & 2 ? -a : a;
  *sine = quadrant & 2 ? -b : b;
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
    for (int pair = 0; pair < 2 && pair < left; pair++) {
      make_radius(words[2 * pair], radius);
      make_angle(words[2 * pair + 1], c, s);
      EACH_LANE z[column + pair][l] = radius[l] * c[l];
      if (pair + 2 < left) EACH_LANE z[column + pair + 2][l] = radius[l] * s[l];
    }
  }
}
