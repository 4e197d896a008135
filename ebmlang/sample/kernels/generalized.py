"""Generalised HMC whose momentum persists: many short trajectories that go on where the last ended.

A step renews a part of the momentum, follows the flow for one leapfrog step or a few, and where the
end is rejected turns around. Turning around undoes what persistence has gained, so rejections
should come in bunches: whether to accept is decided not by a fresh uniform number but by the
absolute value of a *level* u that is part of the state, moves slowly around the circle (-1, 1),
and shrinks or grows so that u exp(-H) stays the same along an accepted trajectory:

    z <- sqrt(1 - a) z + sqrt(a) noise          a: the renewal
    u <- u + drift, wrapped into (-1, 1)
    accept where |u| < exp(-gain);  then  u <- u exp(gain);  otherwise  z <- -z

(q, z, u) has the law exp(-U) x N(0, I) x uniform(-1, 1), and each line leaves it as it is. For
the third: in (q, z, s) with s = u exp(-H) the law is flat on |s| < exp(-H), and the flow
followed by z <- -z keeps s and volumes and is its own inverse; so going there where s is allowed,
and staying otherwise, is exact, and so is turning z around after that.

Sources: Horowitz, A generalized guided Monte Carlo algorithm (1991); Neal, Non-reversibly updating
a uniform [0,1] value for Metropolis accept/reject decisions (2020), sections 2 and 3; Hoffman and
Sountsov, Tuning-Free Generalized Hamiltonian Monte Carlo (2022), algorithm 1.
"""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.sample.density import Density
from ebmlang.sample.integrator import find_gain, find_speed, leapfrog
from ebmlang.sample.kernels.acceptance import judge_end
from ebmlang.sample.metric import Metric
from ebmlang.sample.native.move import Move, Rule
from ebmlang.sample.state import ChainState, Info, choose
from ebmlang.sample.streams import Noise


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Generalized:
    """Persistent generalised HMC.

    Attributes:
        step_size: Of the leapfrog steps; of all chains, or of each.
        metric: Of the momenta.
        renewal: Share of the momentum's variance that is drawn anew, in (0, 1]; of all chains, or
            of each.
        drift: What the level moves on by; of all chains, or of each. Half the renewal is a good
            choice (Hoffman and Sountsov 2022, section 3.2).
        count: Leapfrog steps.
    """

    step_size: Float[Tensor, "*chain"]
    metric: Metric
    renewal: Float[Tensor, "*chain"]
    drift: Float[Tensor, "*chain"]
    count: int = 1

    def move(self) -> Move:
        """Return the step as data."""
        return Move(
            rule=Rule.PERSISTENT,
            step_size=self.step_size,
            metric=self.metric,
            most_steps=self.count,
            renewal=self.renewal,
            drift=self.drift,
        )

    def step(self, density: Density, state: ChainState, noise: Noise) -> tuple[ChainState, Info]:
        """Renew a part of the momentum and follow the flow a little."""
        position, before = state.position, state.evaluation
        fresh = density.chart.tangent(position, noise.normal("momentum", position.shape[1]))
        renewal = self.renewal.reshape(-1, 1).to(position.dtype)
        momentum = (1 - renewal).sqrt() * state.momentum + renewal.sqrt() * fresh
        level = move_level(state.level, self.drift)
        sizes = self.step_size.reshape(-1, 1).to(position.dtype)

        end, turned, after = leapfrog(
            density, position, momentum, before, sizes, self.metric, self.count
        )

        speeds = (find_speed(momentum), find_speed(turned))
        gain = find_gain(density, before, after, speeds, end)
        info = judge_end(
            density,
            gain,
            after,
            uniform=level.abs(),
            count=self.count,
            # The momentum outlives the step, so the change of H between steps says nothing of
            # how well momenta that are drawn anew explore the energy.
            hamiltonian=torch.full_like(gain, torch.nan),
        )
        there = ChainState(
            position=end, evaluation=after, momentum=turned, level=level * gain.exp()
        )
        here = ChainState(position=position, evaluation=before, momentum=-momentum, level=level)
        return choose(info.accepted, there, here), info


def move_level(
    level: Float[Tensor, " chain"], drift: Float[Tensor, "*chain"]
) -> Float[Tensor, " chain"]:
    """Move on around the circle (-1, 1): a uniform level stays uniform."""
    return torch.remainder(level + drift + 1, 2) - 1
