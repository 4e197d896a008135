"""Ranges of large arrays, without arrays as large.

A quantifier over 10^4 points has 5 * 10^7 pairs, and what one of them lies between is nearly always
what all of them do. So a large array has one range along its longest axes, the hull of what its
elements have there: wider where they differ, and still a proof. It is kept as a view that repeats
one element.
"""

import math
from collections.abc import Sequence

import numpy as np

from ebmlang.graph import Node
from ebmlang.lang.behavior import enclose
from ebmlang.lang.interval import Bound, Interval
from ebmlang.lang.operator import Family
from ebmlang.lang.table import OPERATORS

MANY = 1_000_000
"""Elements past which an array has one range along its longest axes."""

_IDEMPOTENT = frozenset({"min", "max", "mean"})
"""Reductions that give, of many equal elements, that element; the others can be put together from
reductions of two."""


def is_large(node: Node, operands: Sequence[Interval]) -> bool:
    """Whether a node's range is better found by `enclose_large`."""
    sizes = [math.prod(node.shape), *(math.prod(x.shape) for x in operands)]
    return max(sizes) > MANY


def enclose_large(node: Node, operands: Sequence[Interval]) -> Interval:
    """Return the range of an operator of the table over large operands, or with a large result."""
    record = OPERATORS[node.operator]
    large = math.prod(node.shape) > MANY
    match record.family:
        case Family.ELEMENTWISE if large:
            axes = _longest(node.shape)
            thin = [_collapsed(x, [axis - len(node.shape) for axis in axes]) for x in operands]
            return _repeated(enclose(record, thin, dict(node.options)), node.shape)
        case Family.REDUCTION:
            return _reduced(node, operands[0])
        case Family.STRUCTURAL if node.operator in ("take", "gather") and large:
            return _picked(node, *operands)
        case _:
            return enclose(record, operands, dict(node.options))


def _longest(shape: tuple[int, ...]) -> list[int]:
    """Return the axes, from the front, without which an array is not large."""
    axes: list[int] = []
    rest = math.prod(shape)
    for axis in sorted(range(len(shape)), key=lambda axis: -shape[axis]):
        if rest <= MANY:
            break
        axes.append(axis)
        rest //= max(1, shape[axis])
    return axes


def _collapsed(x: Interval, axes: Sequence[int]) -> Interval:
    """Return the hull along axes, counted from the end; they stay with size 1."""
    rank = len(x.shape)
    own = tuple(axis for axis in axes if -axis <= rank and x.shape[axis] > 1)
    if not own:
        return x
    # What repeats one element is read once.
    lower, upper = (_distinct(end, own) for end in (x.lower, x.upper))
    return Interval.make(
        np.min(lower, axis=own, keepdims=True), np.max(upper, axis=own, keepdims=True)
    )


def _distinct(end: Bound, axes: Sequence[int]) -> Bound:
    index = [slice(None)] * end.ndim
    for axis in axes:
        if end.strides[axis] == 0:
            index[axis] = slice(0, 1)
    return end[tuple(index)]


def _repeated(x: Interval, shape: tuple[int, ...]) -> Interval:
    return Interval(np.broadcast_to(x.lower, shape), np.broadcast_to(x.upper, shape))


def _picked(node: Node, base: Interval, index: Interval) -> Interval:
    """Return the hull of all elements that could be picked, at each place."""
    picks = node.option("axis") if node.operator == "take" else -node.option("rank") - 1
    hull = _collapsed(base, [picks])
    rank, own = len(base.shape), -picks - 1
    lead, behind = hull.shape[: rank + picks], hull.shape[rank - own :]
    ones = (1,) * len(index.shape) if node.operator == "take" else ()
    shape = (*lead, *ones, *behind)
    return _repeated(Interval(hull.lower.reshape(shape), hull.upper.reshape(shape)), node.shape)


def _reduced(node: Node, x: Interval) -> Interval:
    rank, reduced = len(x.shape), node.option("axes")
    long = [axis - rank for axis in _longest(x.shape)]
    thin = _collapsed(x, long)
    record = OPERATORS[node.operator]
    found = enclose(record, [thin], dict(node.options))
    count = math.prod(x.shape[axis] for axis in long if axis in reduced)
    if node.operator not in _IDEMPOTENT:
        found = _many(node.operator, found, count)
    return _repeated(found, node.shape)


def _many(operator: str, x: Interval, count: int) -> Interval:
    """Return a reduction of so many numbers that lie in the same interval, by doubling."""

    def both(a: Interval, b: Interval) -> Interval:
        pair = Interval(
            np.stack([a.lower, b.lower], axis=-1), np.stack([a.upper, b.upper], axis=-1)
        )
        return enclose(OPERATORS[operator], [pair], {"axes": (-1,)})

    total: Interval | None = None
    while True:
        if count % 2:
            total = x if total is None else both(total, x)
        count //= 2
        if not count:
            break
        x = both(x, x)
    assert total is not None, "a large array has elements"
    return total
