"""Growths compose as the functions do that they are of."""

import math

import pytest

from ebmlang.analysis.growth import BOUNDED, composed, scaled, strength
from ebmlang.lang.facts import Growth, Rate

FAR = (1e3, 1e6)
"""Where a growth is compared with the function, and where it must be nearer to it."""

LOG, LINE, ROOT, SQUARE = (
    Growth(Rate.LOG),
    Growth(Rate.POWER, 1.0, 1.0),
    Growth(Rate.POWER, 1.0, 0.5),
    Growth(Rate.POWER, 1.0, 2.0),
)

FUNCTIONS = {
    "log": (math.log, LOG),
    "twice": (lambda t: 2 * t, Growth(Rate.POWER, 2.0, 1.0)),
    "root": (math.sqrt, ROOT),
    "square": (lambda t: t * t, SQUARE),
}


def value(growth: Growth, t: float) -> float:
    match growth.rate:
        case Rate.LOG:
            return growth.factor * math.log(t)
        case Rate.POWER:
            return growth.factor * t**growth.power
        case _:
            return 0.0


@pytest.mark.parametrize("inner", FUNCTIONS)
@pytest.mark.parametrize("outer", FUNCTIONS)
def test_the_growth_of_a_composition_is_that_of_the_function(outer, inner):
    f, growth_of_f = FUNCTIONS[outer]
    g, growth_of_g = FUNCTIONS[inner]

    whole = composed(growth_of_f, growth_of_g)

    if inner == "log" and outer != "twice":
        # Slower than a logarithm, or past any multiple of one.
        assert whole.rate is Rate.BOUNDED or math.isinf(whole.factor)
        return
    near, far = (value(whole, t) / f(g(t)) for t in FAR)
    assert abs(far - 1) <= abs(near - 1) + 1e-12
    assert abs(far - 1) < 0.06


def test_the_exponential_of_a_logarithm_is_a_power_of_an_unknown_factor():
    found = composed(Growth(Rate.EXP), Growth(Rate.LOG, 3.0))

    assert (found.rate, found.power, found.factor) == (Rate.POWER, 3.0, math.inf)


def test_growths_are_sorted_by_speed():
    faster = Growth(Rate.FASTER, 1.0, 1.0)
    every = [BOUNDED, LOG, ROOT, LINE, faster, SQUARE, Growth(Rate.EXP)]

    assert sorted(every, key=strength) == every


def test_a_power_that_vanishes_counts_as_bounded():
    assert strength(Growth(Rate.POWER, 1.0, -1.0)) == strength(BOUNDED)


def test_nothing_times_a_growth_is_bounded():
    assert scaled(SQUARE, 0.0) == BOUNDED
    assert scaled(SQUARE, -2.0).factor == -2.0
