"""Split-ensemble HMC: many chains that measure the law for each other.

The chains fall into two halves, and each half moves in a metric that is learnt from the other half
(`adaptation.fisher`), so that where a chain is says nothing of how it moves. Trajectories have a
length that is drawn anew each time, shared by all chains, so that every iteration is one
straight line of code for the whole batch; the step size follows the harmonic mean of the
chains' acceptance. Where coordinates bend or widen with others (`adaptation.bending`), chains
move in coordinates that straighten that, learnt from the other half as well.

In the warm-up both halves move at once, each by where the other was; what is drawn then is
not kept. `freeze` ends all learning, and each iteration from then on is exact.

Sources: Leimkuhler, Matthews and Weare, Ensemble preconditioning for Markov chain Monte Carlo
simulation (2018); Hoffman and Sountsov, Tuning-Free Generalized Hamiltonian Monte Carlo (2022),
for folds that learn from each other.
"""

import math
from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ebmlang.runtime import concatenate
from ebmlang.sample.adaptation.bending import find_pairs, fit_warp
from ebmlang.sample.adaptation.fisher import estimate_metric
from ebmlang.sample.adaptation.step_size import LogAverage, init_average, update_average
from ebmlang.sample.advance import advance
from ebmlang.sample.kernels.hmc import Hmc
from ebmlang.sample.kernels.warped import Warped
from ebmlang.sample.metric import Metric
from ebmlang.sample.sampler import Kernel, Phase, Setting
from ebmlang.sample.state import ChainState, Info, begin
from ebmlang.sample.streams import Noise
from ebmlang.sample.warp import Warp, WarpedDensity, pick_group, straight

TARGET_ACCEPTANCE = 0.85
"""Acceptance, apart from what is required, that the step size aims at: the harmonic mean over the
chains."""

STUCK = 0.02
"""What is added to each acceptance before its inverse is taken, as one chain that never moves must
not stop all others. One chain in a hundred that does not move lowers the harmonic mean to 0.7."""

ALWAYS = 0.998
"""Median acceptance at which the step size shrinks no further, whatever becomes of single chains:
some are stuck at every step size, as at the edge of where the energy is a number."""

LONGEST = math.pi
"""Longest trajectory, in standard deviations: half of a Gaussian's orbit."""

MOST_STEPS = 64
"""Most leapfrog steps of a trajectory: a bound on the cost of an iteration."""

FIRST_STEP, LARGEST_STEP = 0.5, 1.5
"""The step size to begin with, and the largest, in standard deviations; leapfrog is unstable from 2
on."""

LIVE = 20
"""Iterations whose metric is learnt anew each time, while chains travel."""

RELEARN = 10
"""Iterations between two times that metric and map are learnt anew, after that."""

LAST_SHARE = 0.1
"""Share of the warm-up, at its end, in which only the step size adapts."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EnsembleState:
    """Where the chains are, and what has been learnt so far.

    Attributes:
        chains: Where they are.
        metric: Of each half.
        warp: What straightens coordinates, for each half.
        bends: Whether the map changes anything; chains move in straightened coordinates then.
        step_size: In use, in units of the metric.
        pace: What the step size learns from.
        reach: Most leapfrog steps of a trajectory; fewer at first, so that chains that start far
            out lose their energy before they fly off with it.
    """

    chains: ChainState
    metric: Metric
    warp: Warp
    bends: bool
    step_size: Float[Tensor, ""]
    pace: LogAverage
    reach: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ensemble:
    """Split-ensemble HMC.

    Attributes:
        name: What a user calls it.
        straightens: Whether coordinates that bend or widen are looked for.
    """

    name: str
    straightens: bool

    def init(self, setting: Setting, position: Float[Tensor, "chain dim"]) -> EnsembleState:
        """Begin at the positions, with the metric that the chains have there."""
        chains = begin(setting.density, position, setting.streams.at(0))
        pace = _begin_pace(position)
        return EnsembleState(
            chains=chains,
            metric=_learn_metric(setting, chains),
            warp=straight(position, 2),
            bends=False,
            step_size=pace.log_next.exp().to(position),
            pace=pace,
            reach=1,
        )

    def adapt(
        self, setting: Setting, state: EnsembleState, noise: Noise, at: Phase
    ) -> tuple[EnsembleState, Info]:
        """Learn from where the chains are, move every chain once, and learn from that."""
        if at.iteration <= max(LIVE, (1 - LAST_SHARE) * at.warmup):
            if at.iteration % RELEARN == 0:
                state = self._straighten(setting, state)
            elif at.iteration <= LIVE:
                state = _measure(setting, state)
        state = replace(state, reach=min(at.iteration, MOST_STEPS))
        following, info = self.step(setting, state, noise)
        seen = average_acceptance(info.faithful, _healthy(state.chains))
        pace = update_average(state.pace, seen, TARGET_ACCEPTANCE)
        step_size = pace.log_next.exp().to(state.step_size)
        return replace(following, pace=pace, step_size=step_size), info

    def freeze(self, state: EnsembleState) -> EnsembleState:
        """Settle on the averaged step size."""
        return replace(state, step_size=state.pace.log_mean.exp().to(state.step_size))

    def step(
        self, setting: Setting, state: EnsembleState, noise: Noise
    ) -> tuple[EnsembleState, Info]:
        """Move every chain once, by what was learnt."""
        chains, info = advance(self.kernel(state), setting.density, state.chains, noise)
        return replace(state, chains=chains), info

    def kernel(self, state: EnsembleState) -> Kernel:
        """Return what moves the chains."""
        kernel = Hmc(
            step_size=state.step_size,
            metric=state.metric,
            most_steps=min(state.reach, math.ceil(LONGEST / float(state.step_size))),
        )
        return Warped(kernel=kernel, warp=state.warp) if state.bends else kernel

    def move_to(self, state: EnsembleState, chains: ChainState) -> EnsembleState:
        """Return the state with the chains somewhere else."""
        return replace(state, chains=chains)

    def chains(self, state: EnsembleState) -> ChainState:
        """Return where the chains are."""
        return state.chains

    def describe(self, state: EnsembleState) -> dict[str, object]:
        """Return what the warm-up chose."""
        driven = (state.warp.mean_linear != 0) | (state.warp.mean_square != 0)
        driven = (driven | (state.warp.log_scale_linear != 0)).any(2).any(0)
        return {
            "step size": float(state.step_size),
            "longest trajectory": LONGEST,
            "metric": type(state.metric).__name__.lower(),
            "straightened coordinates": int(driven.sum()),
        }

    def _straighten(self, setting: Setting, state: EnsembleState) -> EnsembleState:
        """Learn the map of each half, and then its metric, from where the other half is.

        In other coordinates the step size is another one, and is learnt anew.
        """
        chart, chains = setting.density.chart, state.chains
        if not (self.straightens and chart.is_flat):
            return _measure(setting, state)
        seen = (chains.position, chains.evaluation.gradient, _healthy(chains))
        # What depends on what is asked of all chains, how much of the other half alone.
        pairs = find_pairs(*seen)
        halves = list(zip(*(part.tensor_split(2) for part in seen), strict=True))
        warp = concatenate([fit_warp(pairs, *half) for half in reversed(halves)])
        bends = warp.bends
        if bends != state.bends:
            pace = _begin_pace(chains.position)
            state = replace(state, pace=pace, step_size=pace.log_next.exp().to(state.step_size))
        return _measure(setting, replace(state, warp=warp, bends=bends))


def build_ensemble() -> Ensemble:
    """Return the sampler."""
    return Ensemble(name="ensemble", straightens=True)


def average_acceptance(
    faithful: Float[Tensor, " chain"], healthy: Bool[Tensor, " chain"]
) -> Float[Tensor, ""]:
    """Return the harmonic mean over the chains: as good as where the flow is followed worst.

    Where the law is of one scale, all chains accept alike, and it is the mean. Where some chains
    sit in a bend that is too narrow for the step, the mean hardly notices, and they would stay.
    Where most chains accept nearly always, a shorter step would cost more than it frees, and the
    target counts as reached.

    Args:
        faithful: The acceptance of each.
        healthy: Those that count; there is at least one.
    """
    chosen = faithful[healthy]
    harmonic = 1 / ((1 + STUCK) / (chosen + STUCK)).mean()
    return torch.maximum(harmonic, TARGET_ACCEPTANCE + chosen.median() - ALWAYS)


def _measure(setting: Setting, state: EnsembleState) -> EnsembleState:
    """Learn the metric of each half from where the other half is, seen through the first's map."""
    seen = state.chains
    if state.bends:
        swapped = concatenate([pick_group(state.warp, 1), pick_group(state.warp, 0)])
        seen = WarpedDensity(plain=setting.density, warp=swapped).enter(seen)
    return replace(state, metric=_learn_metric(setting, seen))


def _learn_metric(setting: Setting, chains: ChainState) -> Metric:
    gradient = chains.evaluation.gradient
    return estimate_metric(setting.density.chart, chains.position, gradient, _healthy(chains))


def _healthy(chains: ChainState) -> Bool[Tensor, " chain"]:
    return chains.evaluation.finite & torch.isfinite(chains.position).all(1)


def _begin_pace(position: Float[Tensor, "chain dim"]) -> LogAverage:
    """Begin at the first step, with a pull towards a step of 1."""
    first = init_average(position.new_tensor(0.1), LARGEST_STEP)
    log_step = torch.full_like(first.log_next, math.log(FIRST_STEP))
    return replace(first, log_next=log_step, log_mean=log_step)
