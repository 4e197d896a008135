"""Coordinates in which a minimum on the boundary is an ordinary point.

A solver moves in coordinates `y` that have simple bounds and, for the rest, live on spheres and
rotations:

| written | solved for | back |
| --- | --- | --- |
| bounded on both sides | `y` in [-1, 1] | `middle + half width * y` |
| bounded on one side, or free | shifted to the bound | `bound + y` |
| ordered | first value, gaps >= 0 | cumulative sum |
| simplex | unit vector `y` | `y^2` |
| unit vector, rotation | itself | itself |

So bounds fold into [-1, 1] whatever the unit, an active bound is met exactly, and a sampler's
bijection, for which the boundary is at infinity, is not needed.

Source for the simplex: Li, McKenzie and Yin, From the simplex to the sphere: faster
constrained optimization using the Hadamard parametrization (2023): no spurious local minima.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ebmlang.spaces.layout import Layout
from ebmlang.spaces.pieces import BOXES, Column, Piece, PieceKind, build_pieces, join, unjoin
from ebmlang.spaces.projection import project_piece
from ebmlang.spaces.rotation import (
    normalize,
    orthonormalize,
    rotation_tangent,
    sphere_tangent,
)

LEAST_SHARE = 1e-8
"""Least entry of a simplex at a start: at exactly 0 the square root has no slope to leave by."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SolvingChart:
    """The map between a solver's coordinates and the written ones.

    Columns of `y` are those of the pieces side by side; there are as many as in `x`.

    Attributes:
        pieces: The layout by kind.
        curved: The pieces that are not boxes, with their columns of `y`.
        order: Where each packed column lies in `y`'s order; None if in the same place.
        shift: What is added, after `scale`, to the columns of boxes [written unit].
        scale: Written units per unit of `y`, for boxes.
        lower: Bounds of `y` from below; `-inf` on curved pieces.
        upper: Bounds of `y` from above.
        floor: Bounds of boxes from below [written unit].
        ceiling: Bounds of boxes from above [written unit].
    """

    pieces: tuple[Piece, ...]
    curved: tuple[tuple[Piece, slice], ...]
    order: Int[Tensor, " dim"] | None
    shift: Float[Tensor, " box"]
    scale: Float[Tensor, " box"]
    lower: Float[Tensor, " dim"]
    upper: Float[Tensor, " dim"]
    floor: Float[Tensor, " box"]
    ceiling: Float[Tensor, " box"]

    @property
    def spread(self) -> Float[Tensor, " dim"]:
        """The natural length of each packed coordinate: half the width of a bounded one, else 1."""
        ones = torch.ones_like(self.lower)
        ones[: len(self.scale)] = self.scale
        return self._packed(ones[None])[0]

    def to_written(self, y: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain dim"]:
        """Return the packed points at solver's coordinates; differentiable."""
        box = len(self.scale)
        parts = []
        if box:
            inside = y[:, :box]
            x = self.shift + self.scale * inside
            value = x.detach()
            # The value is taken to the bounds exactly; the gradient is left alone, since it must
            # still be able to lead inwards.
            parts.append(x + (self._met(value, inside.detach()) - value))
        parts.extend(_to_written(piece, y[:, columns]) for piece, columns in self.curved)
        return self._packed(parts[0] if len(parts) == 1 else torch.cat(parts, dim=1))

    def pull_back(
        self, y: Float[Tensor, "chain dim"], slope: Float[Tensor, "chain dim"]
    ) -> Float[Tensor, "chain dim"]:
        """Return derivatives by a solver's coordinates from those by packed points.

        Args:
            y: The solver's coordinates.
            slope: Derivatives by the packed points there.
        """
        side_by_side = unjoin(slope, self.order)
        box = len(self.scale)
        parts = [side_by_side[:, :box] * self.scale] if box else []
        parts.extend(
            _pull_back(piece, y[:, columns], side_by_side[:, columns])
            for piece, columns in self.curved
        )
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)

    def from_written(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain dim"]:
        """Return solver's coordinates of the points of the domain nearest to packed points."""
        side_by_side = unjoin(x, self.order)
        box = len(self.scale)
        inside = side_by_side[:, :box].clamp(self.floor, self.ceiling)
        parts = [(inside - self.shift) / self.scale] if box else []
        for piece, columns in self.curved:
            nearest = project_piece(piece, _elements(piece, side_by_side[:, columns]))
            parts.append(_from_written(piece, nearest).flatten(1))
        return self.retract(parts[0] if len(parts) == 1 else torch.cat(parts, dim=1))

    def retract(self, y: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain dim"]:
        """Bring coordinates back into their bounds and onto their spheres and rotations."""
        y = y.clamp(self.lower, self.upper)
        if not self.curved:
            return y
        y = y.clone()
        for piece, columns in self.curved:
            y[:, columns] = _retract(piece, y[:, columns])
        return y

    def tangent(
        self, y: Float[Tensor, "chain dim"], v: Float[Tensor, "chain row dim"]
    ) -> Float[Tensor, "chain row dim"]:
        """Project vectors, any number per chain, onto the tangent space at `y`."""
        if not self.curved:
            return v
        v = v.clone()
        for piece, columns in self.curved:
            v[:, :, columns] = _tangent(piece, y[:, None, columns], v[:, :, columns])
        return v

    def _met(self, x: Tensor, y: Tensor) -> Tensor:
        """Return `x` without rounding: at the bound where `y` is, and nowhere past it."""
        box = len(self.scale)
        x = torch.where(y <= self.lower[:box], self.floor, x.clamp(self.floor, self.ceiling))
        return torch.where(y >= self.upper[:box], self.ceiling, x)

    def _packed(self, columns: Tensor) -> Tensor:
        return columns if self.order is None else columns[:, self.order]


def build_solving_chart(
    layout: Layout, *, dtype: torch.dtype, device: torch.device
) -> SolvingChart:
    """Choose a solver's coordinates for a layout."""
    cpu = build_pieces(layout, dtype=dtype, device=torch.device("cpu"))
    pieces = build_pieces(layout, dtype=dtype, device=device)
    boxes = [piece for piece in cpu if piece.kind in BOXES]
    # In NumPy: its calls on so few numbers take a quarter of those of torch.
    none = np.empty(0, dtype=str(dtype).removeprefix("torch."))
    shift = np.concatenate([none, *(_shift(piece) for piece in boxes)])
    scale = np.concatenate([none, *(_scale(piece) for piece in boxes)])
    floor = np.concatenate([none, *(piece.lower.numpy() for piece in boxes)])
    ceiling = np.concatenate([none, *(piece.upper.numpy() for piece in boxes)])
    rest = np.full_like(shift, np.inf, shape=layout.dim - len(shift))
    lower = np.concatenate([(floor - shift) / scale, -rest])
    upper = np.concatenate([(ceiling - shift) / scale, rest])
    curved = []
    start = len(scale)
    for piece in pieces[len(boxes) :]:
        columns = slice(start, start + piece.width)
        if piece.kind is PieceKind.ORDERED:
            gaps = lower[columns].reshape(piece.count, piece.size)
            gaps[:, 1:] = 0
        curved.append((piece, columns))
        start = columns.stop

    def tensor(values: Column) -> Tensor:
        return torch.from_numpy(values).to(device)

    return SolvingChart(
        pieces=pieces,
        curved=tuple(curved),
        order=join(pieces),
        shift=tensor(shift),
        scale=tensor(scale),
        lower=tensor(lower),
        upper=tensor(upper),
        floor=tensor(floor),
        ceiling=tensor(ceiling),
    )


def _shift(piece: Piece) -> Column:
    lower, upper = piece.lower.numpy(), piece.upper.numpy()
    if piece.kind is PieceKind.BETWEEN:
        # Halved before the sum, so that bounds near the largest number do not overflow.
        return lower / 2 + upper / 2
    if piece.kind is PieceKind.FREE:
        return np.zeros_like(lower)
    return upper if piece.kind is PieceKind.BELOW else lower


def _scale(piece: Piece) -> Column:
    lower, upper = piece.lower.numpy(), piece.upper.numpy()
    return upper / 2 - lower / 2 if piece.kind is PieceKind.BETWEEN else np.ones_like(lower)


def _elements(piece: Piece, y: Tensor) -> Tensor:
    return y.reshape(*y.shape[:-1], piece.count, piece.size)


def _matrices(piece: Piece, y: Tensor) -> Tensor:
    n = math.isqrt(piece.size)
    return y.reshape(*y.shape[:-1], piece.count, n, n)


def _to_written(piece: Piece, y: Tensor) -> Tensor:
    if piece.kind is PieceKind.ORDERED:
        return _elements(piece, y).cumsum(-1).flatten(1)
    if piece.kind is PieceKind.SIMPLEX:
        return y.square()
    return y


def _pull_back(piece: Piece, y: Tensor, slope: Tensor) -> Tensor:
    if piece.kind is PieceKind.ORDERED:
        return _elements(piece, slope).flip(-1).cumsum(-1).flip(-1).flatten(1)
    if piece.kind is PieceKind.SIMPLEX:
        return 2 * y * slope
    return slope


def _from_written(piece: Piece, x: Tensor) -> Tensor:
    if piece.kind is PieceKind.ORDERED:
        return torch.cat([x[..., :1], x.diff(dim=-1)], dim=-1)
    if piece.kind is PieceKind.SIMPLEX:
        return x.clamp(min=LEAST_SHARE).sqrt()
    return x


def _retract(piece: Piece, y: Tensor) -> Tensor:
    if piece.kind is PieceKind.ORDERED:
        return y
    if piece.kind is PieceKind.ROTATION:
        return orthonormalize(_matrices(piece, y)).flatten(1)
    return normalize(_elements(piece, y)).flatten(1)


def _tangent(piece: Piece, y: Tensor, v: Tensor) -> Tensor:
    if piece.kind is PieceKind.ORDERED:
        return v
    if piece.kind is PieceKind.ROTATION:
        return rotation_tangent(_matrices(piece, y), _matrices(piece, v)).flatten(-3)
    return sphere_tangent(_elements(piece, y), _elements(piece, v)).flatten(-2)
