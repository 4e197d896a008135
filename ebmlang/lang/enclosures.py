"""Ranges of elementwise operators that are not monotone, or that round: interval arithmetic.

Every function takes the intervals of the operands, none of them empty, and returns an interval
that holds the exact results; ends are rounded outward. A product of 0 and infinity is 0 here: an
infinite end is no value, only the lack of a bound.

Source: Moore, Kearfott and Cloud, Introduction to Interval Analysis, chapters 2 and 5.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from ebmlang.lang.interval import (
    MANTISSA,
    Bound,
    Interval,
    limited,
    significant_bits,
    widen,
)
from ebmlang.lang.profiles import power_profile
from ebmlang.lang.restriction import range_over

MANY_EXPONENTS = 16
"""How many exponents of one power are looked at one by one."""


def _outward(low: Bound, high: Bound, exact_low: Bound, exact_high: Bound) -> Interval:
    """Step out by one unit, but where the end is exact."""
    stepped = widen(low, high, 1)
    return Interval.make(
        np.where(exact_low & ~np.isnan(low), low, stepped.lower),
        np.where(exact_high & ~np.isnan(high), high, stepped.upper),
    )


# --- sums -------------------------------------------------------------------------------


def _sum_is_exact(a: Bound, b: Bound, total: Bound) -> Bound:
    """Return where a sum did not round (Knuth's two-sum)."""
    rest = total - a
    return np.asarray((a - (total - rest)) + (b - rest) == 0)


def bound_add(a: Interval, b: Interval) -> Interval:
    """Return the range of a + b."""
    with np.errstate(all="ignore"):
        low, high = a.lower + b.lower, a.upper + b.upper
        exact = _sum_is_exact(a.lower, b.lower, low), _sum_is_exact(a.upper, b.upper, high)
    return _outward(low, high, *exact)


def bound_sub(a: Interval, b: Interval) -> Interval:
    """Return the range of a - b."""
    return bound_add(a, Interval.make(-b.upper, -b.lower))


# --- products ---------------------------------------------------------------------------


def _product_is_exact(a: Bound, b: Bound, value: Bound) -> Bound:
    """Return where a product did not round: its factors have few bits (or one is 0)."""
    few = significant_bits(a) + significant_bits(b) <= MANTISSA
    normal = (np.abs(value) >= np.finfo(np.float64).tiny) | (a == 0) | (b == 0)
    return np.asarray(few & normal)


def _extremes(
    a: Interval,
    b: Interval,
    combine: Callable[[Bound, Bound], Bound],
    is_exact: Callable[[Bound, Bound, Bound], Bound],
) -> Interval:
    """Return the hull of a function of two numbers at the corners of their box."""
    shape = np.broadcast_shapes(a.shape, b.shape)
    # All four corners at once, along a new first axis.
    left, right = np.empty((4, *shape)), np.empty((4, *shape))
    left[:2], left[2:] = a.lower, a.upper
    right[::2], right[1::2] = b.lower, b.upper
    with np.errstate(all="ignore"):
        value = combine(left, right)
        exact = is_exact(left, right, value)
        corners = _outward(value, value, exact, exact)
    return Interval(np.min(corners.lower, axis=0), np.max(corners.upper, axis=0))


def _times(a: Bound, b: Bound) -> Bound:
    return np.where((a == 0) | (b == 0), 0.0, a * b)


def bound_mul(a: Interval, b: Interval) -> Interval:
    """Return the range of a * b."""
    return _extremes(a, b, _times, _product_is_exact)


def bound_div(a: Interval, b: Interval) -> Interval:
    """Return the range of a / b; a divisor of either sign bounds nothing."""
    # A zero end of the divisor is approached from inside.
    divisor = Interval(b.lower + 0.0, np.where(b.upper == 0, -0.0, b.upper))

    def quotient(x: Bound, y: Bound) -> Bound:
        value = x / y
        return np.where((x == 0) | np.isnan(value), 0.0, value)

    def is_exact(x: Bound, y: Bound, value: Bound) -> Bound:
        exact = _product_is_exact(value, y, x) & (value * y == x)
        return np.asarray(exact | (x == 0) | np.isinf(y))

    found = _extremes(a, divisor, quotient, is_exact)
    crosses = ((b.lower < 0) & (b.upper > 0)) | ((b.lower == 0) & (b.upper == 0))
    return Interval.make(
        np.where(crosses, -np.inf, found.lower), np.where(crosses, np.inf, found.upper)
    )


@lru_cache(maxsize=256)
def power_function(exponent: float) -> Callable[[Bound], Bound]:
    """Return x^exponent, the same function each time, so that what is known of it is found."""
    return lambda x: np.power(x, exponent)


def bound_pow(base: Interval, exponent: Interval) -> Interval:
    """Return the range of a power: of a base from 0 on, the corners are extreme."""
    positive = limited(base, 0.0)

    def inexact(_a: Bound, _b: Bound, value: Bound) -> Bound:
        return np.asarray((value == 0) | (value == 1))

    found = _extremes(positive, exponent, np.power, inexact)
    found = limited(widen(found.lower, found.upper, 4), 0.0)
    # Of a negative base it has values for whole exponents only, of either sign.
    size = Interval.make(np.abs(base.lower), np.maximum(np.abs(base.upper), np.abs(base.lower)))
    size = Interval.make(np.where(base.upper >= 0, 0.0, np.abs(base.upper)), size.upper)
    mirrored = _extremes(size, exponent, np.power, inexact)
    most = widen(mirrored.upper, mirrored.upper, 4).upper
    negative = np.broadcast_to(base.lower < 0, found.shape)
    found = Interval.make(
        np.where(negative, -most, found.lower), np.where(negative, most, found.upper)
    )
    known = np.unique(exponent.lower[exponent.lower == exponent.upper])
    for value in known if known.size <= MANY_EXPONENTS else ():
        one = range_over(power_profile(float(value)), power_function(float(value)), base)
        here = (exponent.lower == value) & (exponent.upper == value)
        found = Interval.make(
            np.where(here, one.lower, found.lower), np.where(here, one.upper, found.upper)
        )
    return found


# --- remainders and angles --------------------------------------------------------------


def bound_mod(a: Interval, b: Interval) -> Interval:
    """Return the range of a % b, which has the sign of b."""
    shape = np.broadcast_shapes(a.shape, b.shape)
    low, high = np.minimum(b.lower, 0.0), np.maximum(b.upper, 0.0)
    # For divisors above 0 and a from 0 on it is at most a; and a itself, where that is smaller.
    plain = (b.lower > 0) & (a.lower >= 0)
    high = np.where(plain, np.minimum(high, a.upper), high)
    low = np.where(plain & (a.upper < b.lower), a.lower, low)
    return Interval.make(np.broadcast_to(low, shape), np.broadcast_to(high, shape))


def bound_atan2(y: Interval, x: Interval) -> Interval:
    """Return the range of an angle: on a box clear of the cut the corners are extreme."""
    rows, columns = (
        Interval(one.lower + 0.0, np.where(one.upper == 0, 0.0, one.upper)) for one in (y, x)
    )

    def inexact(_a: Bound, _b: Bound, value: Bound) -> Bound:
        return np.asarray(value == 0)

    found = _extremes(rows, columns, np.arctan2, inexact)
    found = widen(found.lower, found.upper, 3)
    shape = found.shape
    half, full = np.nextafter(np.pi / 2, 4.0), np.nextafter(np.pi, 4.0)
    rows = Interval.make(np.broadcast_to(rows.lower, shape), np.broadcast_to(rows.upper, shape))
    columns = Interval.make(
        np.broadcast_to(columns.lower, shape), np.broadcast_to(columns.upper, shape)
    )
    clear = (columns.lower >= 0) | (rows.lower >= 0) | (rows.upper < 0)
    low, high = np.where(clear, found.lower, -full), np.where(clear, found.upper, full)
    low = np.where(columns.lower >= 0, np.maximum(low, -half), low)
    high = np.where(columns.lower >= 0, np.minimum(high, half), high)
    return Interval.make(np.where(rows.lower >= 0, np.maximum(low, 0.0), low), high)


# --- choices ----------------------------------------------------------------------------


def bound_where(condition: Interval, yes: Interval, no: Interval) -> Interval:
    """Return the range of a choice."""
    may_hold = (condition.lower != 0) | (condition.upper != 0)
    may_fail = (condition.lower <= 0) & (condition.upper >= 0)
    return Interval.make(
        np.minimum(np.where(may_hold, yes.lower, np.inf), np.where(may_fail, no.lower, np.inf)),
        np.maximum(np.where(may_hold, yes.upper, -np.inf), np.where(may_fail, no.upper, -np.inf)),
    )


def bound_supported(x: Interval, lower: Interval, upper: Interval, energy: Interval) -> Interval:
    """Return the range of an energy that is `inf` outside its support."""
    may_be_inside = (x.upper >= lower.lower) & (x.lower <= upper.upper) & ~energy.empty
    is_inside = (x.lower >= lower.upper) & (x.upper <= upper.lower)
    return Interval.make(
        np.where(may_be_inside, energy.lower, np.inf), np.where(is_inside, energy.upper, np.inf)
    )
