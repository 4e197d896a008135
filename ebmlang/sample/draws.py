"""What a sampler returns."""

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrozenAdaptation:
    """What the warm-up chose; it did not change while the draws were taken.

    Attributes:
        step_size: Leapfrog step size, before jitter.
        inverse_mass: Per coordinate of the sampler.
        most_steps: The number of leapfrog steps was uniform from 1 to this.
        warmup: Iterations it took.
    """

    step_size: float
    inverse_mass: Float[Tensor, " free"]
    most_steps: int
    warmup: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draws:
    """Draws of all chains, in the written coordinates.

    Attributes:
        points: Packed points.
        energies: Their energies, without any Jacobian [nats].
        acceptance: Mean acceptance probability of each chain after the warm-up.
        divergences: Iterations of each chain after the warm-up whose trajectory diverged.
        infeasible: Iterations of each chain after the warm-up that ended where something required
            does not hold.
        moved: Share of each chain's iterations after the warm-up that moved.
        adaptation: What the warm-up chose.
        iterations: Of each chain after the warm-up.
        interrupted: Whether the user stopped the run, or its time ran out; `points` then holds
            the draws finished before.
    """

    points: Float[Tensor, "chain draw dim"]
    energies: Float[Tensor, "chain draw"]
    acceptance: Float[Tensor, " chain"]
    divergences: Int[Tensor, " chain"]
    infeasible: Int[Tensor, " chain"]
    moved: Float[Tensor, " chain"]
    adaptation: FrozenAdaptation
    iterations: int
    interrupted: bool
