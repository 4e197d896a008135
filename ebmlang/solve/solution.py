"""What a solver found: a set of designs, each told apart from the others."""

from dataclasses import dataclass, replace
from enum import Enum

from jaxtyping import Bool, Float
from torch import Tensor

from ebmlang.solve.answers.agreement import Agreement


class StoppingReason(Enum):
    """Why a run ended; the values are the messages."""

    RESTED = "every start has come to rest"
    STEPS = "the steps are spent while some starts were still descending"
    TIME = "the time is spent"
    INTERRUPTED = "the run was interrupted"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solution:
    """Designs by energy, lowest first.

    Where any design is feasible, only feasible ones are kept. Where none is, they are ordered by
    their largest violation, so that the first is the nearest to being feasible.

    Attributes:
        points: Packed points in the written coordinates.
        energies: The energy of each [nats].
        margins: The margin of each requirement [tolerances].
        feasible: Whether every margin is >= 0, exactly.
        converged: Whether the projected gradient of the Lagrangian vanishes to working accuracy
            (a design that is not may still be improved).
        stationarity: Its largest entry, in the solver's coordinates.
        share: Which share of the starts ended here.
        end_energies: Where each start ended, in the order of the starts: its energy [nats]; empty
            where parts were searched by themselves.
        end_feasible: Likewise, whether everything required holds there.
        starts: How many starts there were.
        nonfinite_starts: How many of them first fell where the energy or its gradient is not
            finite, and were drawn again.
        evaluations: Values with gradients computed, over all starts.
        reason: Why the run ended.
        agreement: How many starts found the best.
    """

    points: Float[Tensor, "design dim"]
    energies: Float[Tensor, " design"]
    margins: Float[Tensor, "design requirement"]
    feasible: Bool[Tensor, " design"]
    converged: Bool[Tensor, " design"]
    stationarity: Float[Tensor, " design"]
    share: Float[Tensor, " design"]
    end_energies: Float[Tensor, " start"]
    end_feasible: Bool[Tensor, " start"]
    starts: int
    nonfinite_starts: int
    evaluations: int
    reason: StoppingReason
    agreement: Agreement

    @property
    def interrupted(self) -> bool:
        """Whether the user stopped the run."""
        return self.reason is StoppingReason.INTERRUPTED

    @property
    def is_feasible(self) -> bool:
        """Whether any design satisfies every requirement."""
        return bool(self.feasible.any())

    @property
    def nearest(self) -> Float[Tensor, " dim"] | None:
        """The point with the least violation where none is feasible, else None."""
        return None if self.is_feasible else self.points[0]

    def take(self, kept: Bool[Tensor, " design"]) -> "Solution":
        """Return the same with some of the designs."""
        return replace(
            self,
            points=self.points[kept],
            energies=self.energies[kept],
            margins=self.margins[kept],
            feasible=self.feasible[kept],
            converged=self.converged[kept],
            stationarity=self.stationarity[kept],
            share=self.share[kept],
        )
