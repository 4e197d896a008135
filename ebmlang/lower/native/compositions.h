/* Functions of the operator table that are made of the elementary ones. */

#define LOG_OF_2 ((real)0.6931471805599453094)

/* log(1 - exp(-x)); Maechler, Accurately computing log(1 - exp(-|a|)), equation 7. */
INLINE vec log_one_minus_exp(vec x) {
  ivec small = x < LOG_OF_2;
  vec one = splat(1);
  vec inner = choose(small, exp_minus_one(-choose(small, x, one)), -exponential(-x));
  return choose(small, logarithm(-inner), log_of_one_plus(choose(small, (vec){}, inner)));
}
INLINE vec log_sum_exp(vec a, vec b) {
  vec top = larger(a, b);
  vec gap = choose(a == b, (vec){}, -magnitude(a - b)); /* equal infinities have no difference */
  return top + log_of_one_plus(exponential(gap));
}
INLINE vec logistic(vec x) {
  vec decay = exponential(-magnitude(x));
  return choose(x < 0, decay, splat(1)) / (1 + decay);
}
INLINE vec soft_plus(vec x) {
  return at_least_zero(x) + log_of_one_plus(exponential(-magnitude(x)));
}
INLINE vec log_of_failure(vec energy) { return logarithm(-exp_minus_one(-energy)); }

/* x to a whole power, by squaring. */
INLINE vec whole_power(vec x, int n) {
  vec result = splat(1);
  for (unsigned left = n < 0 ? -n : n; left; left >>= 1, x *= x)
    if (left & 1) result *= x;
  if (n < 0) result = 1 / result;
  return result;
}

/* One element for each lane, of an array in lanes. */
INLINE vec pick(const real *base, lvec place) {
  vec r;
  for (int l = 0; l < LANES; l++) r[l] = base[place[l] * LANES + l];
  return r;
}

/* -log(1 - P) from the sum that is left when exp(-least) is taken out of 1 - P, log P, and the
   least energy. */
INLINE vec either_failure(vec sum, vec log_product, vec least) {
  ivec small = log_product < -LOG_OF_2;
  vec near = -log_of_one_plus(-exponential(choose(small, log_product, splat(-LOG_OF_2))));
  return choose(small, near, least - logarithm(sum));
}
