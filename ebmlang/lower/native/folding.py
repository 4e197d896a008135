"""Reductions and products of vectors and matrices: folds over what is summed."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TypedDict

from ebmlang.graph import Kind, Node
from ebmlang.lower.kernels import EMPTY
from ebmlang.lower.native.blocks import in_blocks
from ebmlang.lower.native.cells import Fold, Read, Shape
from ebmlang.lower.native.movement import Rule
from ebmlang.lower.native.places import Index, add, modulo
from ebmlang.lower.native.templates import INITIAL, JOINED
from ebmlang.lower.native.workshop import DeclinedError, Workshop, choose_axes, line_up, repeat

TOGETHER = 8
"""Sums that run side by side: as many as additions that a core has under way at a time."""

PAIRWISE = 16
"""Elements up to which each product of all others is made by itself."""

_LARGEST = {"min": "INT64_MAX", "max": "INT64_MIN"}


def fold(shop: Workshop, operator: str, x: Read, axes: Sequence[int]) -> Read:
    """Return the sum, product, smallest or largest element over axes, counted from the front."""
    kept = [axis for axis in range(len(x.shape)) if axis not in axes]
    whole = x.kind is Kind.INT
    start = INITIAL[operator]
    initial = f"splat_int({_LARGEST.get(operator, start)})" if whole else f"splat((real){start})"
    return shop.add(
        Fold(
            kind=x.kind,
            shape=tuple(x.shape[axis] for axis in kept),
            over=x.shape,
            reads=(x,),
            into=choose_axes(*kept),
            initial=(initial,),
            **_joining(JOINED[operator][whole]),
        )
    )


class _Joining(TypedDict):
    """Those attributes of a fold that say what becomes of an element."""

    step: str
    joined: str
    element: str


def _joining(joined: str, element: str = "{x0}") -> _Joining:
    """Return how elements are folded one by one, and how parts of them are."""
    return {
        "step": f"{{a0}} = {joined.format('{a0}', element)};",
        "joined": joined,
        "element": element,
    }


def _reduced(shop: Workshop, node: Node, reads: Sequence[Read]) -> Read:
    (x,) = reads
    axes = [len(x.shape) + axis for axis in node.option("axes")]
    if node.kind is Kind.REAL:
        x = shop.real(x)
    if any(x.shape[axis] == 0 for axis in axes):
        empty = shop.number(float(EMPTY[node.operator]), node.shape)
        return (
            empty if node.kind is Kind.REAL else shop.compute("to_int({0})", empty, kind=node.kind)
        )
    if node.operator in JOINED:
        return fold(shop, node.operator, x, axes)
    return _COMPOUND[node.operator](shop, x, axes)


def _mean(shop: Workshop, x: Read, axes: Sequence[int]) -> Read:
    total = fold(shop, "sum", x, axes)
    count = math.prod(x.shape[axis] for axis in axes)
    return shop.compute(f"{{0}} / splat((real){count})", total)


def _norm(shop: Workshop, x: Read, axes: Sequence[int]) -> Read:
    squares = shop.compute("{0} * {0}", x)
    return shop.compute("root({0})", fold(shop, "sum", squares, axes))


def _logsumexp(shop: Workshop, x: Read, axes: Sequence[int]) -> Read:
    top = fold(shop, "max", x, axes)
    shift = shop.compute("choose(is_finite({0}), {0}, ZERO(vec))", top)
    raised = shop.compute("exponential({0} - {1})", x, _behind(shift, x.shape, axes))
    return shop.compute("logarithm({0}) + {1}", fold(shop, "sum", raised, axes), shift)


def _noisy_or(shop: Workshop, x: Read, axes: Sequence[int]) -> Read:
    """Return -log(1 - P), P = prod(1 - exp(-C)); small P from log P, else in the telescoping form.

    1 - P = sum_i exp(-C_i) prod_{j<i} (1 - exp(-C_j)), with exp(-min C) taken out of the sum.
    Where log P >= -log 2 the sum is at least 1/2 then, and no term of it overflows.
    """
    kept = [axis for axis in range(len(x.shape)) if axis not in axes]
    order = [*kept, *axes]
    back = [order.index(axis) for axis in range(len(order))]
    over = tuple(x.shape[axis] for axis in order)
    moved = x.through(over, choose_axes(*back))
    least = fold(shop, "min", x, axes)
    shift = shop.compute("choose(is_finite({0}), {0}, ZERO(vec))", least)
    count = len(kept)
    return shop.add(
        Fold(
            kind=Kind.REAL,
            shape=over[:count],
            over=over,
            reads=(moved, shift.through(over, lambda index: index[:count])),
            into=lambda index: index[:count],
            initial=("ZERO(vec)",) * 3,
            step="{a0} += exponential({a1} - ({x0} - {x1})); {a1} += log_of_failure({x0}); "
            "{a2} = {x1};",
            result="either_failure({a0}, {a1}, {a2})",
        )
    )


def _behind(read: Read, shape: Shape, axes: Sequence[int]) -> Read:
    """Return what was folded over axes, repeated along them."""
    kept = [axis for axis in range(len(shape)) if axis not in axes]
    return read.through(shape, choose_axes(*kept))


_COMPOUND = MappingProxyType(
    {"mean": _mean, "norm": _norm, "logsumexp": _logsumexp, "noisy_or": _noisy_or}
)


# --- products ------------------------------------------------------------------------


def product(shop: Workshop, kind: Kind, a: Read, b: Read) -> Read:
    """Return the sums, over the last axis, of products of elements of operands of one shape."""
    shape = a.shape[:-1]
    ahead = len(shape) - 1
    return shop.add(
        Fold(
            kind=kind,
            shape=shape,
            over=a.shape,
            reads=(a, b),
            into=lambda index: index[:-1],
            initial=("ZERO(lvec)" if kind is Kind.INT else "ZERO(vec)",),
            **_joining(JOINED["sum"][kind is Kind.INT], "{x0} * {x1}"),
            together=min(TOGETHER, shape[-1]) if shape else 1,
            ahead=max(ahead, 0),
        )
    )


def _multiplied(pattern: tuple[str, str, str]) -> Rule:
    """Return the rule of a product whose own axes are named by letters, `n` being summed."""
    left, right, out = pattern

    def rule(shop: Workshop, node: Node, reads: Sequence[Read]) -> Read:
        ready = [shop.real(r) for r in reads] if node.kind is Kind.REAL else list(reads)
        lead, (a, b) = line_up(ready, (len(left), len(right)))
        rank = len(lead)
        sizes = dict(zip(left + right, (*a.shape[rank:], *b.shape[rank:]), strict=True))
        names = out + "n"
        over = (*lead, *(sizes[name] for name in names))
        if sizes["n"] == 0:
            return shop.number(0.0, node.shape)
        first, second = (
            read.through(over, choose_axes(*range(rank), *(rank + names.index(n) for n in own)))
            for read, own in ((a, left), (b, right))
        )
        return product(shop, node.kind, first, second)

    return rule


def _trace(shop: Workshop, node: Node, reads: Sequence[Read]) -> Read:
    (x,) = reads
    shape = (*node.shape, x.shape[-1])
    return fold(shop, "sum", x.through(shape, lambda index: (*index, index[-1])), [len(shape) - 1])


def _cross(shop: Workshop, node: Node, reads: Sequence[Read]) -> Read:
    a, b = (repeat(shop.real(read), node.shape) for read in reads)
    parts = ((a, 1), (b, 2), (a, 2), (b, 1))
    turned = (_turned(read, node.shape, steps) for read, steps in parts)
    return shop.compute("{0} * {1} - {2} * {3}", *turned)


def _turned(x: Read, shape: Shape, steps: int) -> Read:
    """Return vectors whose elements are those that come so many steps later, around the end."""
    return x.through(shape, lambda index: (*index[:-1], modulo(add(index[-1], steps), shape[-1])))


def _scatter(shop: Workshop, node: Node, reads: Sequence[Read]) -> Read:
    """Add elements to zeros at their places."""
    x, index = reads
    if not shop.is_fixed(index):
        raise DeclinedError("adds elements by an index that unknowns decide")
    axis = len(node.shape) + node.option("axis")
    rank = len(index.shape)

    def into(places: Index) -> Index:
        place = shop.place(index, places[axis : axis + rank])
        return (*places[:axis], place, *places[axis + rank :])

    x = shop.real(x) if node.kind is Kind.REAL else x
    return shop.add(
        Fold(
            kind=node.kind,
            shape=node.shape,
            over=x.shape,
            reads=(x,),
            into=into,
            initial=("ZERO(lvec)" if node.kind is Kind.INT else "ZERO(vec)",),
            **_joining(JOINED["sum"][node.kind is Kind.INT]),
            scatters=True,
        )
    )


def _others(shop: Workshop, node: Node, reads: Sequence[Read]) -> Read:
    """Return, for each element, the product of the others along the last axis."""
    x = shop.real(reads[0])
    n = node.shape[-1]
    if n == 1:
        return shop.number(1.0, node.shape)
    if n <= PAIRWISE:
        around = [_turned(x, node.shape, steps) for steps in range(1, n)]
        template = " * ".join(f"{{{i}}}" for i in range(n - 1))
        return shop.compute(template, *around, shape=node.shape)
    return in_blocks(shop, node, x, "others_lanes({0}, {x}, {n});")


FOLDS: Mapping[str, Rule] = MappingProxyType(
    {
        **dict.fromkeys((*JOINED, *_COMPOUND), _reduced),
        "dot": _multiplied(("n", "n", "")),
        "matvec": _multiplied(("mn", "n", "m")),
        "vecmat": _multiplied(("n", "np", "p")),
        "matmul": _multiplied(("mn", "np", "mp")),
        "trace": _trace,
        "cross": _cross,
        "scatter": _scatter,
        "others": _others,
    }
)
"""Rule by the name of the operator."""
