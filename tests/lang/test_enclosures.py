"""Ranges are rounded outward: they hold the exact values, from arithmetic with many digits."""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ebmlang.lang.behavior import enclose
from ebmlang.lang.interval import Interval
from ebmlang.lang.table import OPERATORS

MP = mpmath.MPContext()
MP.dps = 400

EXACT = {
    "sqrt": MP.sqrt,
    "exp": MP.exp,
    "log": MP.log,
    "log1p": MP.log1p,
    "expm1": MP.expm1,
    "sin": MP.sin,
    "cos": MP.cos,
    "tan": MP.tan,
    "asin": MP.asin,
    "acos": MP.acos,
    "atan": MP.atan,
    "sinh": MP.sinh,
    "cosh": MP.cosh,
    "tanh": MP.tanh,
    "sigmoid": lambda x: 1 / (1 + MP.exp(-x)),
    "softplus": lambda x: MP.log1p(MP.exp(x)),
    "erf": MP.erf,
    "lgamma": lambda x: MP.log(abs(MP.gamma(x))),
    "log1mexp": lambda x: MP.log(-MP.expm1(-x)),
    "log_bessel_i0": lambda x: MP.log(MP.besseli(0, x)),
}

DOMAIN = {
    "sqrt": (0, 1e6),
    "log": (1e-12, 1e6),
    "log1p": (-0.999, 1e6),
    "asin": (-1, 1),
    "acos": (-1, 1),
    "lgamma": (1e-6, 1e4),
    "log1mexp": (1e-9, 30),
    "log_bessel_i0": (-700, 700),
    "exp": (-700, 700),
    "expm1": (-30, 700),
    "sinh": (-700, 700),
    "cosh": (-700, 700),
    "erf": (-5, 5),
    "tanh": (-18, 18),
    "sigmoid": (-300, 36),
    "softplus": (-300, 1e3),
}
"""Where that many digits are enough, and float64 does not overflow."""

finite = st.floats(-1e6, 1e6)


def range_of(name, *operands, **options):
    return enclose(OPERATORS[name], [Interval.make(*ends) for ends in operands], options)


@pytest.mark.parametrize("name", EXACT)
@settings(max_examples=60)
@given(data=st.data())
def test_the_range_of_a_number_holds_the_exact_value(name, data):
    x = data.draw(st.floats(*DOMAIN.get(name, (-1e4, 1e4)), allow_subnormal=False))

    found = range_of(name, (x, x))

    exact = EXACT[name](MP.mpf(x))
    assert MP.mpf(float(found.lower)) <= exact <= MP.mpf(float(found.upper))
    assert found.upper - found.lower <= 1e-13 * (abs(found.lower) + 1)


ARITHMETIC = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
}


@pytest.mark.parametrize("name", ARITHMETIC)
@settings(max_examples=200)
@given(a=finite, b=finite.filter(lambda b: abs(b) > 1e-9))
def test_arithmetic_is_off_by_a_unit_at_most_and_exact_where_it_can_be(name, a, b):
    found = range_of(name, (a, a), (b, b))

    exact = ARITHMETIC[name](Fraction(a), Fraction(b))
    low, high = Fraction(float(found.lower)), Fraction(float(found.upper))
    assert low <= exact <= high
    assert high - low <= 4 * Fraction(float(np.spacing(abs(float(exact)))))


@settings(max_examples=300)
@given(x=st.floats(-100, 100), power=st.integers(-12, 12))
def test_the_range_of_a_whole_power_holds_the_exact_one(x, power):
    assume(abs(x) > 1e-6)

    found = range_of("pow", (x, x), (power, power))

    exact = Fraction(x) ** power
    assert Fraction(float(found.lower)) <= exact <= Fraction(float(found.upper))
    if power == 2:
        assert range_of("square", (x, x)).lower <= float(exact) <= range_of("square", (x, x)).upper


@pytest.mark.parametrize(("name", "x", "value"), [("square", 1.5, 2.25), ("sqrt", 6.25, 2.5)])
def test_powers_and_roots_on_a_coarse_grid_do_not_widen(name, x, value):
    found = range_of(name, (x, x))

    assert found.lower == found.upper == value


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.25), (3.0, -7.0), (1e6, 0.125), (0.0, 0.1)])
def test_arithmetic_on_a_coarse_grid_does_not_widen(a, b):
    for name in ("add", "sub", "mul"):
        found = range_of(name, (a, a), (b, b))
        assert found.lower == found.upper == OPERATORS[name].evaluate(np.array(a), np.array(b))
    assert range_of("div", (a, a), (4.0, 4.0)).known


@given(st.lists(finite, min_size=1, max_size=30))
def test_the_range_of_a_sum_holds_the_exact_sum(numbers):
    x = np.array(numbers)

    found = enclose(OPERATORS["sum"], [Interval.point(x)], {"axes": (-1,)})

    exact = sum(Fraction(number) for number in numbers)
    assert Fraction(float(found.lower)) <= exact <= Fraction(float(found.upper))


INF = math.inf


@pytest.mark.parametrize(
    ("name", "operands", "expected"),
    [
        ("sqrt", [(-1, 4)], (0, 2)),
        ("log", [(0, 1)], (-INF, 0)),
        ("exp", [(-INF, 0)], (0, 1)),
        ("abs", [(-2, 1)], (0, 2)),
        ("cos", [(-1, 8)], (-1, 1)),
        ("sin", [(-INF, INF)], (-1, 1)),
        ("tan", [(1, 2)], (-INF, INF)),
        ("tanh", [(0, INF)], (0, 1)),
        ("floor", [(-0.5, 2.5)], (-1, 2)),
        ("nonnegative", [(-1, 0)], (0, 1)),
        ("nonnegative", [(0, 3)], (1, 1)),
        ("lgamma", [(-1, 4)], (-INF, INF)),
        ("mul", [(0, 1), (-INF, INF)], (-INF, INF)),
        ("mul", [(0, 0), (-INF, INF)], (0, 0)),
        ("mul", [(1, INF), (2, 3)], (2, INF)),
        ("add", [(-INF, 1), (2, INF)], (-INF, INF)),
        ("sub", [(0, INF), (0, INF)], (-INF, INF)),
        ("div", [(1, 2), (0, 4)], (0.25, INF)),
        ("div", [(1, 2), (-4, 0)], (-INF, -0.25)),
        ("div", [(1, 2), (-1, 1)], (-INF, INF)),
        ("div", [(0, 1), (1, INF)], (0, 1)),
        ("pow", [(0, 4), (0.5, 0.5)], (0, 2)),
        ("pow", [(0, 2), (-2, -2)], (0.25, INF)),
        ("pow", [(-2, 1), (2, 2)], (0, 4)),
        ("pow", [(-2, 1), (3, 3)], (-8, 1)),
        ("pow", [(-2, 2), (-1, -1)], (-INF, INF)),
        ("mod", [(-5, 5), (2, 2)], (0, 2)),
        ("mod", [(0, 1), (2, 3)], (0, 1)),
        ("atan2", [(-1, 1), (-1, 1)], (-math.pi, math.pi)),
        ("atan2", [(0, 1), (0, 1)], (0, math.pi / 2)),
        ("minimum", [(0, 5), (2, 3)], (0, 3)),
        ("where", [(0, 1), (1, 2), (5, 6)], (1, 6)),
        ("where", [(1, 1), (1, 2), (5, 6)], (1, 2)),
        ("supported", [(0, 1), (0, 0), (1, 1), (2, 3)], (2, 3)),
        ("supported", [(0, 2), (0, 0), (1, 1), (2, 3)], (2, INF)),
        ("supported", [(2, 3), (0, 0), (1, 1), (2, 3)], (INF, INF)),
    ],
)
def test_ranges_are_those_of_a_textbook(name, operands, expected):
    found = range_of(name, *operands)

    np.testing.assert_allclose([found.lower, found.upper], expected, rtol=1e-14)
    assert found.lower <= expected[0]
    assert found.upper >= expected[1]


def test_outside_its_domain_an_operator_has_no_value_and_neither_has_what_it_is_part_of():
    nothing = range_of("log", (-2, -1))

    assert nothing.empty
    both = enclose(OPERATORS["add"], [nothing, Interval.point(1.0)], {})
    assert both.empty
    total = enclose(
        OPERATORS["max"], [Interval.make([-np.inf, np.inf], [1.0, -np.inf])], {"axes": (-1,)}
    )
    assert total.empty


def test_what_is_not_chosen_need_not_have_a_value():
    nothing = range_of("log", (-2, -1))

    found = enclose(
        OPERATORS["where"], [Interval.point(True), Interval.make(1.0, 2.0), nothing], {}
    )

    assert (found.lower, found.upper) == (1.0, 2.0)


def test_reductions_over_nothing_have_their_value():
    nothing = Interval.make(np.zeros(0), np.zeros(0))

    expected = {"sum": 0, "prod": 1, "min": INF, "max": -INF, "logsumexp": -INF, "noisy_or": INF}
    for name, value in expected.items():
        found = enclose(OPERATORS[name], [nothing], {"axes": (-1,)})
        assert found.lower == found.upper == value


def test_an_index_that_is_not_known_takes_any_element():
    x = Interval.make([0.0, 5.0, 2.0], [1.0, 6.0, 3.0])

    known = enclose(OPERATORS["take"], [x, Interval.point([2])], {"axis": -1})
    unknown = enclose(OPERATORS["take"], [x, Interval.make([0], [2])], {"axis": -1})

    assert (known.lower.tolist(), known.upper.tolist()) == ([2.0], [3.0])
    assert (unknown.lower.tolist(), unknown.upper.tolist()) == ([0.0], [6.0])


def test_what_is_not_a_number_is_anything():
    found = Interval.point([1.0, math.nan])

    assert found.lower.tolist() == [1.0, -INF]
    assert found.upper.tolist() == [1.0, INF]
