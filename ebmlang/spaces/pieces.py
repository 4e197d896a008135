"""A layout sorted by kind, so that work grows with the number of kinds, not of variables.

Two thousand scalar unknowns are one piece; unit vectors of one size, whatever variable they
belong to, are one piece. Each piece knows the columns of its elements in the packed point.
"""

from collections import defaultdict
from dataclasses import dataclass
from enum import Enum

import numpy as np
import torch
from jaxtyping import Float, Int
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


def build_pieces(layout: Layout, *, dtype: torch.dtype, device: torch.device) -> tuple[Piece, ...]:
    """Sort a layout's columns by kind and size, boxes first.

    A positive number is bounded below by the smallest normal number of the dtype, so that it
    is above zero in floating point as well.
    """
    none = torch.empty(0, dtype=dtype, device=device)
    pieces = []
    lower, upper = _bounds(layout, dtype)
    for kind, columns in _box_columns(layout, lower, upper).items():
        pieces.append(
            Piece(
                kind=kind,
                columns=columns[:, None].to(device),
                lower=lower[columns].to(device),
                upper=upper[columns].to(device),
            )
        )
    for (kind, size), found in _structured_columns(layout).items():
        columns = torch.as_tensor(np.concatenate(found).reshape(-1, size), device=device)
        pieces.append(Piece(kind=kind, columns=columns, lower=none, upper=none))
    return tuple(pieces)


def join(pieces: tuple[Piece, ...]) -> Int[Tensor, " dim"] | None:
    """Return where each packed column lies when the pieces are laid side by side.

    Returns:
        The index that brings side-by-side columns into packed order; None where they are in
        it already, which saves a copy.
    """
    side_by_side = torch.cat([piece.columns.flatten() for piece in pieces])
    packed = torch.argsort(side_by_side)
    return (
        None if bool((packed == torch.arange(len(packed), device=packed.device)).all()) else packed
    )


def unjoin(
    x: Float[Tensor, "chain dim"], order: Int[Tensor, " dim"] | None
) -> Float[Tensor, "chain dim"]:
    """Return packed columns as they lie when the pieces are side by side; undoes `join`."""
    return x if order is None else torch.empty_like(x).index_copy_(1, order, x)


def _bounds(layout: Layout, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    lower = torch.full((layout.dim,), -torch.inf, dtype=dtype)
    upper = torch.full((layout.dim,), torch.inf, dtype=dtype)
    for block in layout.blocks:
        domain, where = block.domain, slice(block.start, block.stop)
        if domain.kind is DomainKind.POSITIVE:
            lower[where] = torch.finfo(dtype).tiny
        elif domain.kind is DomainKind.REAL:
            lower[where] = torch.as_tensor(np.array(domain.lower).ravel())
            upper[where] = torch.as_tensor(np.array(domain.upper).ravel())
    return lower, upper


def _box_columns(layout: Layout, lower: Tensor, upper: Tensor) -> dict[PieceKind, Tensor]:
    is_box = torch.zeros(layout.dim, dtype=torch.bool)
    for block in layout.blocks:
        is_box[block.start : block.stop] = block.domain.kind not in _STRUCTURED
    # Bounds that fall together in this dtype leave one value.
    fixed = lower == upper
    above, below = torch.isfinite(lower), torch.isfinite(upper)
    masks = {
        PieceKind.FIXED: fixed,
        PieceKind.FREE: ~above & ~below,
        PieceKind.ABOVE: above & ~below,
        PieceKind.BELOW: below & ~above,
        PieceKind.BETWEEN: above & below & ~fixed,
    }
    columns = {kind: torch.nonzero(is_box & mask)[:, 0] for kind, mask in masks.items()}
    return {kind: found for kind, found in columns.items() if len(found)}


def _structured_columns(layout: Layout) -> dict[tuple[PieceKind, int], list[np.ndarray]]:
    found: dict[tuple[PieceKind, int], list[np.ndarray]] = defaultdict(list)
    for block in layout.blocks:
        kind = _STRUCTURED.get(block.domain.kind)
        if kind is not None and block.domain.size:
            found[kind, block.domain.element_size].append(np.arange(block.start, block.stop))
    return dict(sorted(found.items(), key=lambda item: (item[0][0].value, item[0][1])))
