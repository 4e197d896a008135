"""A layout sorted by kind, so that work grows with the number of kinds, not of variables.

Two thousand scalar unknowns are one piece; unit vectors of one size, whatever variable they
belong to, are one piece. Each piece knows the columns of its elements in the packed point.
"""

from collections import defaultdict
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from ebmlang.lang import DomainKind
from ebmlang.spaces.layout import Layout


class PieceKind(Enum):
    """How the elements of a piece are bounded."""

    FIXED = "fixed"
    FREE = "free"
    ABOVE = "above"
    BELOW = "below"
    BETWEEN = "between"
    ORDERED = "ordered"
    SIMPLEX = "simplex"
    UNIT = "unit"
    ROTATION = "rotation"


BOXES = (
    PieceKind.FIXED,
    PieceKind.FREE,
    PieceKind.ABOVE,
    PieceKind.BELOW,
    PieceKind.BETWEEN,
)
"""Kinds whose elements are single numbers with a bound on either side or none; they come first."""

MANIFOLDS = (PieceKind.UNIT, PieceKind.ROTATION)
"""Kinds that keep their ambient coordinates and move along geodesics."""

_STRUCTURED = {
    DomainKind.ORDERED: PieceKind.ORDERED,
    DomainKind.SIMPLEX: PieceKind.SIMPLEX,
    DomainKind.UNIT: PieceKind.UNIT,
    DomainKind.ROTATION: PieceKind.ROTATION,
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Piece:
    """All elements of one kind and size.

    Attributes:
        kind: How an element is bounded.
        columns: The columns of each element in the packed point.
        lower: Bounds from below of the elements of a box kind; of length 0 for the others.
        upper: Bounds from above, likewise.
    """

    kind: PieceKind
    columns: Int[Tensor, "element size"]
    lower: Float[Tensor, " bound"]
    upper: Float[Tensor, " bound"]

    @property
    def count(self) -> int:
        """How many elements there are."""
        return self.columns.shape[0]

    @property
    def size(self) -> int:
        """How many numbers one element has."""
        return self.columns.shape[1]

    @property
    def width(self) -> int:
        """How many columns the piece takes."""
        return self.columns.numel()

    def take(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain element size"]:
        """Return the elements of packed points."""
        return x[:, self.columns.flatten()].reshape(-1, self.count, self.size)


Column = NDArray[Any]
"""One value per packed number. Any: in the dtype of the points."""


# A chart and the starts in it ask for the same pieces, one after the other.
@lru_cache(maxsize=8)
def build_pieces(layout: Layout, *, dtype: torch.dtype, device: torch.device) -> tuple[Piece, ...]:
    """Sort a layout's columns by kind and size, boxes first.

    A positive number is bounded below by the smallest normal number of the dtype, so that it
    is above zero in floating point as well.
    """
    # What is made in inference mode could not be differentiated through later.
    with torch.inference_mode(False):
        none = torch.empty(0, dtype=dtype, device=device)
        pieces = []
        lower, upper = _bounds(layout, dtype)
        for kind, columns in _box_columns(layout, lower, upper).items():
            pieces.append(
                Piece(
                    kind=kind,
                    columns=torch.from_numpy(columns[:, None]).to(device),
                    lower=torch.from_numpy(lower[columns]).to(device),
                    upper=torch.from_numpy(upper[columns]).to(device),
                )
            )
        for (kind, size), found in _structured_columns(layout).items():
            columns = np.concatenate(found).reshape(-1, size)
            places = torch.from_numpy(columns).to(device)
            pieces.append(Piece(kind=kind, columns=places, lower=none, upper=none))
        return tuple(pieces)


def join(pieces: tuple[Piece, ...]) -> Int[Tensor, " dim"] | None:
    """Return where each packed column lies when the pieces are laid side by side.

    Returns:
        The index that brings side-by-side columns into packed order; None where they are in
        it already, which saves a copy.
    """
    if len(pieces) == 1:
        return None
    side_by_side = torch.cat([piece.columns.flatten() for piece in pieces])
    packed = torch.arange(len(side_by_side), device=side_by_side.device)
    return None if bool((side_by_side == packed).all()) else torch.argsort(side_by_side)


def unjoin(
    x: Float[Tensor, "chain dim"], order: Int[Tensor, " dim"] | None
) -> Float[Tensor, "chain dim"]:
    """Return packed columns as they lie when the pieces are side by side; undoes `join`."""
    return x if order is None else torch.empty_like(x).index_copy_(1, order, x)


def _bounds(layout: Layout, dtype: torch.dtype) -> tuple[Column, Column]:
    lower, upper = np.full(layout.dim, -np.inf), np.full(layout.dim, np.inf)
    for block in layout.blocks:
        domain, where = block.domain, slice(block.start, block.stop)
        if domain.kind is DomainKind.POSITIVE:
            lower[where] = torch.finfo(dtype).tiny
        elif domain.kind is DomainKind.REAL:
            assert domain.lower is not None
            assert domain.upper is not None
            lower[where], upper[where] = domain.lower.ravel(), domain.upper.ravel()
    rounded = (torch.from_numpy(bound).to(dtype).numpy() for bound in (lower, upper))
    return next(rounded), next(rounded)


def _box_columns(layout: Layout, lower: Column, upper: Column) -> dict[PieceKind, Column]:
    is_box = np.zeros(layout.dim, dtype=np.bool_)
    for block in layout.blocks:
        is_box[block.start : block.stop] = block.domain.kind not in _STRUCTURED
    # In the order of `BOXES`; bounds that fall together in this dtype leave one value.
    bounded = 1 + np.isfinite(lower) + 2 * np.isfinite(upper)
    place = np.where(lower == upper, 0, bounded)
    columns = {kind: np.flatnonzero(is_box & (place == i)) for i, kind in enumerate(BOXES)}
    return {kind: found for kind, found in columns.items() if len(found)}


def _structured_columns(layout: Layout) -> dict[tuple[PieceKind, int], list[np.ndarray]]:
    found: dict[tuple[PieceKind, int], list[np.ndarray]] = defaultdict(list)
    for block in layout.blocks:
        kind = _STRUCTURED.get(block.domain.kind)
        if kind is not None and block.domain.size:
            found[kind, block.domain.element_size].append(np.arange(block.start, block.stop))
    return dict(sorted(found.items(), key=lambda item: (item[0][0].value, item[0][1])))
