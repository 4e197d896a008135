"""Moments of positions, pooled over chains and draws of a window, and masked where not finite."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

PRIOR_DRAWS, PRIOR_VARIANCE = 5.0, 1e-3
"""A window's variance is averaged with so many draws of this variance, as in Stan."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moments:
    """Moments of the positions of one window, pooled over chains, in float64.

    Attributes:
        count: Draws so far.
        mean: Their mean.
        squares: Their squared distances from it, summed.
    """

    count: Float[Tensor, ""]
    mean: Float[Tensor, " dim"]
    squares: Float[Tensor, " dim"]


def init_moments(position: Float[Tensor, "chain dim"]) -> Moments:
    """Begin an empty window."""
    zeros = torch.zeros_like(position[0], dtype=torch.float64)
    return Moments(count=zeros.sum(), mean=zeros, squares=zeros)


def update_moments(
    state: Moments, position: Float[Tensor, "chain dim"], healthy: Bool[Tensor, " chain"]
) -> Moments:
    """Add the healthy chains' positions.

    Source: Chan, Golub and LeVeque (1979), equation 2.1, for merging two sets of moments.
    """
    chosen = torch.where(healthy[:, None], position.double(), 0)
    added = healthy.sum().double()
    total = (state.count + added).clamp(min=1)
    mean = chosen.sum(0) / added.clamp(min=1)
    squares = torch.where(healthy[:, None], (chosen - mean).square(), 0).sum(0)
    shift = mean - state.mean
    return Moments(
        count=state.count + added,
        mean=state.mean + shift * added / total,
        squares=state.squares + squares + shift.square() * state.count * added / total,
    )


def estimate_variance(state: Moments) -> Float[Tensor, " dim"]:
    """Return the window's variance, drawn a little to `PRIOR_VARIANCE`."""
    variance = state.squares / (state.count - 1).clamp(min=1)
    share = state.count / (state.count + PRIOR_DRAWS)
    return share * variance + (1 - share) * PRIOR_VARIANCE
