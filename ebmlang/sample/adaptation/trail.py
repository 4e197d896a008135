"""Where chains were in a window, and the gradients there: thinned where there would be too many."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

MOST_DRAWS, DRAWS_PER_DIMENSION = 2048, 8
"""Draws above which a trail is thinned, whichever is more: of eight times as many draws as
dimensions a covariance has variances from 0.4 to 1.8 of the true ones.

Source: Marchenko and Pastur, Distribution of eigenvalues for some sets of random matrices (1967).
"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trail:
    """What the chains have passed in a window.

    Attributes:
        position: At every `stride`-th iteration.
        gradient: Of the potential there.
        healthy: Which of them are finite.
        stride: Iterations between two that are kept.
        seen: Iterations so far.
    """

    position: Float[Tensor, "row chain dim"]
    gradient: Float[Tensor, "row chain dim"]
    healthy: Bool[Tensor, "row chain"]
    stride: int
    seen: int

    def read(self) -> tuple[Float[Tensor, "draw dim"], Float[Tensor, "draw dim"]]:
        """Return the finite positions, and the gradients there."""
        return self.position[self.healthy], self.gradient[self.healthy]


def begin_trail(position: Float[Tensor, "chain dim"]) -> Trail:
    """Begin an empty trail."""
    empty = position.new_empty(0, *position.shape)
    none = torch.empty(empty.shape[:2], dtype=torch.bool, device=position.device)
    return Trail(position=empty, gradient=empty, healthy=none, stride=1, seen=0)


def extend_trail(
    trail: Trail,
    position: Float[Tensor, "chain dim"],
    gradient: Float[Tensor, "chain dim"],
    healthy: Bool[Tensor, " chain"],
) -> Trail:
    """Add where the chains are; where that is too much, keep every second iteration from now on."""
    seen = trail.seen + 1
    if trail.seen % trail.stride:
        return replace(trail, seen=seen)
    trail = replace(
        trail,
        position=torch.cat([trail.position, position[None]]),
        gradient=torch.cat([trail.gradient, gradient[None]]),
        healthy=torch.cat([trail.healthy, healthy[None]]),
        seen=seen,
    )
    rows, chains, dim = trail.position.shape
    # Two iterations are always kept, however many the chains are.
    if rows < 3 or rows * chains <= max(MOST_DRAWS, DRAWS_PER_DIMENSION * dim):
        return trail
    return replace(
        trail,
        position=trail.position[::2].clone(),
        gradient=trail.gradient[::2].clone(),
        healthy=trail.healthy[::2].clone(),
        stride=2 * trail.stride,
    )
