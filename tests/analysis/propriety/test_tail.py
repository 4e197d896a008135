"""Bounds for all large t hold at large t."""

import math
from decimal import Context, Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmlang.analysis.propriety import tail as asymptotic
from ebmlang.analysis.propriety.tail import LOG, ONE, TIME, Tail

FAR = 100_000
"""t is 10 to this: so large that log t is large too. No float is."""

DIGITS = 60

MONOMIALS = [ONE, LOG, TIME, (0.0, -1.0, 0.0), (0.0, 0.5, 0.0), (0.0, 2.0, 0.0)]

sums = st.lists(
    st.tuples(st.sampled_from(MONOMIALS), st.sampled_from([-2.0, -0.5, 0.25, 1.0, 3.0])),
    max_size=3,
    unique_by=lambda term: term[0],
).map(lambda terms: asymptotic.collect(terms, 1))


def at(value, far=FAR):
    if asymptotic.is_infinite(value):
        return Decimal("inf") * asymptotic.sign(value)
    t = Decimal(10) ** far
    total = Decimal(0)
    for (a, p, q), c in value:
        assert a == 0
        total += Decimal(c) * t ** Decimal(p) * t.ln() ** Decimal(q)
    return total


def holds(tail, value):
    slack = Decimal("1e-9") * (1 + abs(value))
    return at(tail.lower) - slack <= value <= at(tail.upper) + slack


def exactly(digits=DIGITS):
    return localcontext(Context(prec=digits, Emax=10**12, Emin=-(10**12)))


@given(sums, sums)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_arithmetic_encloses_what_it_is_of(a, b):
    first, second = Tail(a, a), Tail(b, b)

    with exactly():
        x, y = at(a), at(b)
        assert holds(asymptotic.add(first, second), x + y)
        assert holds(asymptotic.multiply(first, second), x * y)
        assert holds(asymptotic.square(first), x * x)
        assert holds(asymptotic.scale(first, -3.0), -3 * x)
        if x:
            assert holds(asymptotic.reciprocal(first), 1 / x)


@given(sums)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_functions_enclose_what_they_are_of(a):
    tail = Tail(a, a)

    with exactly():
        x = at(a)
        if not a or a[0][0] <= LOG:
            assert holds(asymptotic.exp(tail), x.exp())
        if asymptotic.sign(a) > 0:
            assert holds(asymptotic.log(tail), x.ln())
            assert holds(asymptotic.power(tail, 0.5), x.sqrt())
            assert holds(asymptotic.power(tail, -1.5), 1 / x / x.sqrt())


@pytest.mark.parametrize("rate", [0.5, 1.0, 3.0])
def test_the_logarithm_of_the_gamma_function_is_enclosed(rate):
    tail = asymptotic.lgamma(Tail(((TIME, rate), (ONE, 0.5)), ((TIME, rate), (ONE, 0.5))))

    for t in (1e3, 1e5):
        low, high = (
            sum(c * t**p * math.log(t) ** q for (_, p, q), c in end)
            for end in (tail.lower, tail.upper)
        )
        assert low * (1 - 1e-12) <= math.lgamma(rate * t + 0.5) <= high * (1 + 1e-12)
        assert high - low < 0.01


@given(sums, sums)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_the_smaller_one_is_smaller_for_good(a, b):
    with exactly(450):
        assert asymptotic.is_less(a, b) == (at(a, 100) < at(b, 100))


def test_what_cancels_leaves_no_rounding():
    third = asymptotic.collect([(TIME, 1 / 3)] * 3, 1)

    assert asymptotic.plus(third, ((TIME, -1.0),), 1) == ()


def test_infinities_of_opposite_sign_give_the_worst():
    assert asymptotic.plus(asymptotic.UP, asymptotic.DOWN, 1) == asymptotic.UP
    assert asymptotic.plus(asymptotic.UP, asymptotic.DOWN, -1) == asymptotic.DOWN


@pytest.mark.parametrize("kept", range(1, 8))
def test_terms_that_are_left_out_are_accounted_for(kept):
    terms = [((0.0, float(power), 0.0), -1.0 if power % 2 else 1.0) for power in range(kept)]
    with exactly():
        exact = sum(c * Decimal(10) ** int(p) for (_, p, _), c in map(as_decimal, terms))
        low, high = (at(asymptotic.collect(terms, way), 1) for way in (-1, 1))

    assert low <= exact <= high


def as_decimal(term):
    monomial, c = term
    return monomial, Decimal(c)
