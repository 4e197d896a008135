"""Operators that only move elements about: where each element of the result is read."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

from ebmlang.graph import Kind, Node
from ebmlang.lower.native.cells import At, Leaf, Read
from ebmlang.lower.native.places import Index, Place, add, regroup
from ebmlang.lower.native.workshop import DeclinedError, Workshop, line_up, repeat

Rule: TypeAlias = Callable[[Workshop, Node, Sequence[Read]], Read]


def _reshape(_shop: Workshop, node: Node, reads: Sequence[Read]) -> Read:
    (x,) = reads
    return x.through(node.shape, lambda index: regroup(index, node.shape, x.shape))


def _expand(_shop: Workshop, node: Node, reads: Sequence[Read]) -> Read:
    return repeat(reads[0], node.shape)


def _moveaxis(_shop: Workshop, node: Node, reads: Sequence[Read]) -> Read:
    rank = len(node.shape)
    source, target = node.option("source") % rank, node.option("target") % rank

    def at(index: Index) -> Index:
        rest = [place for axis, place in enumerate(index) if axis != target]
        rest.insert(source, index[target])
        return tuple(rest)

    return reads[0].through(node.shape, at)


def _slice(_shop: Workshop, node: Node, reads: Sequence[Read]) -> Read:
    axis, start = len(node.shape) + node.option("axis"), node.option("start")
    return reads[0].through(node.shape, _shifted(axis, start))


def _shifted(axis: int, offset: Place) -> At:
    return lambda index: (*index[:axis], add(index[axis], offset), *index[axis + 1 :])


def _transpose(_shop: Workshop, node: Node, reads: Sequence[Read]) -> Read:
    return reads[0].through(node.shape, lambda index: (*index[:-2], index[-1], index[-2]))


# --- pieces put together -------------------------------------------------------------


def _stack(shop: Workshop, node: Node, reads: Sequence[Read]) -> Read:
    axis = len(node.shape) + node.option("axis")
    ready = _alike(shop, node, reads)

    def into(place: int) -> At:
        return lambda index: (*index[:axis], place, *index[axis:])

    return shop.join(node.kind, node.shape, [(read, into(i)) for i, read in enumerate(ready)])


def _concat(shop: Workshop, node: Node, reads: Sequence[Read]) -> Read:
    axis = len(node.shape) + node.option("axis")
    pieces, start = [], 0
    for read in _alike(shop, node, reads):
        pieces.append((read, _shifted(axis, start)))
        start += read.shape[axis]
    return shop.join(node.kind, node.shape, pieces)


def _alike(shop: Workshop, node: Node, reads: Sequence[Read]) -> list[Read]:
    return [shop.real(read) if node.kind is Kind.REAL else read for read in reads]


# --- elements by their number --------------------------------------------------------


def _take(shop: Workshop, node: Node, reads: Sequence[Read]) -> Read:
    x, index = reads
    axis = len(x.shape) + node.option("axis")
    rank = len(index.shape)
    if not shop.is_fixed(index):
        raise DeclinedError("takes elements by an index that unknowns decide")

    def at(places: Index) -> Index:
        place = shop.place(index, places[axis : axis + rank])
        return (*places[:axis], place, *places[axis + rank :])

    return x.through(node.shape, at)


def _gather(shop: Workshop, node: Node, reads: Sequence[Read]) -> Read:
    rank = node.option("rank")
    lead, (x, index) = line_up(reads, (rank + 1, 0))
    split = len(lead)
    if shop.is_fixed(index):

        def at(places: Index) -> Index:
            place = shop.place(index, places[:split])
            return (*places[:split], place, *places[split:])

        return x.through(node.shape, at)
    return _picked(shop, node, x, index)


def _picked(shop: Workshop, node: Node, x: Read, index: Read) -> Read:
    """Return elements by an index that each lane has of its own."""
    if x.kind is not Kind.REAL:
        raise DeclinedError("takes whole numbers by an index that each row has of its own")
    rank = node.option("rank")
    split = len(node.shape) - rank
    own = x.shape[len(x.shape) - rank :] if rank else ()
    stride = 1
    for size in own:
        stride *= size
    whole = shop.in_memory(x)

    def load(position: Place) -> str:
        return f"splat_int({position})"

    # Where the elements start: for each place, its number in C order as if the index were 0.
    shape = (*x.shape[:split], x.shape[split], *own)
    starts = shop.add(Leaf(kind=Kind.INT, shape=shape, load=load)).through(
        node.shape, lambda places: (*places[:split], 0, *places[split:])
    )
    wide = index.through(node.shape, lambda places: places[:split])
    offset = shop.compute(f"{{0}} * {stride} + {{1}}", wide, starts, kind=Kind.INT)
    return shop.compute_in(whole, "pick((const real *){m}, {0})", offset)


MOVEMENTS: Mapping[str, Rule] = MappingProxyType(
    {
        "reshape": _reshape,
        "expand": _expand,
        "moveaxis": _moveaxis,
        "slice": _slice,
        "transpose": _transpose,
        "stack": _stack,
        "concat": _concat,
        "take": _take,
        "gather": _gather,
    }
)
"""Rule by the name of the operator."""
