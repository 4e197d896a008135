"""Non-reversible parallel tempering: replicas climb a ladder from a reference to the target.

Each chain is a ladder of replicas. In an iteration all replicas move by HMC at their own
temperature, those at the reference are drawn anew, and then neighbors swap, even and odd pairs in
turns. The chain's draws are those at the target.

The ladder, the metrics and the starts come from the pilot of an annealing run; the warm-up moves
the rungs to where all pairs reject equally often, and then freezes them.

Source: Syed, Bouchard-Cote, Deligiannidis and Doucet, Non-reversible parallel tempering (2022).
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ebmlang.runtime import derive_seed, take_rows
from ebmlang.sample.adaptation.windows import plan_windows
from ebmlang.sample.density import TargetDensity, TemperedDensity
from ebmlang.sample.kernels.hmc import Hmc
from ebmlang.sample.metric import Dense, Diagonal
from ebmlang.sample.sampler import Phase, Setting
from ebmlang.sample.smc.particles import measure_rise
from ebmlang.sample.smc.reference import StudentReference
from ebmlang.sample.smc.schedule import (
    LENGTH,
    MOST_STEPS,
    TARGET_ACCEPTANCE,
    Schedule,
    plan_schedule,
)
from ebmlang.sample.state import ChainState, Info, begin, choose
from ebmlang.sample.streams import Noise, Streams
from ebmlang.sample.tempering.swaps import count_trips, find_barrier, spread_ladder, swap

STEP_GAIN, STEP_FORGETTING = 1.0, 0.6
"""The log of a step size follows the acceptance by `STEP_GAIN / iterations ** STEP_FORGETTING`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ladder:
    """What decides on moves.

    Attributes:
        center: Of the reference.
        factor: Of the reference.
        free: The columns of the reference's free coordinates.
        inverse_temperature: Of each rung: 0 first, 1 last.
        step_size: Of each rung.
        metric: Of each rung.
    """

    center: Float[Tensor, " free"]
    factor: Float[Tensor, "free free"]
    free: Int[Tensor, " free"]
    inverse_temperature: Float[Tensor, " rung"]
    step_size: Float[Tensor, " rung"]
    metric: Dense | Diagonal


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TemperingState:
    """Where the replicas are, and what has been seen.

    Attributes:
        replicas: Rung by rung.
        ladder: What decides on moves.
        parity: Of the pairs whose turn it is.
        adapted: Iterations of the warm-up since the ladder changed.
        iterations: Since `rejected` and `trips` began.
        rejected: Probability of rejection of each pair, summed over iterations and averaged over
            chains.
        heading: To which end each replica goes.
        trips: Round trips of all replicas of each chain.
    """

    replicas: ChainState
    ladder: Ladder
    parity: int
    adapted: int
    iterations: int
    rejected: Float[Tensor, " pair"]
    heading: Int[Tensor, "rung chain"]
    trips: Int[Tensor, " chain"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ParallelTempering:
    """The sampler."""

    name: str = "tempering"

    def init(self, setting: Setting, position: Float[Tensor, "chain dim"]) -> TemperingState:
        """Plan the ladder, and begin at a pilot's particles; they have found the modes.

        The positions only say how many chains there are.
        """
        density, streams = setting.density, setting.streams
        assert isinstance(density, TargetDensity)
        schedule, population = plan_schedule(density, derive_seed(streams.seed, "tempering"))
        ladder = _build_ladder(schedule, position)
        rungs = len(ladder.inverse_temperature)
        tiled = _tile(streams, rungs)
        found = population.state.position
        replicas = begin(density, found[tiled.chains % len(found)], tiled.at(0))
        heated = _heat(density, ladder, len(position))
        replicas = replace(replicas, evaluation=heated.evaluate(replicas.position))
        chains = streams.chains
        return TemperingState(
            replicas=replicas,
            ladder=ladder,
            parity=0,
            adapted=0,
            iterations=0,
            rejected=torch.zeros(rungs - 1, dtype=torch.float64, device=position.device),
            heading=torch.zeros(rungs, len(chains), dtype=torch.long, device=position.device),
            trips=torch.zeros_like(chains),
        )

    def adapt(
        self, setting: Setting, state: TemperingState, noise: Noise, at: Phase
    ) -> tuple[TemperingState, Info]:
        """Move all replicas; learn the step sizes, and at the end of a window the ladder."""
        following, info, faithful = _advance(setting, state, noise)
        ladder, adapted = following.ladder, following.adapted + 1
        change = STEP_GAIN * adapted**-STEP_FORGETTING * (faithful - TARGET_ACCEPTANCE)
        step_size = (ladder.step_size * change.exp()).clamp(max=LENGTH)
        ladder = replace(ladder, step_size=step_size.to(ladder.step_size))
        following = replace(following, ladder=ladder, adapted=adapted)
        if at.iteration in {window.stop for window in plan_windows(at.warmup)}:
            following = _respread(setting, following)
        return following, info

    def freeze(self, state: TemperingState) -> TemperingState:
        """Settle, and count anew from here."""
        return _forget(state)

    def step(
        self, setting: Setting, state: TemperingState, noise: Noise
    ) -> tuple[TemperingState, Info]:
        """Move all replicas, and swap."""
        following, info, _ = _advance(setting, state, noise)
        return following, info

    def chains(self, state: TemperingState) -> ChainState:
        """Return the replicas at the target, where the tempered density is the plain one."""
        rungs = len(state.ladder.inverse_temperature)
        count = len(state.replicas.position) // rungs
        rows = torch.arange(count, device=state.trips.device) + (rungs - 1) * count
        cold = take_rows(state.replicas, rows)
        plain = replace(cold.evaluation, reference=torch.zeros_like(cold.evaluation.reference))
        return replace(cold, evaluation=plain)

    def describe(self, state: TemperingState) -> dict[str, object]:
        """Return the ladder, and how replicas move along it."""
        rejection = state.rejected / max(1, state.iterations)
        return {
            "temperatures": len(state.ladder.inverse_temperature),
            "inverse temperatures": tuple(state.ladder.inverse_temperature.tolist()),
            "step sizes": tuple(state.ladder.step_size.tolist()),
            "swaps rejected": tuple(rejection.tolist()),
            "barrier": float(find_barrier(rejection)[-1]),
            "round trips": int(state.trips.sum()),
        }


def build_tempering() -> ParallelTempering:
    """Return the sampler."""
    return ParallelTempering()


def _advance(
    setting: Setting, state: TemperingState, noise: Noise
) -> tuple[TemperingState, Info, Float[Tensor, " rung"]]:
    """Move, draw the reference anew, and swap; return also the rungs' acceptance."""
    density, ladder = setting.density, state.ladder
    assert isinstance(density, TargetDensity)
    rungs = len(ladder.inverse_temperature)
    chains = len(setting.streams.chains)
    inner = _tile(setting.streams, rungs).at(noise.iteration)
    heated = _heat(density, ladder, chains)
    kernel = Hmc(
        step_size=ladder.step_size.repeat_interleave(chains),
        metric=ladder.metric,
        most_steps=min(MOST_STEPS, max(1, round(LENGTH / float(ladder.step_size.min())))),
    )
    moved, info = kernel.step(heated, state.replicas, inner)
    faithful = info.faithful.view(rungs, chains).double().mean(1)
    moved = _refresh_reference(heated, moved, inner, chains)

    rise = measure_rise(moved.evaluation).view(rungs, chains)
    uniform = noise.uniform("swap", rungs - 1).T
    source, probability = swap(ladder.inverse_temperature, rise, uniform, state.parity)
    columns = torch.arange(chains, device=rise.device)
    swapped = take_rows(moved, (source * chains + columns).flatten())
    # The gradient is that of another temperature now.
    swapped = replace(swapped, evaluation=heated.evaluate(swapped.position))
    heading, returned = count_trips(state.heading.gather(0, source))
    following = replace(
        state,
        replicas=swapped,
        parity=1 - state.parity,
        iterations=state.iterations + 1,
        rejected=state.rejected + 1 - probability.mean(1),
        heading=heading,
        trips=state.trips + returned,
    )
    return following, _report(info, source, chains), faithful


def _refresh_reference(
    density: TemperedDensity, state: ChainState, noise: Noise, chains: int
) -> ChainState:
    """Draw the replicas of the first rung from the reference, where the density is not zero.

    A draw at which it is zero is rejected, which leaves the reference as it is where it counts.
    """
    assert isinstance(density.reference, StudentReference)
    drawn = density.reference.draw(noise.fork("reference"))
    first = torch.arange(len(drawn), device=drawn.device) < chains
    position = torch.where(first[:, None], drawn, state.position)
    # Of all rows, so that the evaluation has the batch that the temperatures are of.
    evaluation = density.evaluate(position)
    accepted = first & evaluation.finite & density.is_feasible(evaluation)
    return choose(accepted, replace(state, position=position, evaluation=evaluation), state)


def _report(info: Info, source: Int[Tensor, "rung chain"], chains: int) -> Info:
    """Return what happened at the target; gradients are those of all replicas of a chain."""
    rungs = len(source)
    cold = slice((rungs - 1) * chains, None)
    return Info(
        acceptance=info.acceptance[cold],
        faithful=info.faithful[cold],
        accepted=info.accepted[cold] | (source[-1] != rungs - 1),
        diverged=info.diverged[cold],
        infeasible=info.infeasible[cold],
        # One more of each after its swap, and one for the draw from the reference.
        gradients=(info.gradients + 2).view(rungs, chains).sum(0),
        hamiltonian=info.hamiltonian[cold],
    )


def _build_ladder(schedule: Schedule, position: Float[Tensor, "chain dim"]) -> Ladder:
    """Return the ladder of a schedule, with the reference as its first rung.

    Neighbors reject one swap in seven. Fewer rungs cost less, but lose more: on a ring of eight
    modes half as many made the error of their masses 1.8 times as large.
    """
    reference, rungs = schedule.reference, (schedule.rungs[0], *schedule.rungs)
    betas = [0.0, *(rung.inverse_temperature for rung in schedule.rungs)]
    return Ladder(
        center=reference.center,
        factor=reference.factor,
        free=reference.free,
        inverse_temperature=position.new_tensor(betas),
        step_size=torch.stack([rung.kernel.step_size for rung in rungs]),
        metric=_stack([_narrow(rung.kernel.metric) for rung in rungs]),
    )


def _narrow(metric: object) -> Dense | Diagonal:
    assert isinstance(metric, Dense | Diagonal)
    return metric


def _stack(metrics: list[Dense | Diagonal]) -> Dense | Diagonal:
    """Return one metric with a group for each."""
    first = metrics[0]
    if isinstance(first, Dense):
        return Dense(factor=torch.cat([m.factor for m in metrics if isinstance(m, Dense)]))
    return Diagonal(scale=torch.cat([m.scale for m in metrics if isinstance(m, Diagonal)]))


def _heat(density: TargetDensity, ladder: Ladder, chains: int) -> TemperedDensity:
    """Return the density of all replicas, each at the temperature of its rung."""
    reference = StudentReference(
        chart=density.chart, free=ladder.free, center=ladder.center, factor=ladder.factor
    )
    return TemperedDensity(
        plain=density,
        reference=reference,
        inverse_temperature=ladder.inverse_temperature.repeat_interleave(chains),
    )


def _respread(setting: Setting, state: TemperingState) -> TemperingState:
    """Move the rungs to where all pairs reject equally often."""
    old, density = state.ladder, setting.density
    assert isinstance(density, TargetDensity)
    betas = spread_ladder(old.inverse_temperature, state.rejected / state.iterations)
    nearest = (betas[:, None] - old.inverse_temperature).abs().argmin(1)
    metric = (
        Dense(factor=old.metric.factor[nearest])
        if isinstance(old.metric, Dense)
        else Diagonal(scale=old.metric.scale[nearest])
    )
    ladder = replace(
        old, inverse_temperature=betas, step_size=old.step_size[nearest], metric=metric
    )
    replicas = state.replicas
    heated = _heat(density, ladder, len(setting.streams.chains))
    replicas = replace(replicas, evaluation=heated.evaluate(replicas.position))
    return _forget(replace(state, ladder=ladder, replicas=replicas, adapted=0))


def _forget(state: TemperingState) -> TemperingState:
    """Begin to count anew."""
    return replace(
        state,
        iterations=0,
        rejected=torch.zeros_like(state.rejected),
        trips=torch.zeros_like(state.trips),
    )


@lru_cache(maxsize=4)
def _tile(streams: Streams, rungs: int) -> Streams:
    """Return the streams of all replicas: chain c has the numbers from `c * rungs` on.

    It is kept, since streams remember the numbers that they have made.
    """
    numbers = streams.chains * rungs + torch.arange(rungs, device=streams.chains.device)[:, None]
    return Streams(
        seed=derive_seed(streams.seed, "replicas"), chains=numbers.flatten(), dtype=streams.dtype
    )
