/* exp and log of vectors, as straight lines: without a call, whose cost is the registers that do not
   survive it, and without the slow path that libmvec takes as soon as one lane is far out, as most
   are in a mixture far from some of its parts.

   nan, infinities, zeros and subnormal numbers as in the scalar functions; within 2 units in the
   last place. In float: Cephes (Moshier), expf.c and logf.c. In double: the Taylor series of exp to
   the 13th power, whose rest is 4e-18 where |x| < log(2) / 2, and fdlibm (Sun), e_log.c. */

#if REAL_IS_FLOAT
typedef uint32_t bits_of_real;
#define FRACTION_BITS 23
#define EXPONENT_BIAS 127
#define ROUNDING 0x1.8p23f /* adding it leaves the nearest whole number in the lowest bits */
#define EXP_LEAST -104.0f  /* exp is 0 from there down */
#define EXP_LARGEST 89.0f  /* exp is infinite from there up */
#define LOG_2_HIGH 0.693359375f
#define LOG_2_LOW -2.12194440e-4f
#define LEAST_NORMAL 0x1p-126f
#define ROOT_OF_HALF 0x3f3504f3u
#else
typedef uint64_t bits_of_real;
#define FRACTION_BITS 52
#define EXPONENT_BIAS 1023
#define ROUNDING 0x1.8p52
#define EXP_LEAST -746.0
#define EXP_LARGEST 710.0
#define LOG_2_HIGH 6.93147180369123816490e-01
#define LOG_2_LOW 1.90821492927058770002e-10
#define LEAST_NORMAL 0x1p-1022
#define ROOT_OF_HALF 0x3fe6a09e667f3bcdu
#endif

typedef bits_of_real bits __attribute__((vector_size(LANES * sizeof(real)), may_alias));

INLINE vec exponential(vec x) {
  x = choose(x < splat(EXP_LEAST), splat(EXP_LEAST), x);
  x = choose(x > splat(EXP_LARGEST), splat(EXP_LARGEST), x);
  vec shifted = x * splat((real)1.4426950408889634) + splat(ROUNDING);
  vec n = shifted - splat(ROUNDING);
  ivec whole = (ivec)shifted - (ivec)splat(ROUNDING);
#if REAL_IS_FLOAT
  vec f = (x - n * splat(LOG_2_HIGH)) - n * splat(LOG_2_LOW), y = splat(1.9875691500e-4f);
  y = y * f + splat(1.3981999507e-3f);
  y = y * f + splat(8.3334519073e-3f);
  y = y * f + splat(4.1665795894e-2f);
  y = y * f + splat(1.6666665459e-1f);
  y = y * f + splat(5.0000001201e-1f);
  y = y * (f * f) + f + splat(1.0f);
#else
  vec f = (x - n * splat(LOG_2_HIGH)) - n * splat(LOG_2_LOW), y = splat(1.0 / 6227020800);
  y = y * f + splat(1.0 / 479001600);
  y = y * f + splat(1.0 / 39916800);
  y = y * f + splat(1.0 / 3628800);
  y = y * f + splat(1.0 / 362880);
  y = y * f + splat(1.0 / 40320);
  y = y * f + splat(1.0 / 5040);
  y = y * f + splat(1.0 / 720);
  y = y * f + splat(1.0 / 120);
  y = y * f + splat(1.0 / 24);
  y = y * f + splat(1.0 / 6);
  y = y * f + splat(0.5);
  y = y * (f * f) + f + splat(1.0);
#endif
  /* 2^n in two factors, each of which is a normal number. */
  ivec half = whole >> 1, rest = whole - half;
  vec first = (vec)((bits)(half + EXPONENT_BIAS) << FRACTION_BITS);
  vec second = (vec)((bits)(rest + EXPONENT_BIAS) << FRACTION_BITS);
  return y * first * second;
}

INLINE vec logarithm(vec x) {
  /* x = m 2^n with m in [sqrt(1/2), sqrt(2)) */
  ivec subnormal = x < splat(LEAST_NORMAL);
  vec normal = choose(subnormal, x * splat((real)(1ull << FRACTION_BITS)), x);
  bits above = (bits)normal - ROOT_OF_HALF;
  ivec whole = (ivec)above >> FRACTION_BITS;
  bits fraction = above & (((bits_of_real)1 << FRACTION_BITS) - 1);
  vec f = (vec)(fraction + ROOT_OF_HALF) - splat(1);
  whole -= subnormal & FRACTION_BITS;
  vec n = __builtin_convertvector(whole, vec);
#if REAL_IS_FLOAT
  vec z = f * f, y = splat(7.0376836292e-2f);
  y = y * f - splat(1.1514610310e-1f);
  y = y * f + splat(1.1676998740e-1f);
  y = y * f - splat(1.2420140846e-1f);
  y = y * f + splat(1.4249322787e-1f);
  y = y * f - splat(1.6668057665e-1f);
  y = y * f + splat(2.0000714765e-1f);
  y = y * f - splat(2.4999993993e-1f);
  y = y * f + splat(3.3333331174e-1f);
  y = y * f * z + n * splat(LOG_2_LOW) - splat(0.5f) * z;
  vec out = (f + y) + n * splat(LOG_2_HIGH);
#else
  vec half = splat(0.5) * f * f, s = f / (splat(2) + f), z = s * s;
  vec y = splat(1.479819860511658591e-01);
  y = y * z + splat(1.531383769920937332e-01);
  y = y * z + splat(1.818357216161805012e-01);
  y = y * z + splat(2.222219843214978396e-01);
  y = y * z + splat(2.857142874366239149e-01);
  y = y * z + splat(3.999999999940941908e-01);
  y = y * z + splat(6.666666666666735130e-01);
  y = s * (half + y * z) + n * splat(LOG_2_LOW);
  vec out = n * splat(LOG_2_HIGH) - ((half - y) - f);
#endif
  out = choose(x == splat(0), splat(-INFINITY), out);
  out = choose(x == splat(INFINITY), x, out);
  return choose((x < splat(0)) | (x != x), splat(NAN), out);
}
