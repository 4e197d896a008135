"""What is required, as formulas over margins: AND and OR of relations, one column of margins each.

A *unit* is a conjunct: a relation, or an OR, that has to hold by itself. The elements of a `forall`
are units of their own. Units are what conflicts are made of.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from ebmlang.analysis.composition import DISJUNCTIVE, Composition, Joint, Piece, TermPiece
from ebmlang.lower.module import CompiledEnergy
from ebmlang.lower.pieces import trace_pieces

Place: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Atom:
    """A relation, or anything else that has a margin and no parts."""

    column: int


@dataclass(frozen=True, slots=True)
class Every:
    """It holds where all of these do."""

    parts: "tuple[Formula, ...]"


@dataclass(frozen=True, slots=True)
class Some:
    """It holds where one of these does."""

    parts: "tuple[Formula, ...]"


Formula: TypeAlias = Atom | Every | Some


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Unit:
    """A conjunct of what is required.

    Attributes:
        term: The `require` that it is of.
        piece: Its text.
        at: Which element of the quantifiers around it.
        name: Its words, with the element in front.
        column: The column of its margin.
        formula: The same in terms of relations.
    """

    term: TermPiece
    piece: Piece
    at: Place
    name: str
    column: int
    formula: Formula


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Requirements:
    """All units, and the function that computes the margins of their columns.

    Attributes:
        units: In the order of the text.
        paths: For each column, the path of its root.
        margins: From packed points to `[chain, column]`, differentiable.
    """

    units: tuple[Unit, ...]
    paths: tuple[str, ...]
    places: tuple[Place, ...]
    margins: Callable[[Float[Tensor, "chain dim"]], Float[Tensor, "chain column"]]


def find_requirements(module: CompiledEnergy, composition: Composition) -> Requirements:
    """Return what is required, unit by unit.

    Args:
        module: Compiled from the graph of the composition, and bound.
        composition: The terms and their pieces.
    """
    pieces = [p for term in composition.required for p in _constraints(term.piece)]
    masks = [p.mask for p in pieces if p.mask is not None]
    trace = trace_pieces(module, (*(piece.root for piece in pieces), *masks))
    # What no unknown decides: which shapes there are, and which elements count.
    with torch.no_grad():
        known = trace(torch.zeros((1, module.dim), dtype=module.dtype, device=module.device))
    shapes = {piece.root: tuple(known.margins[piece.root].shape[1:]) for piece in pieces}
    starts, stop = {}, 0
    for root, shape in shapes.items():
        starts[root] = stop
        stop += int(np.prod(shape))
    counts = {mask: known.energies[mask][0].numpy().astype(bool) for mask in masks}
    columns = _Columns(starts, shapes, counts)

    def margins(x: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain column"]:
        found = trace(x).margins
        flat = [found[root].reshape(len(x), -1) for root in starts]
        return torch.cat(flat, 1) if flat else x.new_zeros((len(x), 0))

    places = [place for root in starts for place in np.ndindex(shapes[root])]
    return Requirements(
        units=tuple(
            unit
            for term in composition.required
            for unit in columns.units(term, term.piece, (), "")
        ),
        paths=tuple(root for root in starts for _ in np.ndindex(shapes[root])),
        places=tuple(places),
        margins=margins,
    )


def find_leaves(composition: Composition) -> dict[str, Piece]:
    """Return the relations of everything required, by the paths of their roots."""
    pieces = [piece for term in composition.required for piece in _constraints(term.piece)]
    return {piece.root: piece for piece in pieces if piece.joint is Joint.LEAF}


def _constraints(piece: Piece) -> Iterator[Piece]:
    yield piece
    for part in piece.parts:
        yield from _constraints(part)


@dataclass(frozen=True, slots=True, eq=False)
class _Columns:
    """Where the margin of each piece stands: the first column and the shape of its root."""

    starts: Mapping[str, int]
    shapes: Mapping[str, tuple[int, ...]]
    counts: Mapping[str, np.ndarray]

    def units(self, term: TermPiece, piece: Piece, at: Place, name: str) -> Iterator[Unit]:
        """Yield the conjuncts of a piece."""
        if piece.joint is not Joint.LEAF and piece.joint not in DISJUNCTIVE:
            for part, place in self.parts(piece, at):
                element = "" if piece.axes is None else piece.axes.name(place[len(at) :])
                yield from self.units(term, part, place, f"{name}{element}")
            return
        yield Unit(
            term=term,
            piece=piece,
            at=at,
            name=f"{name} {piece.text}".strip(),
            column=self.column(piece, at),
            formula=self.formula(piece, at),
        )

    def parts(self, piece: Piece, at: Place) -> Iterator[tuple[Piece, Place]]:
        """Yield the operands, or the elements that count."""
        if piece.axes is None:
            yield from ((part, at) for part in piece.parts)
            return
        (part,) = piece.parts
        for place in np.ndindex(piece.axes.shape):
            where = (*at, *place)
            if piece.mask is None or self.counts[piece.mask][where]:
                yield part, where

    def column(self, piece: Piece, at: Place) -> int:
        """Return the column of a piece at a place."""
        inside = int(np.ravel_multi_index(at, self.shapes[piece.root])) if at else 0
        return self.starts[piece.root] + inside

    def formula(self, piece: Piece, at: Place) -> Formula:
        """Return a piece in terms of relations."""
        if piece.joint is Joint.LEAF:
            return Atom(self.column(piece, at))
        parts = tuple(self.formula(part, place) for part, place in self.parts(piece, at))
        return Some(parts) if piece.joint in DISJUNCTIVE else Every(parts)


def holds(formula: Formula, margins: NDArray[np.float64]) -> bool:
    """Whether a formula holds, given the margins of all columns."""
    match formula:
        case Atom(column):
            return bool(margins[column] >= 0)
        case Every(parts):
            return all(holds(part, margins) for part in parts)
        case Some(parts):
            return any(holds(part, margins) for part in parts)
