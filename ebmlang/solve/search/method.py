"""What a global method is: `init` and `step`, and a step is a round that brings starts to rest."""

from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

from ebmlang.solve.descent.method import Minimum
from ebmlang.solve.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Round:
    """What a round has found.

    Attributes:
        ends: Where starts have come to rest.
        nonfinite_starts: Starts that first fell where the energy is not finite.
    """

    ends: Minimum
    nonfinite_starts: int = 0


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
