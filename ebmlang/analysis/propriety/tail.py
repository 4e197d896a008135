"""Bounds of numbers that move, as functions of t for all large t: the second engine's arithmetic.

A `Sum` is a finite sum of monomials c e^(a t) t^p (log t)^q, the largest first. A `Tail` holds a
number between two of them, for all t from some t on. Since no more than that is asked, comparisons
are decided by leading terms, and what is lost in rounding away lower terms is added to those kept.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

Monomial: TypeAlias = tuple[float, float, float]
"""The powers of e^t, of t and of log t."""

Sum: TypeAlias = tuple[tuple[Monomial, float], ...]
"""Monomials with their coefficients, the largest first; none is 0. Empty: 0."""

ONE: Monomial = (0.0, 0.0, 0.0)
LOG: Monomial = (0.0, 0.0, 1.0)
TIME: Monomial = (0.0, 1.0, 0.0)
INFINITE: Monomial = (math.inf, 0.0, 0.0)
"""Stands for infinity: larger than all others."""

KEPT = 5
"""How many monomials a sum keeps."""

NEGLIGIBLE = 1e-12
"""What is left where coefficients cancel, relative to them, counts as 0."""

SLACK = 1.001
"""A factor as near to 1 as one likes, where only the leading term of a quotient is kept."""

UP: Sum = ((INFINITE, 1.0),)
DOWN: Sum = ((INFINITE, -1.0),)


@dataclass(frozen=True, slots=True)
class Tail:
    """A number that lies between two sums for all large t."""

    lower: Sum
    upper: Sum

    @classmethod
    def interval(cls, low: float, high: float) -> "Tail":
        """Return a number between two others."""
        return cls(number(low), number(high))


def number(value: float) -> Sum:
    """Return a number as a sum."""
    if math.isinf(value):
        return UP if value > 0 else DOWN
    return ((ONE, value),) if value else ()


EVERYTHING = Tail(DOWN, UP)
ZERO = Tail((), ())


def collect(terms: Iterable[tuple[Monomial, float]], rounding: int) -> Sum:
    """Return a sum of monomials in order.

    Args:
        terms: Monomials, any number of times each.
        rounding: 1 to stay at or above the exact sum where terms are left out, -1 at or below.
    """
    total: dict[Monomial, float] = {}
    size: dict[Monomial, float] = {}
    for monomial, c in terms:
        total[monomial] = total.get(monomial, 0.0) + c
        size[monomial] = max(size.get(monomial, 0.0), abs(c))
    if INFINITE in size:
        return UP if rounding > 0 else DOWN
    found = sorted(
        ((m, c) for m, c in total.items() if abs(c) > NEGLIGIBLE * size[m]), reverse=True
    )
    for spare in range(len(found) - 1, KEPT - 1, -1):
        _, c = found.pop(spare)
        monomial, last = found[-1]
        found[-1] = (monomial, last + max(c * rounding, 0.0) * rounding)
    return tuple((m, c) for m, c in found if c)


def sign(value: Sum) -> int:
    """Return the sign that a sum has for all large t."""
    return 0 if not value else (1 if value[0][1] > 0 else -1)


def is_infinite(value: Sum) -> bool:
    """Return whether it stands for infinity."""
    return bool(value) and value[0][0] == INFINITE


def limit(value: Sum) -> float:
    """Return what a sum tends to."""
    if not value or value[0][0] < ONE:
        return 0.0
    return value[0][1] if value[0][0] == ONE else math.copysign(math.inf, value[0][1])


def negated(value: Sum) -> Sum:
    """Return minus a sum."""
    return tuple((m, -c) for m, c in value)


def plus(a: Sum, b: Sum, rounding: int) -> Sum:
    """Return a sum of two; infinities of opposite sign give the worst."""
    if is_infinite(a) or is_infinite(b):
        signs = {sign(x) for x in (a, b) if is_infinite(x)}
        if len(signs) == 1:
            return a if is_infinite(a) else b
        return UP if rounding > 0 else DOWN
    return collect([*a, *b], rounding)


def times(a: Sum, b: Sum, rounding: int) -> Sum:
    """Return a product of two; 0 times infinity is 0."""
    if not a or not b:
        return ()
    if is_infinite(a) or is_infinite(b):
        return UP if sign(a) * sign(b) > 0 else DOWN
    return collect(
        (((m[0] + n[0], m[1] + n[1], m[2] + n[2]), c * d) for m, c in a for n, d in b), rounding
    )


def is_less(a: Sum, b: Sum) -> bool:
    """Return whether a < b for all large t."""
    if is_infinite(a) or is_infinite(b):
        return (is_infinite(a) and sign(a) < 0 and b != DOWN) or (
            is_infinite(b) and sign(b) > 0 and a != UP
        )
    return sign(collect([*a, *negated(b)], 1)) < 0


def least(sums: Iterable[Sum]) -> Sum:
    """Return the one that is least for all large t."""
    found: Sum = UP
    for value in sums:
        if is_less(value, found):
            found = value
    return found


def largest(sums: Iterable[Sum]) -> Sum:
    """Return the one that is largest for all large t."""
    found: Sum = DOWN
    for value in sums:
        if is_less(found, value):
            found = value
    return found


def add(a: Tail, b: Tail) -> Tail:
    """Return a + b."""
    return Tail(plus(a.lower, b.lower, -1), plus(a.upper, b.upper, 1))


def scale(a: Tail, factor: float) -> Tail:
    """Return factor * a."""
    if factor == 0:
        return ZERO
    ends = [tuple((m, c * factor) for m, c in end) for end in (a.lower, a.upper)]
    return Tail(*ends) if factor > 0 else Tail(ends[1], ends[0])


def multiply(a: Tail, b: Tail) -> Tail:
    """Return a * b."""
    ends = [(x, y) for x in (a.lower, a.upper) for y in (b.lower, b.upper)]
    return Tail(least(times(x, y, -1) for x, y in ends), largest(times(x, y, 1) for x, y in ends))


def square(a: Tail) -> Tail:
    """Return a^2."""
    found = multiply(a, a)
    if sign(a.lower) >= 0 or sign(a.upper) <= 0:
        return found
    upper = largest([times(a.lower, a.lower, 1), times(a.upper, a.upper, 1)])
    return Tail((), upper)


def reciprocal(a: Tail) -> Tail:
    """Return 1 / a; everything unless a keeps its sign."""
    if sign(a.lower) > 0:
        return Tail(_inverse(a.upper, -1), _inverse(a.lower, 1))
    if sign(a.upper) < 0:
        return Tail(_inverse(a.upper, -1), _inverse(a.lower, 1))
    return EVERYTHING


def _inverse(value: Sum, rounding: int) -> Sum:
    if is_infinite(value):
        return ()
    (m, c), *others = value
    slack = SLACK if others else 1.0
    up = rounding * c > 0
    return (((-m[0], -m[1], -m[2]), 1 / c * (slack if up else 1 / slack)),)


# --- functions that rise -------------------------------------------------------------


def exp(a: Tail) -> Tail:
    """Return e^a."""
    return Tail(_exp(a.lower, -1), _exp(a.upper, 1))


def _exp(value: Sum, rounding: int) -> Sum:
    if is_infinite(value):
        return UP if sign(value) > 0 else ()
    rate, power, constant = 0.0, 0.0, 0.0
    for monomial, c in value:
        if monomial == TIME:
            rate = c
        elif monomial == LOG:
            power = c
        elif monomial == ONE:
            constant += c
        elif monomial < ONE:
            constant += max(c * rounding, 0.0) * rounding
        elif c * rounding > 0:
            # Faster than any of ours, or not of our kind.
            return UP if rounding > 0 else ()
    if constant > _MOST:
        return UP if rounding > 0 else (((rate, power, 0.0), math.exp(_MOST)),)
    if constant < -_MOST:
        return (((rate, power, 0.0), math.exp(-_MOST)),) if rounding > 0 else ()
    return (((rate, power, 0.0), math.exp(constant)),)


_MOST = 600.0
"""exp of it is a float64."""


def log(a: Tail) -> Tail:
    """Return log a; where a is not surely positive, everything below the upper bound."""
    return Tail(_log(a.lower, -1), _log(a.upper, 1))


def _log(value: Sum, rounding: int) -> Sum:
    if sign(value) <= 0:
        return DOWN
    if is_infinite(value):
        return UP
    ((a, p, q), c), *others = value
    # log(c m (1 + d)) with d tending to 0: log(1 + d) is at most d, and at least d - d^2.
    ratio = tuple(((x - a, y - p, z - q), v / c) for (x, y, z), v in others)
    extra = ratio if rounding > 0 else plus(ratio, negated(times(ratio, ratio, 1)), -1)
    terms = [(TIME, a), (LOG, p), (ONE, math.log(c)), *extra]
    if q * rounding > 0:
        # log log t is at least 0, and at most log t.
        terms.append((LOG, q))
    return collect([(m, v) for m, v in terms if v], rounding)


def lgamma(a: Tail) -> Tail:
    """Return log gamma(a) where a goes to infinity, by Stirling's series; else everything.

    Source: Abramowitz and Stegun, 6.1.41: between its first terms and 1 / (12 a) more.
    """
    if limit(a.lower) != math.inf:
        return EVERYTHING
    lower, upper = (
        plus(
            times(plus(end, number(-0.5), way), _log(end, way), way),
            plus(negated(end), number(0.5 * math.log(2 * math.pi)), way),
            way,
        )
        for end, way in ((a.lower, -1), (a.upper, 1))
    )
    return Tail(lower, plus(upper, _inverse(scale(a, 12.0).lower, 1), 1))


def power(a: Tail, exponent: float) -> Tail:
    """Return a^exponent for a >= 0; a that may be negative counts as if it were 0 there."""
    if exponent < 0:
        return reciprocal(power(a, -exponent))
    return Tail(_power(a.lower, exponent, -1), _power(a.upper, exponent, 1))


def _power(value: Sum, exponent: float, rounding: int) -> Sum:
    if sign(value) <= 0:
        return ()
    if is_infinite(value):
        return UP
    ((a, p, q), c), *others = value
    slack = SLACK if others and others[0][1] * rounding > 0 else 1.0
    slack = slack if rounding > 0 else (1 / SLACK if others and others[0][1] < 0 else 1.0)
    return (((a * exponent, p * exponent, q * exponent), c**exponent * slack),)
