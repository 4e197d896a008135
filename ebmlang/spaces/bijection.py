"""Maps from all real numbers onto bounded, ordered and simplex domains, with log-determinants.

Each map is one to one and smooth; the log-determinant is that of the written coordinates by
the free ones, one number per chain, so `log p(q) = log p(x(q)) + log_jacobian(q)`.
"""

import math
from functools import lru_cache
from typing import assert_never

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from ebmlang.spaces.pieces import Piece, PieceKind

INSIDE = 0.25
"""Power of the dtype's eps: how far inside of its domain a given start is moved, as a share of
the width (1e-4 in float64). On the boundary itself the free coordinates are infinite."""


def to_domain(
    piece: Piece, q: Float[Tensor, "chain free"]
) -> tuple[Float[Tensor, "chain width"], Float[Tensor, " chain"]]:
    """Return written columns of a piece, and the log-determinant of the map."""
    match piece.kind:
        case PieceKind.FIXED:
            return piece.lower.expand(len(q), -1), q.new_zeros(len(q))
        case PieceKind.FREE:
            return q, q.new_zeros(len(q))
        case PieceKind.ABOVE:
            return piece.lower + q.exp(), q.sum(1)
        case PieceKind.BELOW:
            return piece.upper - q.exp(), q.sum(1)
        case PieceKind.BETWEEN:
            return _between(piece, q)
        case PieceKind.ORDERED:
            return _ordered(piece, q)
        case PieceKind.SIMPLEX:
            return _simplex(piece, q)
        case PieceKind.UNIT | PieceKind.ROTATION:
            return q, q.new_zeros(len(q))
        case _:
            assert_never(piece.kind)


def pull_back(
    piece: Piece, q: Float[Tensor, "chain free"], slope: Float[Tensor, "chain width"]
) -> Float[Tensor, "chain free"]:
    """Return the derivatives of E(x(q)) - log_jacobian(q) by the free coordinates of a piece.

    Args:
        piece: The piece.
        q: Its free coordinates.
        slope: Derivatives of E by its written columns.
    """
    match piece.kind:
        case PieceKind.FIXED:
            return q
        case PieceKind.FREE | PieceKind.UNIT | PieceKind.ROTATION:
            return slope
        case PieceKind.ABOVE:
            return slope * q.exp() - 1
        case PieceKind.BELOW:
            return -slope * q.exp() - 1
        case PieceKind.BETWEEN:
            share = torch.sigmoid(q)
            rest = torch.sigmoid(-q)
            return slope * (piece.upper - piece.lower) * (share * rest) - (rest - share)
        case PieceKind.ORDERED:
            return _pull_back_ordered(piece, q, slope)
        case PieceKind.SIMPLEX:
            return _pull_back_simplex(piece, q, slope)
        case _:
            assert_never(piece.kind)


def from_domain(
    piece: Piece, x: Float[Tensor, "chain element size"]
) -> Float[Tensor, "chain free"]:
    """Return the free coordinates of written elements, moved slightly inside of the domain."""
    edge = torch.finfo(x.dtype).eps ** INSIDE
    match piece.kind:
        case PieceKind.FIXED:
            return x.new_empty(len(x), 0)
        case PieceKind.FREE | PieceKind.UNIT | PieceKind.ROTATION:
            return x.flatten(1)
        case PieceKind.ABOVE:
            return _log_distance(x.flatten(1) - piece.lower)
        case PieceKind.BELOW:
            return _log_distance(piece.upper - x.flatten(1))
        case PieceKind.BETWEEN:
            share = (x.flatten(1) - piece.lower) / (piece.upper - piece.lower)
            return torch.logit(share.clamp(edge, 1 - edge))
        case PieceKind.ORDERED:
            gaps = _log_distance(x.diff(dim=-1))
            return torch.cat([x[..., :1], gaps], dim=-1).flatten(1)
        case PieceKind.SIMPLEX:
            log_share = x.clamp(min=edge / piece.size).log()
            return (log_share @ _contrasts(piece.size, x.dtype, x.device)).flatten(1)
        case _:
            assert_never(piece.kind)


def free_width(piece: Piece) -> int:
    """Return how many free coordinates a piece has."""
    if piece.kind is PieceKind.FIXED:
        return 0
    return piece.width - piece.count if piece.kind is PieceKind.SIMPLEX else piece.width


def _log_distance(distance: Tensor) -> Tensor:
    edge = torch.finfo(distance.dtype).eps ** INSIDE
    # A distance that a computation has made smaller than `edge` is kept where it is above the
    # smallest normal number: tiny positive numbers are honest values.
    inside = torch.where(distance > torch.finfo(distance.dtype).tiny, distance, edge)
    return inside.log()


def _between(piece: Piece, q: Tensor) -> tuple[Tensor, Tensor]:
    width = piece.upper - piece.lower
    x = piece.lower + width * torch.sigmoid(q)
    # Rounding may pass a bound by one unit in the last place; the gradient is left alone.
    x = x + (x.clamp(piece.lower, piece.upper) - x).detach()
    return x, (width.log() + logsigmoid(q) + logsigmoid(-q)).sum(1)


def _ordered(piece: Piece, q: Tensor) -> tuple[Tensor, Tensor]:
    free = q.reshape(-1, piece.count, piece.size)
    log_gaps = free[..., 1:]
    steps = torch.cat([free[..., :1], log_gaps.exp()], dim=-1)
    return steps.cumsum(-1).flatten(1), log_gaps.sum((1, 2))


def _pull_back_ordered(piece: Piece, q: Tensor, slope: Tensor) -> Tensor:
    # Each step moves its own place and all behind it.
    moved = slope.reshape(-1, piece.count, piece.size).flip(-1).cumsum(-1).flip(-1)
    gaps = q.reshape(-1, piece.count, piece.size)[..., 1:]
    return torch.cat([moved[..., :1], moved[..., 1:] * gaps.exp() - 1], dim=-1).flatten(1)


def _pull_back_simplex(piece: Piece, q: Tensor, slope: Tensor) -> Tensor:
    size = piece.size
    contrasts = _contrasts(size, q.dtype, q.device)
    free = q.reshape(-1, piece.count, size - 1)
    x = torch.softmax(free @ contrasts.T, dim=-1)
    # By log x, behind a softmax: the sum over all comes off each in its share.
    by_log = slope.reshape(-1, piece.count, size) * x - 1
    by_score = by_log - x * by_log.sum(-1, keepdim=True)
    return (by_score @ contrasts).flatten(1)


def _simplex(piece: Piece, q: Tensor) -> tuple[Tensor, Tensor]:
    """Map by the inverse isometric log-ratio, `softmax(V q)`.

    By the first K - 1 written coordinates, `|det| = sqrt(K) prod_k x_k`.

    Source: Egozcue et al., Isometric logratio transformations (2003), Math. Geology 35.
    """
    size = piece.size
    free = q.reshape(-1, piece.count, size - 1)
    log_x = torch.log_softmax(free @ _contrasts(size, q.dtype, q.device).T, dim=-1)
    constant = piece.count * math.log(size) / 2
    return log_x.exp().flatten(1), log_x.sum((1, 2)) + constant


@lru_cache(maxsize=64)
def _contrasts(size: int, dtype: torch.dtype, device: torch.device) -> Float[Tensor, "size free"]:
    """Return an orthonormal basis of the vectors that sum to zero (Helmert's)."""
    basis = torch.zeros(size, size - 1, dtype=torch.float64)
    for column in range(size - 1):
        basis[: column + 1, column] = 1.0
        basis[column + 1, column] = -(column + 1.0)
    contrasts: Tensor = basis / torch.linalg.vector_norm(basis, dim=0)
    return contrasts.to(dtype=dtype, device=device)
