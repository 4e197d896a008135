/* Values of all lanes of a block as one vector, and the functions that emitted code calls on them.

   A vec holds reals, an lvec whole numbers, an ivec truth values (0 or -1, as wide as a real), each
   one for every lane. Branches are taken by selecting, since lanes differ. */

#if REAL_IS_FLOAT
typedef int32_t narrow_int;
#else
typedef int64_t narrow_int;
#endif
#if ON_DEVICE
typedef one<real> vec;
typedef one<narrow_int> ivec;
typedef one<int64_t> lvec;
#else
typedef real vec __attribute__((vector_size(LANES * sizeof(real)), may_alias));
typedef narrow_int ivec __attribute__((vector_size(LANES * sizeof(real)), may_alias));
typedef int64_t lvec __attribute__((vector_size(LANES * sizeof(int64_t)), may_alias));
#define ZERO(type) ((type){})
#endif

#define LEAST(a, b) ((a) < (b) ? (a) : (b))
#define INLINE static inline __attribute__((always_inline))

INLINE vec splat(real s) { return s - ZERO(vec); }
INLINE lvec splat_int(int64_t s) { return s + ZERO(lvec); }
INLINE ivec splat_count(int64_t s) { return (narrow_int)s + ZERO(ivec); }
INLINE ivec splat_bool(int s) { return -(s != 0) + ZERO(ivec); }

#if ON_DEVICE
INLINE vec to_real(lvec x) { return {(real)x.v}; }
INLINE vec count_to_real(ivec x) { return {(real)x.v}; }
INLINE lvec to_int(vec x) { return {(int64_t)x.v}; }
INLINE ivec narrow(lvec mask) { return {(narrow_int)mask.v}; }
INLINE lvec wide(ivec mask) { return {mask.v}; }
INLINE vec choose(ivec m, vec a, vec b) { return m.v ? a : b; }
INLINE vec magnitude(vec x) { return {R(fabs)(x.v)}; }
#else
INLINE vec to_real(lvec x) { return __builtin_convertvector(x, vec); }
INLINE vec count_to_real(ivec x) { return __builtin_convertvector(x, vec); }
INLINE lvec to_int(vec x) { return __builtin_convertvector(x, lvec); }
INLINE ivec narrow(lvec mask) { return __builtin_convertvector(mask, ivec); }
INLINE lvec wide(ivec mask) { return __builtin_convertvector(mask, lvec); }
/* The two have no bit in common: of ^ gcc makes one instruction, of | three. */
INLINE vec choose(ivec m, vec a, vec b) { return (vec)((m & (ivec)a) ^ (~m & (ivec)b)); }
INLINE vec magnitude(vec x) { return (vec)((ivec)x & ~(ivec)splat((real)-0.0)); }
#endif
INLINE ivec choose_bool(ivec m, ivec a, ivec b) { return (a & m) | (b & ~m); }
INLINE lvec choose_int(ivec m, lvec a, lvec b) { return (a & wide(m)) | (b & ~wide(m)); }

/* The functions of the prelude, lane by lane: gcc makes one call, or one instruction, of each loop. */
#define LANEWISE(name, function)                            \
  INLINE vec name(vec x) {                                  \
    union { vec v; real a[LANES]; } in = {x}, out;          \
    for (int l = 0; l < LANES; l++) out.a[l] = function(in.a[l]); \
    return out.v;                                           \
  }
#define LANEWISE_TWO(name, function)                                       \
  INLINE vec name(vec x, vec y) {                                          \
    union { vec v; real a[LANES]; } in = {x}, also = {y}, out;             \
    for (int l = 0; l < LANES; l++) out.a[l] = function(in.a[l], also.a[l]); \
    return out.v;                                                          \
  }
LANEWISE(root, R(sqrt))
LANEWISE(round_down, R(floor))
LANEWISE(sine, R(sin))
LANEWISE(cosine, R(cos))
LANEWISE(tangent, R(tan))
LANEWISE(arc_sine, R(asin))
LANEWISE(arc_cosine, R(acos))
LANEWISE(arc_tangent, R(atan))
LANEWISE_TWO(angle, R(atan2))
LANEWISE(hyperbolic_sine, R(sinh))
LANEWISE(hyperbolic_cosine, R(cosh))
LANEWISE(error_function, R(erf))
LANEWISE(log_gamma, R(lgamma))
LANEWISE_TWO(power, R(pow))
LANEWISE_TWO(remainder_of_division, R(fmod))

INLINE ivec is_nan(vec x) { return x != x; }
INLINE ivec is_finite(vec x) { return magnitude(x) < splat((real)INFINITY); }

/* What AVX-512 does in one instruction that gcc does not make of the general form. */
#if defined(__AVX512F__) && defined(__GNUC__) && !defined(__clang__) && !ON_DEVICE
#define HAS_AVX512 1
#if REAL_IS_FLOAT
#define AVX512(name, a, b) __builtin_ia32_##name##ps512_mask(a, b, ZERO(vec), -1, 4)
#else
#define AVX512(name, a, b) __builtin_ia32_##name##pd512_mask(a, b, ZERO(vec), -1, 4)
#endif
#else
#define HAS_AVX512 0
#endif

/* The lesser and the greater of two; where one is nan, it is the second, nan or not. */
#if HAS_AVX512
INLINE vec lesser(vec a, vec b) { return AVX512(min, a, b); }
INLINE vec greater(vec a, vec b) { return AVX512(max, a, b); }
#else
INLINE vec lesser(vec a, vec b) { return choose(a < b, a, b); }
INLINE vec greater(vec a, vec b) { return choose(a > b, a, b); }
#endif

INLINE int is_any(ivec mask) {
#if HAS_AVX512 && REAL_IS_FLOAT
  typedef int whole __attribute__((vector_size(sizeof(ivec))));
  return __builtin_ia32_ptestmd512((whole)mask, (whole)mask, -1) != 0;
#elif HAS_AVX512
  typedef long long whole __attribute__((vector_size(sizeof(ivec))));
  return __builtin_ia32_ptestmq512((whole)mask, (whole)mask, -1) != 0;
#else
  narrow_int any = 0, *at = (narrow_int *)&mask;
  for (int l = 0; l < LANES; l++) any |= at[l];
  return any != 0;
#endif
}

/* nan wins, as in torch. The second is often a constant, for which nothing is left to choose. */
INLINE vec smaller(vec a, vec b) { return choose(is_nan(b), b, lesser(b, a)); }
INLINE vec larger(vec a, vec b) { return choose(is_nan(b), b, greater(b, a)); }
INLINE vec at_least_zero(vec x) { return choose(x <= 0, ZERO(vec), x); }

INLINE lvec int_smaller(lvec a, lvec b) { lvec m = a < b; return (a & m) | (b & ~m); }
INLINE lvec int_larger(lvec a, lvec b) { lvec m = a > b; return (a & m) | (b & ~m); }
INLINE lvec int_magnitude(lvec x) { lvec m = x < 0; return (x ^ m) - m; }
INLINE lvec int_modulo(lvec a, lvec b) {
  lvec r;
  for (int l = 0; l < LANES; l++) {
    int64_t rest = b[l] ? a[l] % b[l] : 0;
    r[l] = rest && ((rest < 0) != (b[l] < 0)) ? rest + b[l] : rest;
  }
  return r;
}
INLINE lvec int_power(lvec a, lvec b) {
  lvec r;
  for (int l = 0; l < LANES; l++) {
    int64_t whole = 1, base = a[l];
    for (int64_t left = b[l]; left > 0; left >>= 1, base *= base)
      if (left & 1) whole *= base;
    r[l] = whole;
  }
  return r;
}

INLINE vec modulo(vec a, vec b) {
  vec rest = remainder_of_division(a, b);
  return choose((rest != 0) & ((rest < 0) != (b < 0)), rest + b, rest);
}
