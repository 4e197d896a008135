"""Arithmetic of growth: what a function does far out that is made of others.

A `Growth` is that of a single operator, at one end of its domain. Here growths are ordered,
scaled and put one into another, always to leading order.
"""

import math
from dataclasses import replace
from typing import TypeAlias

from ebmlang.lang.facts import Growth, Rate

BOUNDED = Growth(Rate.BOUNDED)
WALL = Growth(Rate.FASTER, 1.0, math.inf)
"""What a requirement adds to the energy outside: more than anything else."""

Strength: TypeAlias = tuple[int, float, int]
"""Sorts growths by speed, whatever their factors."""


def strength(growth: Growth) -> Strength:
    """Return how fast a growth is: what is larger outgrows what is smaller by any factor."""
    match growth.rate:
        case Rate.BOUNDED:
            return (0, 0.0, 0)
        case Rate.LOG:
            return (1, 0.0, 0)
        case Rate.POWER:
            return (2, growth.power, 0) if growth.power > 0 else (0, 0.0, 0)
        case Rate.FASTER if math.isfinite(growth.power):
            return (2, growth.power, 1)
        case Rate.EXP | Rate.FASTER:
            return (3, 0.0, 0)


def scaled(growth: Growth, factor: float) -> Growth:
    """Return the growth of `factor` times a function; nothing grows where the factor is 0."""
    return replace(growth, factor=growth.factor * factor) if factor else BOUNDED


def composed(outer: Growth, inner: Growth) -> Growth:
    """Return the growth of f(g(t)) where g(t) goes to infinity, from those of f and of g.

    Where the factor is not known, it is infinite: of a function that grows, any multiple is
    outgrown; of one that falls, it may fall as fast as any multiple. Slower than a logarithm
    counts as bounded.

    Args:
        outer: Of f at its right end.
        inner: Of g; its factor is positive.
    """
    if outer.rate is Rate.BOUNDED or inner.rate is Rate.BOUNDED:
        return BOUNDED
    unknown = math.copysign(math.inf, outer.factor)
    match outer.rate, inner.rate:
        case Rate.POWER, Rate.POWER:
            factor = outer.factor * inner.factor**outer.power
            return Growth(Rate.POWER, factor, outer.power * inner.power)
        case Rate.POWER, Rate.LOG if outer.power == 1:
            return Growth(Rate.LOG, outer.factor * inner.factor)
        case Rate.POWER, Rate.LOG:
            return Growth(Rate.LOG, unknown) if outer.power > 1 else BOUNDED
        case Rate.POWER, Rate.EXP:
            return Growth(Rate.FASTER, outer.factor, math.inf)
        case Rate.POWER, Rate.FASTER:
            return Growth(Rate.FASTER, outer.factor, outer.power * inner.power)
        case Rate.LOG, Rate.POWER:
            return Growth(Rate.LOG, outer.factor * inner.power)
        case Rate.LOG, Rate.EXP:
            return Growth(Rate.POWER, outer.factor, 1.0)
        case Rate.LOG, Rate.FASTER:
            return Growth(Rate.LOG, outer.factor * inner.power)
        case Rate.LOG, Rate.LOG:
            return BOUNDED
        case Rate.EXP, Rate.LOG:
            return Growth(Rate.POWER, unknown, inner.factor)
        case Rate.EXP, _:
            return Growth(Rate.FASTER, outer.factor, math.inf)
        case Rate.FASTER, Rate.LOG:
            return Growth(Rate.LOG, unknown) if outer.power >= 1 else BOUNDED
        case Rate.FASTER, Rate.POWER:
            return Growth(Rate.FASTER, outer.factor, outer.power * inner.power)
        case _:
            return Growth(Rate.FASTER, outer.factor, math.inf)
