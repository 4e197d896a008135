/* exp, log and what is made of them, on vectors of lanes, without a call.

   Within 3 units in the last place of the value in the same precision; nan and inf go where they go
   in the scalar functions. Polynomials of exp were fitted with 40 digits (mpmath) to
   (exp(r) - 1 - r) / r^2; that of log is fdlibm's (e_log.c), in float musl's (logf.c). */

#if ON_DEVICE /* where each thread has one lane, the device's own functions are best */
LANEWISE(exponential, R(exp))
LANEWISE(exp_minus_one, R(expm1))
LANEWISE(logarithm, R(log))
LANEWISE(log_of_one_plus, R(log1p))
LANEWISE(hyperbolic_tangent, R(tanh))
#else
#if REAL_IS_FLOAT
#define MANTISSA 23
#define BIAS 127
#define EXP_MOST 89.f   /* past these exp is inf, and 0 */
#define EXP_LEAST -104.f
#define EXPM1_LEAST -40.f /* from here down exp(x) - 1 is -1 */
#define LN2_HIGH 0x1.62e4p-1f
#define LN2_LOW 0x1.7f7d1cf79abc9p-20f
static const real EXP_TERMS[] = {0.00019891030654370327738f, 0.0013933685862617173589f,
  0.0083333108895820771937f, 0.041666464602026541557f, 0.16666666681659179129f, 0.5f};
static const real LOG_TERMS[] = {0xf89e26.0p-26f, 0x91e9ee.0p-25f, 0xccce13.0p-25f, 0xaaaaaa.0p-24f};
#define LOG_LN2_HIGH 6.9313812256e-01f
#define LOG_LN2_LOW 9.0580006145e-06f
#define ROOT_HALF_BITS 0x3f3504f3
#define SMALLEST 0x1p-126f
#else
#define MANTISSA 52
#define BIAS 1023
#define EXP_MOST 710.
#define EXP_LEAST -746.
#define EXPM1_LEAST -60.
#define LN2_HIGH 6.93147180369123816490e-01
#define LN2_LOW 1.90821492927058770002e-10
static const real EXP_TERMS[] = {2.0914717341716375952e-9, 2.5105259538448493419e-8,
  2.7557273570102139673e-7, 2.7557255297969644392e-6, 2.4801587325605322782e-5,
  0.00019841269874901259234, 0.0013888888888883731828, 0.0083333333333261120526,
  0.041666666666666669767, 0.16666666666666671008, 0.5};
static const real LOG_TERMS[] = {1.479819860511658591e-01, 1.531383769920937332e-01,
  1.818357216161805012e-01, 2.222219843214978396e-01, 2.857142874366239149e-01,
  3.999999999940941908e-01, 6.666666666666735130e-01};
#define LOG_LN2_HIGH LN2_HIGH
#define LOG_LN2_LOW LN2_LOW
#define ROOT_HALF_BITS 0x3fe6a09e667f3bcdLL
#define SMALLEST 0x1p-1022
#endif

#define POLYNOMIAL(terms, x) polynomial(terms, sizeof(terms) / sizeof(real), x)

/* From the highest coefficient down. */
INLINE vec polynomial(const real *terms, int count, vec x) {
  vec sum = terms[0] - ZERO(vec);
  for (int i = 1; i < count; i++) sum = sum * x + terms[i];
  return sum;
}

INLINE vec power_of_two(ivec n) { return (vec)((n + BIAS) << MANTISSA); }

/* exp(x) = 2^whole (1 + q), |log(1 + q)| <= log(2) / 2; n is whole as well. */
INLINE vec reduced_exp(vec x, vec *whole, ivec *n) {
  const real shift = (real)(1.5 * ((int64_t)1 << MANTISSA));
  vec shifted = x * (real)1.4426950408889634074 + shift;
  *whole = shifted - shift;
  *n = (ivec)shifted - (ivec)(shift - ZERO(vec));
  vec r = x - *whole * LN2_HIGH;
  r = r - *whole * LN2_LOW;
  return r + r * r * POLYNOMIAL(EXP_TERMS, r);
}

INLINE vec exponential(vec x) {
  vec whole;
  ivec n;
  x = greater(EXP_LEAST - ZERO(vec), lesser(EXP_MOST - ZERO(vec), x));
  vec q = reduced_exp(x, &whole, &n);
#if HAS_AVX512
  return AVX512(scalef, 1 + q, whole);
#else
  /* In two steps, since 2^n alone can be too large or too small. */
  ivec half = n >> 1;
  return (1 + q) * power_of_two(half) * power_of_two(n - half);
#endif
}

INLINE vec exp_minus_one(vec x) {
  vec y = greater(EXPM1_LEAST - ZERO(vec), lesser(EXP_MOST - ZERO(vec), x)), whole;
  ivec n;
  vec q = reduced_exp(y, &whole, &n);
  /* 2^n can be too large by one factor of two; 0 comes out without its sign. */
  vec scale = power_of_two(n - 1);
  vec result = 2 * (scale * q + (scale - (real)0.5));
  return choose(n == 0, q, result);
}

INLINE vec logarithm(vec x) {
  ivec tiny = x < SMALLEST;
  vec scaled = choose(tiny, x * (real)((int64_t)1 << MANTISSA), x);
  ivec bits = (ivec)scaled - ROOT_HALF_BITS;
  ivec n = (bits >> MANTISSA) - (tiny & MANTISSA);
  vec m = (vec)((bits & (((narrow_int)1 << MANTISSA) - 1)) + ROOT_HALF_BITS);
  vec f = m - 1, s = f / (2 + f), z = s * s, half = f * f / 2;
  vec k = __builtin_convertvector(n, vec);
  vec r = z * POLYNOMIAL(LOG_TERMS, z);
  vec result = s * (half + r) + k * LOG_LN2_LOW - half + f + k * LOG_LN2_HIGH;
  result = choose((x < INFINITY) & (x > 0), result, x - (real)INFINITY + (real)INFINITY);
  result = choose(x == INFINITY, x, result);
  return choose(x == 0, -(real)INFINITY - ZERO(vec), result);
}

INLINE vec log_of_one_plus(vec x) {
  vec u = 1 + x, lost = (x - (u - 1)) / u;
  return logarithm(u) + choose((u > 0) & (u < INFINITY), lost, ZERO(vec));
}

INLINE vec hyperbolic_tangent(vec x) {
  vec t = exp_minus_one(-2 * magnitude(x));
  vec size = -t / (t + 2);
  return choose(x < 0, -size, choose(x == 0, x, size));
}
#endif
