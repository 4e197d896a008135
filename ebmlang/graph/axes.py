"""Which axes of a node and of its operands run along each other.

An operator works on every place of such an axis by itself, or gathers them up one after the other:
so it can be handed a part of the places at a time.
"""

import math
from collections.abc import Sequence
from typing import TypeAlias

from ebmlang.graph.node import Node
from ebmlang.lang.operator import Family
from ebmlang.lang.table import OPERATORS

Along: TypeAlias = tuple[int | None, ...]
"""For each axis of an operand: the axis of the result that it runs along, counted from the front;
a negative number, where the result has it no more, by which operands share it; None where places
depend on each other, or the operand is repeated."""

_PRODUCTS = frozenset({"dot", "matvec", "vecmat", "matmul", "transpose"})
"""Of the operators with axes of their own, those that go along them place by place."""

Shape: TypeAlias = tuple[int, ...]


def align_axes(node: Node, shapes: Sequence[Shape]) -> tuple[Along, ...]:
    """Return, for each operand of an operator of the table, what its axes run along.

    Args:
        node: The node.
        shapes: Of its operands.

    >>> from ebmlang.graph import Kind, Origin
    >>> take = Node(operator="take", options=(("axis", -2),), kind=Kind.REAL, shape=(45, 3),
    ...             origin=Origin(None, ""))
    >>> align_axes(take, [(10, 3), (45,)])
    ((None, 1), (0,))
    """
    record = OPERATORS[node.operator]
    match record.family:
        case Family.ELEMENTWISE:
            return tuple(_trailing(shape, node.shape) for shape in shapes)
        case Family.REDUCTION:
            return (_reduced(shapes[0], node.option("axes")),)
        case Family.CORE:
            return _core(node, shapes)
        case Family.STRUCTURAL:
            return _moved(node, shapes)


def _trailing(shape: Shape, target: Shape, offset: int = 0) -> Along:
    """Align axes from the last one on, as broadcasting does."""
    first = len(target) - len(shape)
    return tuple(
        offset + first + i if size == target[first + i] else None for i, size in enumerate(shape)
    )


def _reduced(shape: Shape, axes: tuple[int, ...]) -> Along:
    found: list[int | None] = []
    kept = 0
    for i in range(len(shape)):
        if i - len(shape) in axes:
            found.append(-1 - i)
        else:
            found.append(kept)
            kept += 1
    return tuple(found)


def _core(node: Node, shapes: Sequence[Shape]) -> tuple[Along, ...]:
    core = OPERATORS[node.operator].core
    assert core is not None
    loops = node.shape[: len(node.shape) - len(core.outcome)]
    found = []
    for names, shape in zip(core.operands, shapes, strict=True):
        split = len(shape) - len(names)
        own: list[int | None] = [None] * len(names)
        if node.operator in _PRODUCTS:
            own = [
                len(loops) + core.outcome.index(name) if name in core.outcome else -1
                for name in names
            ]
        found.append((*_trailing(shape[:split], loops), *own))
    return tuple(found)


def _moved(node: Node, shapes: Sequence[Shape]) -> tuple[Along, ...]:
    rank = len(shapes[0])
    match node.operator:
        case "expand":
            return (_trailing(shapes[0], node.shape),)
        case "reshape":
            return (_reshaped(shapes[0], node.shape),)
        case "moveaxis":
            order = list(range(rank))
            order.insert(rank + node.option("target"), order.pop(node.option("source")))
            return (tuple(order.index(i) for i in range(rank)),)
        case "slice" | "concat":
            axis = rank + node.option("axis")
            return tuple(tuple(None if i == axis else i for i in range(rank)) for _ in shapes)
        case "stack":
            axis = len(node.shape) + node.option("axis")
            return tuple(tuple(i + (i >= axis) for i in range(rank)) for _ in shapes)
        case "take":
            axis, count = rank + node.option("axis"), len(shapes[1])
            base = tuple(
                None if i == axis else i if i < axis else i + count - 1 for i in range(rank)
            )
            return base, tuple(axis + i for i in range(count))
        case "scatter":
            axis, count = len(node.shape) + node.option("axis"), len(shapes[1])
            if count != 1:
                return (None,) * rank, (None,) * count
            return tuple(-1 if i == axis else i for i in range(rank)), (-1,)
        case "gather":
            own = node.option("rank")
            split = len(node.shape) - own
            loops = node.shape[:split]
            first = _trailing(shapes[0][: rank - own - 1], loops)
            return (*first, None, *range(split, split + own)), _trailing(shapes[1], loops)
    return tuple((None,) * len(shape) for shape in shapes)


def _reshaped(shape: Shape, target: Shape) -> Along:
    """Align the axes that elements in C order keep."""
    places = {(math.prod(target[:i]), size): i for i, size in enumerate(target) if size > 1}
    return tuple(
        places.get((math.prod(shape[:i]), size)) if size > 1 else None
        for i, size in enumerate(shape)
    )
