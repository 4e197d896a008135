"""Langevin moves: one step along the gradient with noise, corrected or not.

    q' = q - (h^2 / 2) L L^T dU/dq + h L z,      z ~ N(0, I)

This is one leapfrog step with a momentum that is drawn anew, and on manifolds it goes along a
geodesic. The adjusted kernel accepts or rejects its end and is exact. The unadjusted one accepts
what is finite and feasible: it is **biased**, by O(h^2) in smooth densities and without bound in
others, and no default uses it. Its `faithful` says how often the correction would have accepted,
which is the nearest thing to a measure of that bias that it has.

Sources: Rossky, Doll and Friedman, Brownian dynamics as smart Monte Carlo simulation (1978);
Roberts and Tweedie, Exponential convergence of Langevin distributions (1996); Neal, MCMC using
Hamiltonian dynamics (2011), section 5.2, for the leapfrog form.
"""

from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.sample.density import Density
from ebmlang.sample.integrator import kinetic, leapfrog
from ebmlang.sample.kernels.acceptance import judge_end
from ebmlang.sample.metric import Metric
from ebmlang.sample.native.move import Move, Rule
from ebmlang.sample.state import ChainState, Info, choose, potential
from ebmlang.sample.streams import Noise


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AdjustedLangevin:
    """The Metropolis-adjusted Langevin algorithm (MALA): exact.

    Attributes:
        step_size: h; of all chains, or of each.
        metric: L.
    """

    step_size: Float[Tensor, "*chain"]
    metric: Metric

    def move(self) -> Move:
        """Return the step as data."""
        return Move(rule=Rule.METROPOLIS, step_size=self.step_size, metric=self.metric)

    def step(self, density: Density, state: ChainState, noise: Noise) -> tuple[ChainState, Info]:
        """Propose one step, and accept or reject it."""
        proposed, info = _propose(self.step_size, self.metric, density, state, noise)
        return choose(info.accepted, proposed, state), info


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnadjustedLangevin:
    """The unadjusted Langevin algorithm (ULA): biased, and open about it.

    Attributes:
        step_size: h; of all chains, or of each. The bias vanishes with its square.
        metric: L.
    """

    step_size: Float[Tensor, "*chain"]
    metric: Metric

    def move(self) -> Move:
        """Return the step as data."""
        return Move(rule=Rule.UNADJUSTED, step_size=self.step_size, metric=self.metric)

    def step(self, density: Density, state: ChainState, noise: Noise) -> tuple[ChainState, Info]:
        """Take one step; stay only where it is not finite or violates a requirement."""
        proposed, info = _propose(self.step_size, self.metric, density, state, noise)
        finite = proposed.evaluation.finite & torch.isfinite(proposed.position).all(1)
        accepted = finite & ~info.infeasible
        following = choose(accepted, proposed, state)
        return following, replace(
            info, acceptance=accepted.to(info.acceptance), accepted=accepted, diverged=~finite
        )


def _propose(
    step_size: Float[Tensor, "*chain"],
    metric: Metric,
    density: Density,
    state: ChainState,
    noise: Noise,
) -> tuple[ChainState, Info]:
    position, before = state.position, state.evaluation
    momentum = density.chart.tangent(position, noise.normal("momentum", position.shape[1]))
    sizes = step_size.reshape(-1, 1).to(position.dtype).expand(len(position), 1)
    end, turned, after = leapfrog(density, position, momentum, before, sizes, metric, 1)
    info = judge_end(
        density,
        density.gain(before, after) + kinetic(turned) - kinetic(momentum),
        end,
        after,
        uniform=noise.uniform("accept")[:, 0],
        count=1,
        hamiltonian=potential(density, before) + kinetic(momentum),
    )
    return replace(state, position=end, evaluation=after), info
