/* What stands in front of the prelude where the text is compiled for a CUDA device, as C++: what its
   compiler lacks of C, and vectors of one lane. A thread is a chain, and a block of chains is one of
   them, so that all text for blocks of chains serves as it is.

   On a machine without a device the same text can be compiled by a C++ compiler of the host. */

#ifdef __CUDACC_RTC__
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long long int64_t;
typedef unsigned long long uint64_t;
typedef unsigned char uint8_t;
#define INFINITY __int_as_float(0x7f800000)
#define NAN __int_as_float(0x7fffffff)
#define M_PI 3.14159265358979323846
#define __builtin_popcountll __popcll
#define __builtin_ctzll(n) (__ffsll((long long)(n)) - 1)
#else
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#endif
#define restrict __restrict__

template <typename T> struct one {
  T v;
  T &operator[](int64_t) { return v; }
  const T &operator[](int64_t) const { return v; }
};

/* Truth values are 0 or -1 and as wide as what is compared, as those of vectors are. */
template <typename T> struct mask_of { typedef T type; };
template <> struct mask_of<float> { typedef int32_t type; };
template <> struct mask_of<double> { typedef int64_t type; };
#define MASK one<typename mask_of<T>::type>

#define ONE_OPERATOR(op)                                          \
  template <typename T>                                           \
  static inline one<T> operator op(one<T> a, one<T> b) {          \
    return {T(a.v op b.v)};                                       \
  }                                                               \
  template <typename T, typename S>                               \
  static inline one<T> operator op(one<T> a, S b) {               \
    return {T(a.v op T(b))};                                      \
  }                                                               \
  template <typename T, typename S>                               \
  static inline one<T> operator op(S a, one<T> b) {               \
    return {T(T(a) op b.v)};                                      \
  }                                                               \
  template <typename T, typename S>                               \
  static inline one<T> &operator op##=(one<T> &a, S b) {          \
    return a = a op b;                                            \
  }
#define ONE_COMPARISON(op)                                        \
  template <typename T>                                           \
  static inline MASK operator op(one<T> a, one<T> b) {            \
    return {-(a.v op b.v)};                                       \
  }                                                               \
  template <typename T, typename S>                               \
  static inline MASK operator op(one<T> a, S b) {                 \
    return {-(a.v op T(b))};                                      \
  }                                                               \
  template <typename T, typename S>                               \
  static inline MASK operator op(S a, one<T> b) {                 \
    return {-(T(a) op b.v)};                                      \
  }
ONE_OPERATOR(+)
ONE_OPERATOR(-)
ONE_OPERATOR(*)
ONE_OPERATOR(/)
ONE_OPERATOR(&)
ONE_OPERATOR(|)
ONE_OPERATOR(^)
ONE_COMPARISON(<)
ONE_COMPARISON(<=)
ONE_COMPARISON(>)
ONE_COMPARISON(>=)
ONE_COMPARISON(==)
ONE_COMPARISON(!=)
template <typename T> static inline one<T> operator-(one<T> a) { return {-a.v}; }
template <typename T> static inline one<T> operator~(one<T> a) { return {~a.v}; }

#define ZERO(type) type()
