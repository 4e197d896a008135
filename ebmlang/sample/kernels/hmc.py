"""Hamiltonian Monte Carlo with jittered trajectories, on free coordinates and on manifolds.

Each step draws a momentum, follows the Hamiltonian flow by leapfrog, and accepts or rejects the
end, each chain for itself. The number of leapfrog steps is drawn anew each time, shared by the
chains; each chain's step size varies a little, so that no orbit of the flow closes on itself.

A point where the energy or its gradient is not finite is rejected and counted; nothing is
clamped or replaced. Requirements are the exact indicator: an end that violates one has
density zero and is rejected.

Source: Neal, MCMC using Hamiltonian dynamics (2011), sections 3 and 5.4.2.2.
"""

import math
from dataclasses import dataclass, replace
from typing import final

from jaxtyping import Float
from torch import Tensor

from ebmlang.sample.density import Density
from ebmlang.sample.integrator import add_kinetic, find_gain, find_speed, leapfrog
from ebmlang.sample.kernels.acceptance import judge_end
from ebmlang.sample.metric import Metric
from ebmlang.sample.native.move import Move, Rule
from ebmlang.sample.state import ChainState, Info, choose
from ebmlang.sample.streams import Noise

STEP_JITTER = 0.1
"""Largest relative change of a chain's step size (Neal 2011, section 5.4.2.2). The number of steps
varies too, so little is needed, and more makes the largest steps diverge."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hmc:
    """One trajectory.

    Attributes:
        step_size: Before jitter; of all chains, or of each.
        metric: Of the momenta.
        most_steps: The number of leapfrog steps is uniform from 1 to this.
    """

    step_size: Float[Tensor, "*chain"]
    metric: Metric
    most_steps: int

    def move(self) -> Move:
        """Return the step as data."""
        return Move(
            rule=Rule.METROPOLIS,
            step_size=self.step_size,
            metric=self.metric,
            most_steps=self.most_steps,
            varies_steps=True,
            jitter=STEP_JITTER,
        )

    def step(self, density: Density, state: ChainState, noise: Noise) -> tuple[ChainState, Info]:
        """Follow the flow once."""
        count = math.ceil(noise.shared("steps") * self.most_steps)
        position, before = state.position, state.evaluation
        normal = noise.normal("momentum", position.shape[1])
        momentum = density.chart.tangent(position, normal)
        jitter = noise.near_one("jitter", STEP_JITTER)
        step_size = self.step_size.reshape(-1, 1) * jitter

        end, turned, after = leapfrog(
            density, position, momentum, before, step_size, self.metric, count
        )

        speeds = (find_speed(momentum), find_speed(turned))
        info = judge_end(
            density,
            find_gain(density, before, after, speeds, end),
            after,
            uniform=noise.uniform("accept")[:, 0],
            count=count,
            hamiltonian=add_kinetic(density.potential(before), speeds[0]),
        )
        there = replace(state, position=end, evaluation=after)
        return choose(info.accepted, there, state), info
