"""The nearest point of a domain, and whether a point lies in it."""

import math
from typing import assert_never

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ebmlang.spaces.pieces import Piece, PieceKind
from ebmlang.spaces.rotation import nearest_rotation, normalize


def project(pieces: tuple[Piece, ...], x: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain dim"]:
    """Return the nearest points of the closed domain, in the Euclidean norm, block by block."""
    nearest = x.clone()
    for piece in pieces:
        nearest[:, piece.columns.flatten()] = project_piece(piece, piece.take(x)).flatten(1)
    return nearest


def project_piece(
    piece: Piece, x: Float[Tensor, "chain element size"]
) -> Float[Tensor, "chain element size"]:
    """Return the nearest elements of one piece."""
    match piece.kind:
        case (
            PieceKind.FIXED | PieceKind.FREE | PieceKind.ABOVE | PieceKind.BELOW | PieceKind.BETWEEN
        ):
            return x.clamp(piece.lower[:, None], piece.upper[:, None])
        case PieceKind.ORDERED:
            return project_ordered(x)
        case PieceKind.SIMPLEX:
            return project_simplex(x)
        case PieceKind.UNIT:
            return normalize(x)
        case PieceKind.ROTATION:
            n = math.isqrt(piece.size)
            return nearest_rotation(x.reshape(-1, piece.count, n, n)).flatten(-2)
        case _:
            assert_never(piece.kind)


def contains(
    pieces: tuple[Piece, ...], x: Float[Tensor, "chain dim"], tolerance: float
) -> Bool[Tensor, " chain"]:
    """Whether each point lies in the domain, up to a distance in every coordinate."""
    # NaN compares false, so a point that is not a number lies nowhere.
    return ((x - project(pieces, x)).abs() <= tolerance).all(dim=1)


def project_ordered(x: Float[Tensor, "*b size"]) -> Float[Tensor, "*b size"]:
    """Return the nearest non-decreasing sequences (isotonic regression).

    Computes `max_{j <= i} min_{l >= i} mean(x_j .. x_l)`.

    Source: Robertson, Wright and Dykstra, Order Restricted Statistical Inference (1988),
        theorem 1.4.4, the min-max formula.
    """
    size = x.shape[-1]
    sums = torch.cat([torch.zeros_like(x[..., :1]), x.cumsum(-1)], dim=-1)
    index = torch.arange(size, device=x.device)
    length = index[None, :] - index[:, None] + 1
    means = (sums[..., None, 1:] - sums[..., :-1, None]) / length.clamp(min=1)
    means = torch.where(length > 0, means, torch.inf)
    least = means.flip(-1).cummin(-1).values.flip(-1)
    return torch.where(length > 0, least, -torch.inf).amax(-2)


def project_simplex(x: Float[Tensor, "*b size"]) -> Float[Tensor, "*b size"]:
    """Return the nearest vectors with entries >= 0 that sum to one.

    Source: Duchi, Shalev-Shwartz, Singer and Chandra (2008), figure 1.
    """
    falling = x.sort(dim=-1, descending=True).values
    rank = torch.arange(1, x.shape[-1] + 1, device=x.device, dtype=x.dtype)
    shift = (falling.cumsum(-1) - 1) / rank
    kept = (falling > shift).sum(-1, keepdim=True).clamp(min=1)
    return (x - shift.gather(-1, kept - 1)).clamp(min=0)
