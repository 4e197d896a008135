"""Step size, trajectory length and a diagonal metric, learnt in windows, for any gradient kernel.

The step size follows dual averaging on the acceptance averaged over the chains. Where something is
required, the length of trajectories follows it too, on the share that end where it holds. The
metric is the standard deviation pooled over chains and draws of a window; windows double in
length, and what was seen before the last one is forgotten. A chain that is not finite counts
neither here nor there.

Sources: Hoffman and Gelman, The No-U-Turn Sampler (2014), section 3.2 and algorithm 4; Stan
Reference Manual, section "HMC algorithm parameters", for the windows.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.sample.adaptation.moments import (
    Moments,
    estimate_variance,
    init_moments,
    update_moments,
)
from ebmlang.sample.adaptation.step_size import LogAverage, init_average, update_average
from ebmlang.sample.adaptation.windows import plan_windows
from ebmlang.sample.advance import advance
from ebmlang.sample.kernels.hmc import Hmc
from ebmlang.sample.metric import Diagonal
from ebmlang.sample.sampler import Kernel, Phase, Setting
from ebmlang.sample.state import ChainState, Info, begin
from ebmlang.sample.streams import Noise

LONGEST = math.pi
"""Longest trajectory, in standard deviations: half of a Gaussian's orbit, so that the mean one, a
quarter, forgets the start."""

MOST_STEPS = 128
"""Most leapfrog steps of one trajectory: a bound on the cost of an iteration."""

LARGEST_STEP = 2.0**20
"""Largest step size while the metric, and so the unit of a step, is not known. Once it is, a step
is in standard deviations and need not be longer than a trajectory."""

SEARCHES = 40
"""Most halvings, or doublings, in search of a step size."""

TARGET_FEASIBLE = 0.5
"""Least share of trajectories that should end where everything required holds."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WindowedState:
    """Where the chains are, and what has been learnt so far.

    Attributes:
        chains: Where they are.
        scale: The diagonal of the metric.
        step_size: In use.
        length: Of the longest trajectory in use; shorter than `LONGEST` only where too many end
            where something required does not hold.
        step_pace: What the step size learns from.
        length_pace: What the length learns from.
        moments: Of this window.
    """

    chains: ChainState
    scale: Float[Tensor, "1 dim"]
    step_size: Float[Tensor, ""]
    length: Float[Tensor, ""]
    step_pace: LogAverage
    length_pace: LogAverage
    moments: Moments


def _one_leapfrog_step(step_size: Float[Tensor, ""], metric: Diagonal) -> Hmc:
    return Hmc(step_size=step_size, metric=metric, most_steps=1)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Windowed:
    """A kernel whose step size, length and metric are learnt.

    Attributes:
        name: What a user calls it.
        build: Makes the kernel of a step size, a metric and the length of trajectories, the last
            in standard deviations.
        target: Mean acceptance, apart from what is required, that the step size aims at.
        probe: Makes the kernel by which a first step size is searched.
    """

    name: str
    build: Callable[[Float[Tensor, ""], Diagonal, float], Kernel]
    target: float
    probe: Callable[[Float[Tensor, ""], Diagonal], Kernel] = _one_leapfrog_step

    def init(self, setting: Setting, position: Float[Tensor, "chain dim"]) -> WindowedState:
        """Begin at the positions, with a step size that one leapfrog step can take."""
        noise = setting.streams.at(0)
        chains = begin(setting.density, position, noise)
        scale = torch.ones_like(position[:1])
        step_size = self._search(setting, chains, scale, scale.new_ones(()), LARGEST_STEP, noise)
        return _restart(chains, scale, step_size, LARGEST_STEP)

    def adapt(
        self, setting: Setting, state: WindowedState, noise: Noise, at: Phase
    ) -> tuple[WindowedState, Info]:
        """Move every chain once, and learn from it."""
        following, info = self.step(setting, state, noise)
        step_pace = update_average(state.step_pace, info.faithful.mean(), self.target)
        feasible = 1 - info.infeasible.double().mean()
        length_pace = update_average(state.length_pace, feasible, TARGET_FEASIBLE)
        following = replace(
            following,
            step_pace=step_pace,
            length_pace=length_pace,
            step_size=_bounded(step_pace.log_next, length_pace.log_next).to(state.step_size),
            length=length_pace.log_next.exp().to(state.length),
        )
        windows = plan_windows(at.warmup)
        if any(at.iteration - 1 in window for window in windows):
            chains = following.chains
            moments = update_moments(following.moments, chains.position, chains.evaluation.finite)
            following = replace(following, moments=moments)
        if at.iteration in {window.stop for window in windows}:
            following = self._close_window(setting, following, noise.fork("search"))
        return following, info

    def freeze(self, state: WindowedState) -> WindowedState:
        """Settle on the averaged step size and length."""
        step, length = state.step_pace.log_mean, state.length_pace.log_mean
        return replace(
            state,
            step_size=_bounded(step, length).to(state.step_size),
            length=length.exp().to(state.length),
        )

    def step(
        self, setting: Setting, state: WindowedState, noise: Noise
    ) -> tuple[WindowedState, Info]:
        """Move every chain once, by what was learnt."""
        chains, info = advance(self.kernel(state), setting.density, state.chains, noise)
        return replace(state, chains=chains), info

    def kernel(self, state: WindowedState) -> Kernel:
        """Return what moves the chains."""
        return self.build(state.step_size, Diagonal(scale=state.scale), float(state.length))

    def move_to(self, state: WindowedState, chains: ChainState) -> WindowedState:
        """Return the state with the chains somewhere else."""
        return replace(state, chains=chains)

    def chains(self, state: WindowedState) -> ChainState:
        """Return where the chains are."""
        return state.chains

    def describe(self, state: WindowedState) -> dict[str, object]:
        """Return what the warm-up chose."""
        return {
            "step size": float(state.step_size),
            "longest trajectory": float(state.length),
            "scale": state.scale[0].tolist(),
        }

    def _close_window(self, setting: Setting, state: WindowedState, noise: Noise) -> WindowedState:
        """Take the window's spread as the metric, and learn the step size anew in its unit."""
        variance = setting.density.chart.pool(estimate_variance(state.moments))
        scale = variance.sqrt()[None].to(state.scale.dtype)
        step_size = self._search(
            setting, state.chains, scale, state.step_size.clamp(max=LONGEST), LONGEST, noise
        )
        return _restart(state.chains, scale, step_size, LONGEST)

    def _search(
        self,
        setting: Setting,
        chains: ChainState,
        scale: Float[Tensor, "1 dim"],
        first: Float[Tensor, ""],
        largest: float,
        noise: Noise,
    ) -> Float[Tensor, ""]:
        """Double or halve the step size until the probe crosses the target acceptance.

        The chains stay where they are.

        Source: Hoffman and Gelman (2014), algorithm 4, on the mean over the chains.
        """
        step_size, direction = first, 0
        for attempt in range(SEARCHES):
            single = self.probe(step_size, Diagonal(scale=scale))
            _, info = advance(single, setting.density, chains, noise.fork(f"{attempt}"))
            up = 1 if float(info.faithful.mean()) > self.target else -1
            if direction and up != direction:
                break
            direction = up
            if up > 0 and 2 * float(step_size) > largest:
                break
            step_size = step_size * 2.0**up
        return step_size


def count_steps(step_size: Float[Tensor, ""], length: float) -> int:
    """Return how many leapfrog steps a trajectory of a length takes."""
    return max(1, round(length / max(float(step_size), length / MOST_STEPS)))


def _bounded(log_step: Float[Tensor, ""], log_length: Float[Tensor, ""]) -> Float[Tensor, ""]:
    """Return a step size; no longer than a trajectory where that has been shortened."""
    shortened = log_length < math.log(LONGEST)
    return torch.where(shortened, torch.minimum(log_step, log_length), log_step).exp()


def _restart(
    chains: ChainState,
    scale: Float[Tensor, "1 dim"],
    step_size: Float[Tensor, ""],
    largest: float,
) -> WindowedState:
    longest = torch.full_like(step_size, LONGEST)
    return WindowedState(
        chains=chains,
        scale=scale,
        step_size=step_size,
        length=longest,
        step_pace=init_average(step_size, largest),
        length_pace=init_average(longest, LONGEST),
        moments=init_moments(chains.position),
    )
