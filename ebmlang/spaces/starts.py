"""Starting points that are spread over a domain."""

import math
from typing import assert_never

import torch
from jaxtyping import Float
from torch import Tensor
from torch.quasirandom import SobolEngine

from ebmlang.runtime.random import build_generator, derive_seed
from ebmlang.spaces.layout import Layout
from ebmlang.spaces.pieces import Piece, PieceKind, build_pieces
from ebmlang.spaces.rotation import normalize, rotation_from_uniform

FREE_SCALE = 2.0
"""Scale of the logistic law over a number without bounds: half of the starts within 2.2 of 0,
99% within 11. Models are written with their unknowns near 1; the tail is for those that are not."""


def draw_starts(
    layout: Layout, count: int, *, seed: int, dtype: torch.dtype, device: torch.device
) -> Float[Tensor, "chain dim"]:
    """Draw points of the domain, spread by a scrambled Sobol sequence.

    Bounded numbers are uniform between their bounds. A number without bounds follows a logistic
    law of scale `FREE_SCALE`; one with a single bound lies `u / (1 - u)` inside of it, a
    log-logistic law with median 1 and heavy tail. Simplexes, unit vectors and rotations are
    uniform; ordered sequences are sorted draws of the law without bounds.

    Args:
        layout: Where the points live.
        count: How many.
        seed: Scrambles the sequence.
        dtype: Of the points.
        device: Of the points.

    Source: Owen, Scrambled Sobol points, J. Complexity 14 (1998).
    """
    uniform = _uniform(layout.dim, count, seed)
    pieces = build_pieces(layout, dtype=torch.float64, device=torch.device("cpu"))
    starts = torch.empty_like(uniform)
    for piece in pieces:
        starts[:, piece.columns.flatten()] = _spread(piece, piece.take(uniform)).flatten(1)
    return starts.to(dtype=dtype, device=device)


def _uniform(dim: int, count: int, seed: int) -> Tensor:
    if dim == 0:
        return torch.empty(count, 0, dtype=torch.float64)
    if dim <= SobolEngine.MAXDIM:
        engine = SobolEngine(  # type: ignore[no-untyped-call]  # torch gives it no types
            dim, scramble=True, seed=derive_seed(seed, "sobol")
        )
        uniform = engine.draw(count, dtype=torch.float64)
    else:
        rng = build_generator(seed, "uniform", torch.device("cpu"))
        uniform = torch.rand(count, dim, dtype=torch.float64, generator=rng)
    # Sobol numbers are multiples of 2^-30 and may be 0, where quantiles are infinite.
    return uniform.clamp(2.0**-31, 1 - 2.0**-31)


def _spread(piece: Piece, u: Tensor) -> Tensor:
    lower, upper = piece.lower[:, None], piece.upper[:, None]
    match piece.kind:
        case PieceKind.FIXED:
            return lower.expand_as(u)
        case PieceKind.FREE:
            return FREE_SCALE * torch.logit(u)
        case PieceKind.ABOVE:
            return lower + u / (1 - u)
        case PieceKind.BELOW:
            return upper - u / (1 - u)
        case PieceKind.BETWEEN:
            return lower * (1 - u) + upper * u
        case PieceKind.ORDERED:
            return (FREE_SCALE * torch.logit(u)).sort(dim=-1).values
        case PieceKind.SIMPLEX:
            spacing = -torch.log(u)
            return spacing / spacing.sum(-1, keepdim=True)
        case PieceKind.UNIT:
            return normalize(torch.special.ndtri(u))
        case PieceKind.ROTATION:
            return rotation_from_uniform(u, math.isqrt(piece.size)).flatten(-2)
        case _:
            assert_never(piece.kind)
