"""Derivatives of reductions: the cotangent spread over the reduced axes, times a slope."""

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from ebmlang.passes.gradient.algebra import Algebra
from ebmlang.passes.gradient.rule import Rule, Step
from ebmlang.passes.simplification.site import LARGEST

_CERTAIN = 40.0
"""Smallest energy of the alternatives past which products of their exp(-C) do not count
[nats]: exp(-40) is below the rounding of float64."""

_HOPELESS = 80.0
"""Energy by which an alternative is behind another and counts no more [nats]: exp(80) is a number,
in float32 too."""

MANY = 1 << 16
"""Alternatives past which products of all but one are made by logs: that takes one place at a time,
and no arrays of all of them."""


def _spread(f: Algebra, number: int, step: Step) -> int:
    """Put reduced axes back, with size 1."""
    return f.insert(number, *step.options["axes"])


def _sum(f: Algebra, g: int, step: Step, _: int) -> int:
    return _spread(f, g, step)


def _count(f: Algebra, step: Step) -> int:
    shape = f.shape(step.x[0])
    return math.prod(shape[axis] for axis in step.options["axes"])


def _mean(f: Algebra, g: int, step: Step, _: int) -> int:
    share = f.array(np.full((1,) * len(f.shape(g)), 1.0 / max(1, _count(f, step))))
    return _spread(f, f("mul", g, share), step)


def _norm(f: Algebra, g: int, step: Step, _: int) -> int:
    slope = f.where_zero(step.y, f("div", g, step.y))
    return f("mul", _spread(f, slope, step), step.x[0])


def _minimum(f: Algebra, g: int, step: Step, _: int) -> int:
    (x,) = step.x
    return _shared(f, g, step, f("less_equal", x, _spread(f, step.y, step)))


def _maximum(f: Algebra, g: int, step: Step, _: int) -> int:
    (x,) = step.x
    return _shared(f, g, step, f("less_equal", _spread(f, step.y, step), x))


def _shared(f: Algebra, g: int, step: Step, is_extreme: int) -> int:
    """Share the cotangent evenly among the elements that are the extreme one."""
    ones = f.array(np.ones((1,) * len(f.shape(is_extreme))))
    count = f.apply("sum", f.gate(is_extreme, ones), axes=step.options["axes"])
    return f.gate(is_extreme, _spread(f, f("div", g, count), step))


def _logsumexp(f: Algebra, g: int, step: Step, _: int) -> int:
    # Kept above -inf, so that a difference of two of them is no nan but -inf, and its exp 0.
    rank = len(f.shape(step.y))
    total = f("maximum", step.y, f.array(np.full((1,) * rank, -LARGEST)))
    weights = f("exp", f("sub", step.x[0], _spread(f, total, step)))
    return f("mul", _spread(f, g, step), weights)


def _product(f: Algebra, g: int, step: Step, _: int) -> int:
    flat = _Flat(f, step)
    return flat.back(f("mul", f.insert(g, -1), f("others", flat.x)))


def _noisy_or(f: Algebra, g: int, step: Step, _: int) -> int:
    """dE/dC_i = exp(m - C_i) prod_{j != i} (1 - exp(-C_j)) / (exp(m) (1 - P)), m the smallest C.

    The denominator is at least 1, and a sum of exp(m - C_k) where P is 1 to all digits.
    """
    if step.options["axes"] == (-1,) and f.shape(step.x[0])[-1] == 2:
        return _noisy_or_of_two(f, g, step)
    if _count(f, step) > MANY:
        return _noisy_or_of_many(f, g, step)
    flat = _Flat(f, step)
    failures = f("neg", f("expm1", f("neg", flat.x)))
    odds, mass = _odds(f, flat.x, f.insert(step.y, -1), (-1,))
    slopes = f("div", f("mul", odds, f("others", failures)), mass)
    return flat.back(f("mul", f.insert(g, -1), slopes))


def _noisy_or_of_many(f: Algebra, g: int, step: Step) -> int:
    """The same with products as sums of logs, element by element: those that are 0 are counted.

    Its relative error is that of the sum of the logs.
    """
    (x,) = step.x
    axes = step.options["axes"]
    zero, one = (f.array(np.full((1,) * len(f.shape(x)), value)) for value in (0.0, 1.0))
    odds, mass = _odds(f, x, _spread(f, step.y, step), axes)
    logs = f.where_zero(x, f("log1mexp", x))
    product = f("exp", f("sub", _spread(f, f.apply("sum", logs, axes=axes), step), logs))
    certain = f.gate(f("less_equal", x, zero), one)
    others = f("sub", _spread(f, f.apply("sum", certain, axes=axes), step), certain)
    slopes = f("div", f("mul", odds, product), mass)
    return f("mul", _spread(f, g, step), f.gate(f("less_equal", others, zero), slopes))


def _odds(f: Algebra, x: int, y: int, axes: tuple[int, ...]) -> tuple[int, int]:
    """Return exp(m - C_i) and exp(m) (1 - P), whose axes have size 1."""
    rank = len(f.shape(x))
    largest, certain, one = (
        f.array(np.full((1,) * rank, value)) for value in (LARGEST, _CERTAIN, 1.0)
    )
    least = f.insert(f.apply("min", x, axes=axes), *axes)
    least = f("minimum", least, largest)
    odds = f("exp", f("sub", least, x))
    total = f.insert(f.apply("sum", odds, axes=axes), *axes)
    mass = f(
        "where",
        f("less_equal", certain, least),
        total,
        f("exp", f("sub", f("minimum", least, certain), y)),
    )
    # Rounding may take it below; so does nothing else, but for energies that are all inf.
    return odds, f("maximum", mass, one)


def _noisy_or_of_two(f: Algebra, g: int, step: Step) -> int:
    """dE/da = q / (q + exp(a - b)) with q = 1 - exp(-b): where the exp overflows, it is 0.

    The slope of that has exp(a - b) as a factor of what it divided, and inf times 0 is no number.
    """
    (x,) = step.x
    rank = len(f.shape(g))
    largest, hopeless = (f.array(np.full((1,) * rank, value)) for value in (LARGEST, _HOPELESS))
    a, b = (f.apply("take", x, f.array(np.asarray(i)), axis=-1) for i in (0, 1))

    def gain(own: int, other: int) -> int:
        failure = f("neg", f("expm1", f("neg", other)))
        ahead = f("sub", own, f("minimum", other, largest))
        odds = f("exp", f("minimum", ahead, hopeless) if f.again else ahead)
        slope = f("div", failure, f("add", failure, odds))
        return f.full(f("mul", g, slope), f.shape(step.y))

    return f.apply("stack", gain(a, b), gain(b, a), axis=-1)


class _Flat:
    """The operand of a reduction with its reduced axes as one, the last."""

    def __init__(self, f: Algebra, step: Step) -> None:
        self.f = f
        (x,) = step.x
        shape = f.shape(x)
        self.places = sorted(len(shape) + axis for axis in step.options["axes"])
        kept = [i for i in range(len(shape)) if i not in self.places]
        self.count = math.prod(shape[i] for i in self.places)
        # From the front, each goes to the end: those behind keep their order.
        moved = x
        for done, place in enumerate(self.places):
            source = place - done - len(shape)
            if source != -1:
                moved = f.apply("moveaxis", moved, source=source, target=-1)
        self.moved = f.shape(moved)
        self.shape = shape
        self.x = f.reshape(moved, (*(shape[i] for i in kept), self.count))

    def back(self, number: int) -> int:
        """Return an array of the flat shape in the shape of the operand."""
        f = self.f
        flat = (*f.shape(self.x)[:-1], self.count)
        number = f.reshape(f.full(number, flat), self.moved)
        for done in range(len(self.places) - 1, -1, -1):
            target = self.places[done] - done - len(self.shape)
            if target != -1:
                number = f.apply("moveaxis", number, source=-1, target=target)
        return number


REDUCTIONS: Mapping[str, tuple[Rule | None, ...]] = MappingProxyType(
    {
        "sum": (_sum,),
        "mean": (_mean,),
        "norm": (_norm,),
        "min": (_minimum,),
        "max": (_maximum,),
        "logsumexp": (_logsumexp,),
        "prod": (_product,),
        "noisy_or": (_noisy_or,),
    }
)
"""By operator, the rule of its operand."""
