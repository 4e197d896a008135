"""Points that satisfy what is required, whatever their energy: where chains can begin."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from ebmlang.runtime import UNLIMITED, Budget, DerivedTarget, Progress, Target
from ebmlang.solve.run import STARTS, solve
from ebmlang.spaces import Layout


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RequirementsAlone(DerivedTarget):
    """A target without its energy, so that a start stays where it is once it is feasible."""

    def energy(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, " chain"]:
        """Return zeros."""
        return (x * 0).sum(1)

    def requirements(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain requirement"]:
        """Return the margins of everything required, in tolerances."""
        return self.target.requirements(x)


def find_feasible(
    target: Target,
    layout: Layout,
    *,
    count: int,
    seed: int,
    progress: Progress | None = None,
    budget: Budget = UNLIMITED,
) -> Float[Tensor, "point dim"]:
    """Return different feasible points, spread over the domain.

    Args:
        target: The model.
        layout: Where its points live.
        count: How many are wanted; there may be fewer, or none.
        seed: Chooses where the search starts.
        progress: Hears how far it is.
        budget: Limits the time.
    """
    found = solve(
        RequirementsAlone(target=target),
        layout,
        seed=seed,
        starts=max(count, STARTS),
        adam_steps=0,
        designs=count,
        progress=progress,
        budget=budget,
    )
    return found.points[found.feasible]
