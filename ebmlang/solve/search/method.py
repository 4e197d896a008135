"""What a global method is: `init` and `step`, and a step is a round that brings starts to rest."""

from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

from ebmlang.solve.descent.method import Minimum
from ebmlang.solve.places import Places, look_at
from ebmlang.solve.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Round:
    """What a round has found.

    Attributes:
        ends: Where starts have come to rest.
        places: What the energy says there.
        nonfinite_starts: Starts that first fell where the energy is not finite.
    """

    ends: Minimum
    places: Places
    nonfinite_starts: int = 0


def end_round(problem: Problem, ends: Minimum, nonfinite_starts: int = 0) -> Round:
    """Look at where starts have come to rest."""
    places = look_at(problem.target, problem.chart, ends.position)
    return Round(ends=ends, places=places, nonfinite_starts=nonfinite_starts)


State = TypeVar("State")


@runtime_checkable
class Search(Protocol[State]):
    """A global method."""

    @property
    def name(self) -> str:
        """What a user calls it."""

    def init(self, problem: Problem) -> tuple[State, Round]:
        """Bring the first starts to rest."""

    def step(self, problem: Problem, state: State) -> tuple[State, Round]:
        """Begin anew from where what was found so far suggests, and bring that to rest."""
