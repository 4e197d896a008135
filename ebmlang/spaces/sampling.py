"""Coordinates in which a sampler moves freely.

Bounded, positive, ordered and simplex blocks are sampled in free coordinates, whose
log-determinant belongs to the sampled energy and never to the reported one. Unit vectors and
rotations keep their ambient coordinates: their momentum is tangent and they move along
geodesics, uniformly in the measure of the manifold.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from ebmlang.spaces.bijection import free_width, from_domain, pull_back, to_domain
from ebmlang.spaces.layout import Layout
from ebmlang.spaces.pieces import MANIFOLDS, Piece, PieceKind, build_pieces, join, unjoin
from ebmlang.spaces.projection import project
from ebmlang.spaces.rotation import (
    normalize,
    orthonormalize,
    rotation_flow,
    rotation_tangent,
    sphere_flow,
    sphere_tangent,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SamplingChart:
    """The map between a sampler's coordinates `q` and the written ones.

    Columns of `q` are the free coordinates of the pieces side by side.

    Attributes:
        pieces: The layout by kind.
        order: Where each packed column lies among the pieces' columns; None if in the same place.
        dim: How many coordinates `q` has; fewer than `x` where there are simplexes.
        columns: Which columns of `q` are those of each piece.
        curved: The same of the manifolds alone.
        is_written: Whether a sampler's coordinates are the written ones.
    """

    pieces: tuple[Piece, ...]
    order: Int[Tensor, " packed"] | None
    dim: int
    columns: tuple[tuple[Piece, slice], ...]
    curved: tuple[tuple[Piece, slice], ...]
    is_written: bool

    def to_written(
        self, q: Float[Tensor, "chain dim"]
    ) -> tuple[Float[Tensor, "chain packed"], Float[Tensor, " chain"]]:
        """Return packed points and the log-determinant of the map; differentiable.

        Where both coordinates are the same, so are both tensors.
        """
        if self.is_written:
            return q, share_full(q.shape[0], 0, q.dtype, q.device)
        parts, jacobians = [], []
        for piece, columns in self.columns:
            part, jacobian = to_domain(piece, q[:, columns])
            parts.append(part)
            jacobians.append(jacobian)
        x = parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)
        x = x if self.order is None else x[:, self.order]
        return x, sum(jacobians[1:], start=jacobians[0])

    def pull_back(
        self, q: Float[Tensor, "chain dim"], slope: Float[Tensor, "chain packed"]
    ) -> Float[Tensor, "chain dim"]:
        """Return the derivatives of E(x(q)) minus the log-determinant by a sampler's coordinates.

        Args:
            q: A sampler's coordinates.
            slope: Derivatives of E by the packed point there.
        """
        if self.is_written:
            return slope
        side_by_side = unjoin(slope, self.order)
        parts, start = [], 0
        for piece, columns in self.columns:
            part = side_by_side[:, start : start + piece.width]
            parts.append(pull_back(piece, q[:, columns], part))
            start += piece.width
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)

    def from_written(self, x: Float[Tensor, "chain packed"]) -> Float[Tensor, "chain dim"]:
        """Return a sampler's coordinates of packed points, moved slightly inside of the domain."""
        nearest = project(self.pieces, x)
        return torch.cat([from_domain(p, p.take(nearest)) for p in self.pieces], dim=1)

    def tangent(
        self, q: Float[Tensor, "chain dim"], p: Float[Tensor, "chain dim"]
    ) -> Float[Tensor, "chain dim"]:
        """Project momenta onto the tangent space at `q`."""
        if not self.curved:
            return p
        p = p.clone()
        for piece, columns in self.curved:
            at, momentum = _elements(piece, q[:, columns]), _elements(piece, p[:, columns])
            along = sphere_tangent if piece.kind is PieceKind.UNIT else rotation_tangent
            p[:, columns] = along(at, momentum).flatten(1)
        return p

    def flow(
        self,
        q: Float[Tensor, "chain dim"],
        p: Float[Tensor, "chain dim"],
        time: Float[Tensor, "#chain dim"],
    ) -> tuple[Float[Tensor, "chain dim"], Float[Tensor, "chain dim"]]:
        """Move freely for a time: straight on, and along geodesics on manifolds.

        Args:
            q: Where to start.
            p: The momentum, tangent to the manifolds.
            time: Step size over mass, for each coordinate; equal within one element of a
                manifold, whose mass is one number.

        Returns:
            The end and the momentum there.
        """
        end = torch.addcmul(q, time, p)
        if not self.curved:
            return end, p
        p = p.clone()
        for piece, columns in self.curved:
            at, momentum = _elements(piece, q[:, columns]), _elements(piece, p[:, columns])
            first = _elements(piece, time[:, columns])
            if piece.kind is PieceKind.UNIT:
                moved, turned = sphere_flow(at, momentum, first[..., :1])
            else:
                moved, turned = rotation_flow(at, momentum, first[..., :1, :1])
            end[:, columns], p[:, columns] = moved.flatten(1), turned.flatten(1)
        return end, p

    def with_free(
        self, q: Float[Tensor, "chain dim"], free: Float[Tensor, "chain dim"]
    ) -> Float[Tensor, "chain dim"]:
        """Return `free`, with the coordinates of manifolds from `q`."""
        mixed = free.clone()
        for _, columns in self.curved:
            mixed[:, columns] = q[:, columns]
        return mixed

    def onto_manifolds(self, q: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain dim"]:
        """Bring the coordinates of manifolds onto them; standard normal ones become uniform.

        The columns of a normal matrix, made orthonormal in turn, are uniform in the Haar measure
        (Eaton 1983, proposition 7.2).
        """
        settled = q.clone()
        for piece, columns in self.curved:
            elements = _elements(piece, q[:, columns])
            on = normalize if piece.kind is PieceKind.UNIT else orthonormalize
            settled[:, columns] = on(elements).flatten(1)
        return settled

    def pool(self, variance: Float[Tensor, " dim"]) -> Float[Tensor, " dim"]:
        """Give all coordinates of one manifold element the variance per tangent direction."""
        if not self.curved:
            return variance
        pooled = variance.clone()
        for piece, columns in self.curved:
            total = variance[columns].view(piece.count, piece.size).sum(1, keepdim=True)
            pooled[columns] = (total / _tangent_dim(piece)).expand(-1, piece.size).flatten()
        return pooled

    def cover(self, packed: Bool[Tensor, " packed"]) -> Bool[Tensor, " dim"]:
        """Return which of a sampler's coordinates those are of some packed columns.

        Of a simplex or a manifold's element, all are where any column is among them.
        """
        return torch.cat(
            [
                packed[piece.columns].any(1).repeat_interleave(free_width(piece) // piece.count)
                for piece in self.pieces
            ]
        )

    @property
    def is_flat(self) -> bool:
        """Whether no coordinates are those of a manifold."""
        return not self.curved


def build_sampling_chart(
    layout: Layout, *, dtype: torch.dtype, device: torch.device
) -> SamplingChart:
    """Choose a sampler's coordinates for a layout."""
    pieces = build_pieces(layout, dtype=dtype, device=device)
    order = join(pieces)
    stops = list(accumulate((free_width(piece) for piece in pieces), initial=0))
    places = (slice(*ends) for ends in pairwise(stops))
    columns = tuple(zip(pieces, places, strict=True))
    kept = (PieceKind.FREE, *MANIFOLDS)
    return SamplingChart(
        pieces=pieces,
        order=order,
        dim=stops[-1],
        columns=columns,
        curved=tuple(found for found in columns if found[0].kind in MANIFOLDS),
        is_written=order is None and all(piece.kind in kept for piece in pieces),
    )


@lru_cache(maxsize=64)
def share_full(
    chains: int, value: float | int, dtype: torch.dtype, device: torch.device
) -> Shaped[Tensor, " chain"]:
    """Return one number for all chains, as the same tensor each time.

    Nothing has to be computed of what is known to be everywhere the same, and `is` tells it.
    """
    with torch.inference_mode(False):
        return torch.full((chains,), value, dtype=dtype, device=device)


@lru_cache(maxsize=256)
def share_number(value: float, dtype: torch.dtype, device: torch.device) -> Shaped[Tensor, ""]:
    """Return a number as a tensor, the same each time: calls take it in half the time."""
    with torch.inference_mode(False):
        return torch.tensor(value, dtype=dtype, device=device)


def _elements(piece: Piece, v: Tensor) -> Tensor:
    n = math.isqrt(piece.size)
    shape = (piece.size,) if piece.kind is PieceKind.UNIT else (n, n)
    return v.reshape(-1, piece.count, *shape)


def _tangent_dim(piece: Piece) -> int:
    n = math.isqrt(piece.size)
    # A unit vector of size one is a sign and has no tangent; any finite mass will do for it.
    return max(1, piece.size - 1 if piece.kind is PieceKind.UNIT else n * (n - 1) // 2)
