"""What a graph is before it becomes C: cells, few kinds of work, each over an array of elements.

Operators that only move elements about are no cells: they are a `Read`, a way to come from an index
of the reader to one of the cell that is read. So a gradient's expands, reshapes and transposes cost
nothing, and what is left are four kinds of work: element by element, folds of many elements to
one, elements put together, and blocks that need whole arrays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from numpy.typing import NDArray

from ebmlang.graph import Kind
from ebmlang.lower.native.places import Index, Place

Shape: TypeAlias = tuple[int, ...]
At: TypeAlias = Callable[[Index], Index]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """An array as somebody reads it.

    Attributes:
        cell: Number of the cell that has the elements.
        shape: The shape that the reader sees.
        kind: What the elements are.
        at: From an index of that shape to one of the cell.
    """

    cell: int
    shape: Shape
    kind: Kind
    at: At

    def through(self, shape: Shape, at: At) -> "Read":
        """Return the same elements seen in another shape."""
        inner = self.at
        return Read(cell=self.cell, shape=shape, kind=self.kind, at=lambda i: inner(at(i)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """An array that stands in memory, or is known, before the function runs.

    Attributes:
        kind, shape: Of the array.
        load: Gives the C expression of the element at a position in C order, a vector.
        constant: Its value, if that is known now. Any: float64, int64 or bool.
        fixed: Whether all lanes have the same elements.
    """

    kind: Kind
    shape: Shape
    load: Callable[[Place], str]
    constant: NDArray[Any] | None = None
    fixed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """Element by element: a C expression of one element of each operand, `{0}`, `{1}`, ...

    Attributes:
        kind, shape: Of the result.
        template: The expression.
        reads: The operands, each seen in the shape of the result.
        memory: A cell whose memory the expression names as `{m}`.
    """

    kind: Kind
    shape: Shape
    template: str
    reads: tuple[Read, ...]
    memory: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """Many elements to one: accumulators that start, take a step per element, and give a result.

    Attributes:
        kind, shape: Of the result.
        over: What is gone through, in this order.
        reads: Operands, each seen in the shape `over`.
        into: From an index of `over` to one of the result.
        initial: What each accumulator starts with.
        step: Statement over accumulators `{a0}`, ... and elements `{x0}`, ...
        result: Expression of the accumulators.
        joined: Where any two parts of the elements can be folded by themselves: expression of what
            they come to, `{0}` and `{1}`.
        element: What a part of one element comes to.
        together: How many neighbors along the axis `ahead` are folded at once.
        ahead: An axis of `over` that is kept, counted from the front.
        scatters: Whether elements of one result are met in any order, not one after the other.
    """

    kind: Kind
    shape: Shape
    over: Shape
    reads: tuple[Read, ...]
    into: At
    initial: tuple[str, ...]
    step: str
    result: str = "{a0}"
    joined: str | None = None
    element: str = "{x0}"
    together: int = 1
    ahead: int = 0
    scatters: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """An array put together from pieces, each written by a `Copy`."""

    kind: Kind
    shape: Shape
    copies: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Elements written to a place of their own: a piece of a join, or an output.

    Attributes:
        kind, shape: Of the piece.
        read: What is copied.
        into: From an index of the piece to one of the whole.
        size: The shape of the whole.
        target: The name of the memory that is written, where it is not that of a join.
    """

    kind: Kind
    shape: Shape
    read: Read
    into: At
    size: Shape
    target: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Work on whole arrays in memory.

    Attributes:
        kind, shape: Of the result.
        sources: Joins that hold its operands.
        write: Gives the C text, from the names of the result and the operands.
        room: Vectors of scratch it needs; their name is the last one that `write` gets.
        inside: Whether the result stands in the memory of the first source.
        work: Elements that it computes besides its result and its scratch, over all its loops.
    """

    kind: Kind
    shape: Shape
    sources: tuple[int, ...]
    write: Callable[[str, tuple[str, ...], str], str]
    room: int = 0
    inside: bool = False
    work: int = 0


Cell: TypeAlias = Leaf | Compute | Fold | Join | Copy | Block
