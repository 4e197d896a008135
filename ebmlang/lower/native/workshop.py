"""Cells under construction: what the rules that lower operators share."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebmlang.graph import Constant, Kind
from ebmlang.lower.native.cells import At, Block, Cell, Compute, Copy, Fold, Join, Leaf, Read, Shape
from ebmlang.lower.native.places import Index, Place, broadcast, flat

LITERALS = 64
"""Elements up to which a constant is written into the text, where its elements are known there."""

_SPLAT = {Kind.REAL: "splat", Kind.INT: "splat_int", Kind.BOOL: "splat_bool"}


class DeclinedError(Exception):
    """A graph has something that no C is written for; the message says what."""


@dataclass(slots=True)
class Registry:
    """Arrays that a function is handed: by node number, or by value for constants."""

    shared: dict[int | Constant, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    kinds: list[Kind] = field(default_factory=list)

    def share(self, key: int | Constant, kind: Kind) -> str:
        """Return the name of a shared array."""
        place = self.shared.setdefault(key, len(self.shared))
        if place == len(self.kinds):
            self.kinds.append(kind)
        return f"s{place}"


@dataclass(slots=True)
class Workshop:
    """The cells made so far.

    Attributes:
        registry: What all cells of one function are handed.
        prefix: What names of its variables begin with.
        cells: In an order of dependence.
    """

    registry: Registry
    prefix: str = ""
    cells: list[Cell] = field(default_factory=list)

    def add(self, cell: Cell) -> Read:
        """Take in a cell and return its elements as they are."""
        self.cells.append(cell)
        assert not isinstance(cell, Copy)
        return Read(
            cell=len(self.cells) - 1, shape=cell.shape, kind=cell.kind, at=lambda index: index
        )

    def compute(
        self, template: str, *reads: Read, kind: Kind = Kind.REAL, shape: Shape | None = None
    ) -> Read:
        """Return an expression of elements of operands of one shape."""
        chosen = reads[0].shape if shape is None else shape
        return self.add(Compute(kind=kind, shape=chosen, template=template, reads=reads))

    def compute_in(self, memory: int, template: str, read: Read) -> Read:
        """Return an expression of elements of an operand and of a cell's memory, `{m}`."""
        return self.add(
            Compute(
                kind=Kind.REAL, shape=read.shape, template=template, reads=(read,), memory=memory
            )
        )

    def real(self, read: Read) -> Read:
        """Return whole numbers and truth values as reals."""
        if read.kind is Kind.INT:
            return self._converted("to_real({0})", read)
        if read.kind is Kind.BOOL:
            return self._converted("choose({0}, splat(1), ZERO(vec))", read)
        return read

    def _converted(self, template: str, read: Read) -> Read:
        cell = self.cells[read.cell]
        if isinstance(cell, Leaf) and cell.constant is not None:
            leaf = self.constant(cell.constant.astype(np.float64))
            return Read(cell=leaf.cell, shape=read.shape, kind=Kind.REAL, at=read.at)
        return self.compute(template, read)

    def count_work(self) -> int:
        """Return how many elements the cells compute."""
        work = 0
        for cell in self.cells:
            match cell:
                case Compute():
                    work += math.prod(cell.shape)
                case Fold():
                    work += math.prod(cell.over)
                case Block():
                    work += math.prod(cell.shape) + cell.room + cell.work
                case _:
                    pass
        return work

    # --- leaves ----------------------------------------------------------------------

    def constant(self, array: NDArray[Any]) -> Read:
        """Return a known array."""
        kind = {"f": Kind.REAL, "i": Kind.INT, "b": Kind.BOOL}[array.dtype.kind]
        return self._given(Constant(array), kind, array.shape, array)

    def shared(self, number: int, kind: Kind, shape: Shape) -> Read:
        """Return the value of a node that no unknown decides."""
        return self._given(number, kind, shape, None)

    def _given(
        self, key: int | Constant, kind: Kind, shape: Shape, array: NDArray[Any] | None
    ) -> Read:
        def load(place: Place) -> str:
            if array is not None and isinstance(place, int) and array.size <= LITERALS:
                return _literal(array.reshape(-1)[place], kind)
            return f"{_SPLAT[kind]}({self.registry.share(key, kind)}[{place}])"

        return self.add(Leaf(kind=kind, shape=shape, load=load, constant=array, fixed=True))

    def number(self, value: float, shape: Shape = ()) -> Read:
        """Return one real, seen in any shape."""
        return self.constant(np.asarray(float(value))).through(shape, lambda _: ())

    def memory(self, name: str, kind: Kind, shape: Shape, offset: int = 0) -> Read:
        """Return an array of vectors that stands in memory under a name."""

        def load(place: Place) -> str:
            if isinstance(place, int):
                return f"{name}[{offset + place}]"
            return f"{name}[{offset} + {place}]" if offset else f"{name}[{place}]"

        return self.add(Leaf(kind=kind, shape=shape, load=load))

    def is_fixed(self, read: Read) -> bool:
        """Whether an array is the same for all lanes."""
        leaf = self.cells[read.cell]
        return isinstance(leaf, Leaf) and leaf.fixed

    def place(self, read: Read, index: Index) -> Place:
        """Return a whole number that is the same for all lanes as a place."""
        leaf = self.cells[read.cell]
        assert isinstance(leaf, Leaf)
        position = flat(read.at(index), leaf.shape)
        if leaf.constant is not None and isinstance(position, int):
            return int(leaf.constant.reshape(-1)[position])
        return leaf.load(position).removeprefix("splat_int(").removesuffix(")")

    # --- arrays in memory ------------------------------------------------------------

    def join(self, kind: Kind, shape: Shape, pieces: Sequence[tuple[Read, At]]) -> Read:
        """Return an array made of pieces, and where the elements of each go."""
        copies = []
        for read, into in pieces:
            if math.prod(read.shape) == 0:
                continue
            self.cells.append(Copy(kind=kind, shape=read.shape, read=read, into=into, size=shape))
            copies.append(len(self.cells) - 1)
        return self.add(Join(kind=kind, shape=shape, copies=tuple(copies)))

    def in_memory(self, read: Read) -> int:
        """Return the number of a cell that has these elements, in C order, in memory."""
        return self.join(read.kind, read.shape, [(read, lambda index: index)]).cell


def repeat(read: Read, shape: Shape) -> Read:
    """Return an operand repeated by broadcasting."""
    if read.shape == shape:
        return read
    own = read.shape
    return read.through(shape, lambda index: broadcast(index, own))


def line_up(reads: Sequence[Read], ranks: Sequence[int]) -> tuple[Shape, tuple[Read, ...]]:
    """Return the common leading axes of operands with own axes, and the operands behind them."""
    leads = [read.shape[: len(read.shape) - rank] for read, rank in zip(reads, ranks, strict=True)]
    lead = tuple(int(size) for size in np.broadcast_shapes(*leads))
    wide = (
        repeat(read, (*lead, *read.shape[len(read.shape) - rank :]))
        for read, rank in zip(reads, ranks, strict=True)
    )
    return lead, tuple(wide)


def choose_axes(*axes: int) -> Callable[[Index], Index]:
    """Return the map from an index to some of its places."""
    return lambda index: tuple(index[axis] for axis in axes)


def _literal(value: Any, kind: Kind) -> str:  # Any: a NumPy number of any kind
    if kind is Kind.BOOL:
        return f"splat_bool({int(value)})"
    if kind is Kind.INT:
        return f"splat_int({int(value)}LL)"
    number = float(value)
    if math.isnan(number):
        return "splat((real)NAN)"
    if math.isinf(number):
        return f"splat((real){'-' if number < 0 else ''}INFINITY)"
    return f"splat((real){number.hex()})"
