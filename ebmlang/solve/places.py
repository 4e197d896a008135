"""What an energy says of the places where searches have come to: seen once, and read by all."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.runtime import Target
from ebmlang.spaces import SolvingChart


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Places:
    """Points, and what an energy says of them.

    Attributes:
        position: In the solver's coordinates.
        points: The same as written.
        energies: There [nats].
        margins: Of each requirement [tolerances].
    """

    position: Float[Tensor, "start dim"]
    points: Float[Tensor, "start dim"]
    energies: Float[Tensor, " start"]
    margins: Float[Tensor, "start requirement"]


def look_at(target: Target, chart: SolvingChart, position: Float[Tensor, "start dim"]) -> Places:
    """Evaluate an energy and its requirements at places."""
    with torch.no_grad():
        points = chart.to_written(position)
        return Places(
            position=position,
            points=points,
            energies=target.energy(points),
            margins=target.requirements(points),
        )
