"""The random move of a walk: a share of the coordinates, from one of them to all."""

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.solve.problem import Problem


def shift(
    problem: Problem,
    y: Float[Tensor, "start dim"],
    length: Float[Tensor, " start"],
    rng: torch.Generator,
) -> Float[Tensor, "start dim"]:
    """Move a random share of each walker's coordinates, normally distributed.

    The share is drawn from one coordinate to all of them, evenly on a logarithmic scale; at least
    one coordinate moves. It does not depend on where the walker is, so the move is as likely as
    its reverse inside of bounds.

    Args:
        problem: Its chart brings walkers back into the domain.
        y: In the solver's coordinates.
        length: Standard deviation of a coordinate that moves, in the same coordinates.
        rng: On the device of the walkers.
    """
    starts, dim = y.shape

    def uniform(width: int) -> Tensor:
        return torch.rand(starts, width, dtype=y.dtype, device=y.device, generator=rng)

    share = dim ** (uniform(1) - 1)
    ticket = uniform(dim)
    chosen = (ticket < share) | (ticket == ticket.amin(1, keepdim=True))
    noise = torch.randn(starts, dim, dtype=y.dtype, device=y.device, generator=rng)
    return problem.chart.retract(y + torch.where(chosen, length[:, None] * noise, 0))
