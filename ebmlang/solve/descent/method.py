"""What a local method is: `init` and `step` over a batch of starts, each going its own way."""

from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

from jaxtyping import Bool, Float
from torch import Tensor

from ebmlang.solve.objective import Objective


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Minimum:
    """Where the starts have come to.

    Attributes:
        stationarity: Largest entry of the projected gradient, per start.
        done: Starts that have converged or stalled; the others would go on.
    """

    position: Float[Tensor, "start dim"]
    value: Float[Tensor, " start"]
    stationarity: Float[Tensor, " start"]
    done: Bool[Tensor, " start"]


State = TypeVar("State")


@runtime_checkable
class Descent(Protocol[State]):
    """A local method. Its state is one that `ebmlang.solve.states` can take apart by starts."""

    @property
    def name(self) -> str:
        """What a user calls it."""

    def init(self, objective: Objective, position: Float[Tensor, "start dim"]) -> State:
        """Begin at the positions."""

    def step(self, objective: Objective, state: State) -> tuple[State, object]:
        """Evaluate one trial point per start; return the next state, and what happened."""

    def read(self, state: State) -> Minimum:
        """Return where the starts are, or the best point of each where it has been at better."""
