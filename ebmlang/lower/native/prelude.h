/* What every translation unit begins with.

   REAL_IS_FLOAT is defined before it: 1 for float, 0 for double. A block of chains is LANES wide,
   lane last, so that the compiler turns loops over lanes into vector instructions. Nothing here
   gives up IEEE arithmetic: nan and inf go where they go in torch. */

#include <math.h>
#include <stdint.h>
#include <string.h>

#if REAL_IS_FLOAT
typedef float real;
#define LANES 16 /* one vector of 64 bytes */
#define R(name) name##f
#define REAL_EPS 0x1p-23f
#else
typedef double real;
#define LANES 8
#define R(name) name
#define REAL_EPS 0x1p-52
#endif

/* Arrays of lanes begin at multiples of a vector. */
#define ALIGNED __attribute__((aligned(64)))

typedef struct {
  const void *const *shared; /* arrays known before the unknowns, contiguous, in C order */
  const real *const *rows;   /* data by row, for this block: [elements][LANES] */
} inputs;

/* glibc has vector forms of these, within 4 units in the last place, with nan and inf as in the
   scalar ones; gcc takes them outside of -ffast-math only where they are declared so. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
#define VECTOR_FORM(name)                                                    \
  __attribute__((__simd__("notinbranch"))) extern double name(double);       \
  __attribute__((__simd__("notinbranch"))) extern float name##f(float);
VECTOR_FORM(exp)
VECTOR_FORM(log)
VECTOR_FORM(sin)
VECTOR_FORM(cos)
__attribute__((__simd__("notinbranch"))) extern double pow(double, double);
__attribute__((__simd__("notinbranch"))) extern float powf(float, float);
#if __GLIBC_PREREQ(2, 35)
VECTOR_FORM(acos)
VECTOR_FORM(asin)
VECTOR_FORM(atan)
VECTOR_FORM(cosh)
VECTOR_FORM(erf)
VECTOR_FORM(erfc)
VECTOR_FORM(expm1)
VECTOR_FORM(log1p)
VECTOR_FORM(sinh)
VECTOR_FORM(tan)
VECTOR_FORM(tanh)
__attribute__((__simd__("notinbranch"))) extern double atan2(double, double);
__attribute__((__simd__("notinbranch"))) extern float atan2f(float, float);
#endif
#endif
