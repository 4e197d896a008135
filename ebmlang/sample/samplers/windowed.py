"""Step size, trajectory length and a metric, learnt in windows, for any gradient kernel.

The step size follows dual averaging on the acceptance averaged over the chains. Where something is
required, the length of trajectories follows it too, on the share that end where it holds. The
metric is the standard deviation pooled over chains and draws of a window; windows double in
length, and what was seen before the last one is forgotten. A chain that is not finite counts
neither here nor there.

Where a sampler reads gradients, and nothing is required, the metric is dense (low rank past 500
dimensions) and learnt from the draws of a window and the gradients at them (`adaptation.fisher`).
That is right for a normal law wherever the chains are, so windows begin at once, and trajectories
are short until the first is over: a law that is narrow along a direction askew to the coordinates
would ask for a thousand steps each until the metric knows it.

Sources: Hoffman and Gelman, The No-U-Turn Sampler (2014), section 3.2 and algorithm 4; Stan
Reference Manual, section "HMC algorithm parameters", for the windows; PyMC, `early_max_treedepth`,
for short trajectories at first.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.sample.adaptation.fisher import estimate_shared
from ebmlang.sample.adaptation.moments import (
    Moments,
    estimate_variance,
    init_moments,
    update_moments,
)
from ebmlang.sample.adaptation.step_size import LogAverage, init_average, update_average
from ebmlang.sample.adaptation.trail import Trail, begin_trail, extend_trail
from ebmlang.sample.adaptation.windows import EARLY_SHARE, FIRST_SHARE, plan_windows
from ebmlang.sample.advance import advance
from ebmlang.sample.kernels.hmc import Hmc
from ebmlang.sample.metric import Diagonal, Metric, identity
from ebmlang.sample.sampler import Kernel, Phase, Setting
from ebmlang.sample.state import ChainState, Info, begin
from ebmlang.sample.streams import Noise

LONGEST = math.pi
"""Longest trajectory, in standard deviations: half of a Gaussian's orbit, so that the mean one, a
quarter, forgets the start."""

MOST_STEPS = 128
"""Most leapfrog steps of one trajectory: a bound on the cost of an iteration."""

EARLY_STEPS = 63
"""Most steps of a trajectory before anything is known of the metric, where gradients tell it: six
doublings."""

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
        metric: In use.
        step_size: In use.
        length: Of the longest trajectory in use; shorter than `LONGEST` only where too many end
            where something required does not hold.
        step_pace: What the step size learns from.
        length_pace: What the length learns from.
        moments: Of this window.
        trail: Of this window, where gradients tell the metric.
    """

    chains: ChainState
    metric: Metric
    step_size: Float[Tensor, ""]
    length: Float[Tensor, ""]
    step_pace: LogAverage
    length_pace: LogAverage
    moments: Moments
    trail: Trail | None


def _one_leapfrog_step(step_size: Float[Tensor, ""], metric: Metric) -> Hmc:
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
        reads_gradients: Whether gradients tell the metric, where nothing is required.
        turns: Whether trajectories find their length.
    """

    name: str
    build: Callable[[Float[Tensor, ""], Metric, float], Kernel]
    target: float
    probe: Callable[[Float[Tensor, ""], Metric], Kernel] = _one_leapfrog_step
    reads_gradients: bool = False
    turns: bool = False

    def init(self, setting: Setting, position: Float[Tensor, "chain dim"]) -> WindowedState:
        """Begin at the positions, with a step size that one leapfrog step can take."""
        noise = setting.streams.at(0)
        chains = begin(setting.density, position, noise)
        metric = identity(position)
        step_size = self._search(
            setting, chains, metric, position.new_ones(()), LARGEST_STEP, noise
        )
        trail = None
        # Where something is required, its walls shape the law, and no gradient tells of them.
        walls = setting.density.target.requirements(chains.evaluation.point).shape[1]
        if self.reads_gradients and not walls:
            trail = begin_trail(position)
        return _restart(chains, metric, step_size, LARGEST_STEP, trail)

    def adapt(
        self, setting: Setting, state: WindowedState, noise: Noise, at: Phase
    ) -> tuple[WindowedState, Info]:
        """Move every chain once, and learn from it."""
        first_share = FIRST_SHARE if state.trail is None else EARLY_SHARE
        windows = plan_windows(at.warmup, first_share)
        length = float(state.length)
        if state.trail is not None and windows and at.iteration <= windows[0].stop:
            length = min(length, EARLY_STEPS * float(state.step_size))
        following, info = self._move(setting, state, noise, length)
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
        if any(at.iteration - 1 in window for window in windows):
            following = _watch(following)
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
        return self._move(setting, state, noise, float(state.length))

    def kernel(self, state: WindowedState) -> Kernel:
        """Return what moves the chains."""
        return self._kernel(state, float(state.length))

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
            "metric": type(state.metric).__name__.lower(),
            "scale": state.metric.deviations()[0].tolist(),
        }

    def _move(
        self, setting: Setting, state: WindowedState, noise: Noise, length: float
    ) -> tuple[WindowedState, Info]:
        kernel = self._kernel(state, length)
        chains, info = advance(kernel, setting.density, state.chains, noise)
        return replace(state, chains=chains), info

    def _kernel(self, state: WindowedState, length: float) -> Kernel:
        return self.build(state.step_size, state.metric, length)

    def _close_window(self, setting: Setting, state: WindowedState, noise: Noise) -> WindowedState:
        """Learn the metric from the window, and the step size anew in its unit."""
        metric = _learn_metric(setting, state)
        step_size = self._search(
            setting, state.chains, metric, state.step_size.clamp(max=LONGEST), LONGEST, noise
        )
        trail = None if state.trail is None else begin_trail(state.chains.position)
        return _restart(state.chains, metric, step_size, LONGEST, trail)

    def _search(
        self,
        setting: Setting,
        chains: ChainState,
        metric: Metric,
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
            single = self.probe(step_size, metric)
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


def _watch(state: WindowedState) -> WindowedState:
    """Note where the chains are."""
    position, here = state.chains.position, state.chains.evaluation
    finite = here.finite
    moments = update_moments(state.moments, position, finite)
    trail = state.trail
    if trail is not None:
        healthy = finite & torch.isfinite(position).all(1)
        trail = extend_trail(trail, position, here.gradient, healthy)
    return replace(state, moments=moments, trail=trail)


def _learn_metric(setting: Setting, state: WindowedState) -> Metric:
    """Return the metric of what was seen in a window."""
    chart = setting.density.chart
    learnt = None if state.trail is None else estimate_shared(chart, *state.trail.read())
    if learnt is not None:
        return learnt
    variance = chart.pool(estimate_variance(state.moments))
    return Diagonal(scale=variance.sqrt()[None].to(state.chains.position.dtype))


def _restart(
    chains: ChainState,
    metric: Metric,
    step_size: Float[Tensor, ""],
    largest: float,
    trail: Trail | None,
) -> WindowedState:
    longest = torch.full_like(step_size, LONGEST)
    return WindowedState(
        chains=chains,
        metric=metric,
        step_size=step_size,
        length=longest,
        step_pace=init_average(step_size, largest),
        length_pace=init_average(longest, LONGEST),
        moments=init_moments(chains.position),
        trail=trail,
    )
