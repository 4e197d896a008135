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

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.runtime import concatenate
from ebmlang.sample.density import Density, Evaluation, TargetDensity
from ebmlang.sample.integrator import (
    add_kinetic,
    faithfulness,
    find_gain,
    find_speed,
    keep_pace,
    leapfrog,
)
from ebmlang.sample.kernels.acceptance import find_infeasible, judge_end
from ebmlang.sample.metric import Metric
from ebmlang.sample.native.move import Move, Rule
from ebmlang.sample.state import ChainState, Info, Stride, choose
from ebmlang.sample.streams import Noise
from ebmlang.spaces import share_full


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
        proposal = _propose(self.step_size, self.metric, density, state, noise)
        proposed = proposal.state
        info = judge_end(
            density,
            proposal.gain,
            proposed.evaluation,
            uniform=noise.uniform("accept")[:, 0],
            count=1,
            hamiltonian=proposal.hamiltonian,
        )
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
        proposal = _propose(self.step_size, self.metric, density, state, noise)
        info = _tell(density, proposal.gain, proposal.state.evaluation, proposal.hamiltonian)
        return choose(info.accepted, proposal.state, state), info

    def stride(
        self, density: TargetDensity, state: ChainState, noises: Sequence[Noise]
    ) -> Stride | None:
        """Take one step after the other as if all were accepted, and look at them together.

        Returns:
            What as many calls of `step` do; None where some chain would have stayed somewhere.
        """
        position, evaluation = state.position, state.evaluation
        width, sizes = position.shape[1], self.step_size.reshape(-1, 1).to(position.dtype)
        pace = self.metric.paced(sizes, position.shape[0])
        visited, ends, drawn, turned = [evaluation], [], [], []
        for noise in noises:
            momentum = density.chart.tangent(position, noise.normal("momentum", width))
            position, faced, evaluation = keep_pace(
                density, position, momentum, evaluation, pace, 1
            )
            visited.append(evaluation)
            ends.append(position)
            drawn.append(momentum)
            turned.append(faced)

        before, after = concatenate(visited[:-1]), concatenate(visited[1:])
        speeds = (find_speed(torch.cat(drawn)), find_speed(torch.cat(turned)))
        gain = find_gain(density, before, after, speeds, torch.cat(ends))
        info = _tell(density, gain, after, add_kinetic(density.potential(before), speeds[0]))
        if not bool(info.accepted.all()):
            return None
        there = replace(state, position=position, evaluation=evaluation)
        return Stride(state=there, visited=tuple(visited), info=info)


def _tell(
    density: Density,
    gain: Float[Tensor, " chain"],
    after: Evaluation,
    hamiltonian: Float[Tensor, " chain"],
) -> Info:
    diverged = gain.isnan()
    infeasible = find_infeasible(density, gain, after)
    accepted = ~(diverged | infeasible)
    return Info(
        acceptance=accepted.double(),
        faithful=faithfulness(gain),
        accepted=accepted,
        diverged=diverged,
        infeasible=infeasible,
        gradients=share_full(gain.shape[0], 1, torch.long, gain.device),
        hamiltonian=hamiltonian,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Proposal:
    """One step.

    Attributes:
        state: Its end.
        gain: Of total energy; nan where the end is not finite [nats].
        hamiltonian: Total energy at its begin [nats].
    """

    state: ChainState
    gain: Float[Tensor, " chain"]
    hamiltonian: Float[Tensor, " chain"]


def _propose(
    step_size: Float[Tensor, "*chain"],
    metric: Metric,
    density: Density,
    state: ChainState,
    noise: Noise,
) -> _Proposal:
    position, before = state.position, state.evaluation
    momentum = density.chart.tangent(position, noise.normal("momentum", position.shape[1]))
    sizes = step_size.reshape(-1, 1).to(position.dtype)
    end, turned, after = leapfrog(density, position, momentum, before, sizes, metric, 1)
    speeds = (find_speed(momentum), find_speed(turned))
    return _Proposal(
        state=replace(state, position=end, evaluation=after),
        gain=find_gain(density, before, after, speeds, end),
        hamiltonian=add_kinetic(density.potential(before), speeds[0]),
    )
