"""What a kernel with a momentum does, as data: what the loops in machine code go by.

A kernel that has such a form says so by a method `move`. Its `step` in torch remains what it means;
the loop does the same in the same order, so the two agree to round-off.
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from ebmlang.sample.density import Density
from ebmlang.sample.metric import Metric
from ebmlang.sample.state import ChainState, Info
from ebmlang.sample.streams import Noise
from ebmlang.sample.warp import Warp


class Rule(IntEnum):
    """How momenta come about, and what becomes of the end of a trajectory."""

    METROPOLIS = 0
    """A new momentum, then accepted or rejected."""
    UNADJUSTED = 1
    """A new momentum, then accepted where it is finite and feasible."""
    PERSISTENT = 2
    """A momentum renewed in part, then accepted by the level, or turned around."""
    NO_U_TURN = 3
    """A new momentum, and a trajectory that doubles until it turns."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Move:
    """One iteration of a kernel that follows the Hamiltonian flow by leapfrog.

    Attributes:
        rule: Of acceptance.
        step_size: Of all chains, or of each.
        metric: Of the momenta.
        most_steps: Leapfrog steps; doublings of a trajectory that finds its length.
        varies_steps: Whether their number is uniform from 1 to `most_steps`, drawn anew each time.
        jitter: Largest relative change of a chain's step size.
        renewal: Share of a persistent momentum's variance that is drawn anew.
        drift: What the level of a persistent momentum moves on by.
        warp: The coordinates in which chains move; the sampler's own if None.
    """

    rule: Rule
    step_size: Float[Tensor, "*chain"]
    metric: Metric
    most_steps: int = 1
    varies_steps: bool = False
    jitter: float = 0.0
    renewal: Float[Tensor, "*chain"] | None = None
    drift: Float[Tensor, "*chain"] | None = None
    warp: Warp | None = None

    def through(self, warp: Warp) -> "Move | None":
        """Return the move in straightened coordinates, if there is one."""
        return None if self.rule is Rule.NO_U_TURN else replace(self, warp=warp)


@runtime_checkable
class Movable(Protocol):
    """A kernel that may have a form as data."""

    def move(self) -> Move | None:
        """Return it; None where a part of the kernel has none."""

    def step(self, density: Density, state: ChainState, noise: Noise) -> tuple[ChainState, Info]:
        """Move every chain once."""
