"""What the places are worth where starts have come to rest: how feasible, then how low."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ebmlang.solve.objective import choose
from ebmlang.solve.places import Places, look_at
from ebmlang.solve.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Landing:
    """Places, as a search compares them.

    Attributes:
        energy: Without requirements; `inf` where it is not finite.
        violation: Sum of the margins below zero; 0 where the place is feasible.
    """

    position: Float[Tensor, "start dim"]
    energy: Float[Tensor, " start"]
    violation: Float[Tensor, " start"]

    def is_better(self, other: "Landing") -> Bool[Tensor, " start"]:
        """Whether each place is better than the other one: less violated, or as much and lower."""
        less = self.violation < other.violation
        return less | ((self.violation == other.violation) & (self.energy < other.energy))

    def take(self, index: Int[Tensor, " kept"]) -> "Landing":
        """Return some of the places; one may be taken several times."""
        return Landing(
            position=self.position[index],
            energy=self.energy[index],
            violation=self.violation[index],
        )

    def replaced(self, taken: Bool[Tensor, " start"], by: "Landing") -> "Landing":
        """Return these places with some of them replaced."""
        return Landing(
            position=choose(taken, by.position, self.position),
            energy=torch.where(taken, by.energy, self.energy),
            violation=torch.where(taken, by.violation, self.violation),
        )


def judge(problem: Problem, y: Float[Tensor, "start dim"]) -> Landing:
    """Judge places, in the solver's coordinates."""
    return weigh(look_at(problem.target, problem.chart, y))


def weigh(places: Places) -> Landing:
    """Return what places are worth that have been looked at."""
    return Landing(
        position=places.position,
        energy=torch.where(torch.isfinite(places.energies), places.energies, torch.inf),
        violation=(-places.margins).clamp(min=0).nan_to_num(nan=torch.inf).sum(1),
    )
