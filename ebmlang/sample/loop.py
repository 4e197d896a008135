"""The one loop of all samplers: warm up, freeze, draw.

The state after an iteration is a pure function of the seed and the iterations before it, and the
loop hands it on with the draws; a run that was stopped goes on from there, and ends as if it
had not been.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic
from typing import Generic, TypeAlias, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.runtime import (
    UNLIMITED,
    Budget,
    Deadline,
    Interrupt,
    Progress,
    SilentProgress,
    Target,
    threads_for,
    watch_interrupts,
)
from ebmlang.sample.advance import find_flight
from ebmlang.sample.collector import Collector
from ebmlang.sample.density import TargetDensity
from ebmlang.sample.draws import Draws, MemorySink, Sink, join_chunks
from ebmlang.sample.native import Machine, Move, compile_density, is_worth_compiling
from ebmlang.sample.sampler import Phase, Place, Sampler, Setting, Steady, Turning
from ebmlang.sample.settling import settle
from ebmlang.sample.starts import begin_at, spread_starts
from ebmlang.sample.state import ChainState
from ebmlang.sample.streams import Streams
from ebmlang.sample.walking import walk
from ebmlang.source import Diagnostic, EbmError
from ebmlang.spaces import Layout, build_sampling_chart

CHAINS, WARMUP, DRAWS = 16, 500, 500
"""Chains, and iterations of each, where the caller does not say."""

CHUNK = 1 << 21
"""Numbers that the draws of one chunk hold at most, if more than one draw; 16 MB in float64."""

LARGEST_CHUNK = 1 << 27
"""The same where draws are kept until the end of the run: what is not filled takes no memory, and
chunks that need not be joined are not copied."""

SECONDS_PER_CHUNK = 10.0
"""Time after which a chunk is handed on though it is not full [s]: what a crash may lose."""

WARMUP_PER_MARK = 50
"""Iterations of the warm-up between two times that the sink hears of it; also at its end."""

SECONDS_PER_CALL = 0.1
"""Time between two looks at Ctrl-C and the clock where many draws are taken in one call [s]."""

GROWTH = 4
"""How many times as many draws a call takes as the one before it, at most: how long one takes is
not known at first."""

S = TypeVar("S")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """How long a run is.

    Attributes:
        warmup: Iterations that adapt and are not kept.
        draws: Points kept of each chain.
        thin: Iterations per point kept.
    """

    warmup: int = WARMUP
    draws: int = DRAWS
    thin: int = 1


def require_unknowns(layout: Layout) -> None:
    """Raise unless there is something to sample.

    Raises:
        EbmError: E0708.
    """
    if layout.dim == 0:
        raise EbmError(
            Diagnostic(
                code="E0708",
                headline="there is nothing to sample: the model has no unknowns",
                helps=("declare an unknown, such as `var x: real ~ normal(0, 1)`",),
            )
        )


def build_setting(
    target: Target, layout: Layout, *, seed: int, chains: int, exact: Target | None = None
) -> Setting:
    """Return what every step of a run sees."""
    require_unknowns(layout)
    numbers = torch.arange(chains, device=target.device)
    return Setting(
        density=build_density(target, layout, exact),
        streams=Streams(seed=seed, chains=numbers, dtype=target.dtype),
    )


def build_density(target: Target, layout: Layout, exact: Target | None) -> TargetDensity:
    """Return a target through the chart of its layout, compared in the precision of `exact`."""
    return TargetDensity(
        target=target,
        chart=build_sampling_chart(layout, dtype=target.dtype, device=target.device),
        exact=None if exact is None else build_density(exact, layout, None),
    )


def sample(
    target: Target,
    layout: Layout,
    sampler: Sampler[S],
    *,
    seed: int = 0,
    chains: int = CHAINS,
    plan: Plan = Plan(),
    starts: Float[Tensor, "start packed"] | None = None,
    exact: Target | None = None,
    sink: Sink | None = None,
    resume: Place[S] | None = None,
    progress: Progress | None = None,
    budget: Budget = UNLIMITED,
) -> Draws:
    """Draw from exp(-E) over its domain, under its requirements.

    Args:
        target: The energy; its dtype and device are those of the run.
        layout: Where its points live.
        sampler: How.
        seed: Of all random numbers.
        chains: How many chains.
        plan: How long.
        starts: Packed points in the written coordinates to begin at, used in turn; where
            something is required, some must satisfy it. Spread ones if None.
        exact: The same energy in float64, by whose values points are accepted, where the target
            is in less; the target's own if None.
        sink: Takes the draws as they are made; they are not in the result then. Kept in memory
            and returned if None.
        resume: Where to go on from; the beginning if None.
        progress: Hears how far the run is.
        budget: Limits the time; draws finished by then are returned.

    Returns:
        The draws. Ctrl-C ends the run early with those that are finished.

    Raises:
        EbmError: E0708 where there is no unknown, E0706 or E0707 where a chain cannot start.
    """
    threads = torch.get_num_threads()
    # The kernel differentiates, whatever mode the caller is in.
    differentiable = torch.inference_mode(False)
    with differentiable, threads_for(chains * layout.dim), watch_interrupts() as interrupt:
        setting = build_setting(target, layout, seed=seed, chains=chains, exact=exact)
        iterations = plan.warmup + plan.draws * plan.thin
        if is_worth_compiling(iterations=iterations, chains=chains, dim=layout.dim):
            turns = isinstance(sampler, Turning) and sampler.turns
            each = -(-chains // threads)
            density = compile_density(setting.density, chains=each, turns=turns)
            setting = replace(setting, density=density)
        memory = MemorySink()
        run = _Run(
            setting=setting,
            sampler=sampler,
            plan=plan,
            sink=memory if sink is None else sink,
            progress=SilentProgress() if progress is None else progress,
            deadline=budget.start(),
            interrupt=interrupt,
            threads=threads,
            whole=sink is None,
        )
        place = _begin(setting, sampler, layout, starts) if resume is None else resume
        run = replace(run, setting=_look_for_requirements(setting, sampler.chains(place.state)))
        place = _warm_up(run, place)
        place = _draw(run, place)
        chain_state = sampler.chains(place.state)
        empty = Collector(0, 0, chain_state).chunk()
        done = max(0, place.iteration - plan.warmup) // plan.thin
        return Draws(
            chunk=join_chunks(memory.chunks, empty),
            method=sampler.name,
            adaptation=sampler.describe(place.state),
            warmup=plan.warmup,
            warmup_gradients=place.warmup_gradients,
            thin=plan.thin,
            interrupted=done < plan.draws or interrupt.requested,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Run(Generic[S]):
    """What every phase of a run needs."""

    setting: Setting
    sampler: Sampler[S]
    plan: Plan
    sink: Sink
    progress: Progress
    deadline: Deadline
    interrupt: Interrupt
    threads: int
    whole: bool
    """Whether nobody takes draws before the end."""

    @property
    def must_end(self) -> bool:
        return self.interrupt.requested or self.deadline.is_over()


def _begin(
    setting: Setting,
    sampler: Sampler[S],
    layout: Layout,
    starts: Float[Tensor, "start packed"] | None,
) -> Place[S]:
    density, streams = setting.density, setting.streams
    position = (
        spread_starts(density, layout, streams)
        if starts is None
        else begin_at(density, starts, len(streams.chains))
    )
    position, gradients = settle(setting, position)
    state = sampler.init(setting, position)
    return Place(
        iteration=0, state=state, warmup_gradients=torch.full_like(streams.chains, gradients)
    )


def _look_for_requirements(setting: Setting, chains: ChainState) -> Setting:
    """Return a setting that says whether anything is required."""
    margins = setting.density.target.requirements(chains.evaluation.point)
    assert isinstance(setting.density, TargetDensity)
    return replace(setting, density=replace(setting.density, is_restricted=margins.shape[1] > 0))


def _warm_up(run: _Run[S], place: Place[S]) -> Place[S]:
    """Adapt for what is left of the warm-up; frozen where it is over."""
    warmup = run.plan.warmup
    if place.iteration > warmup:
        return place
    state, gradients, iteration = place.state, place.warmup_gradients, place.iteration
    run.progress.started(warmup - iteration, "warming up")
    while iteration < warmup and not run.must_end:
        iteration += 1
        noise = run.setting.streams.at(iteration)
        phase = Phase(iteration=iteration, warmup=warmup)
        state, info = run.sampler.adapt(run.setting, state, noise, phase)
        gradients = gradients + info.gradients
        run.progress.advance(1, "")
        if iteration % WARMUP_PER_MARK == 0 or iteration == warmup:
            run.sink.warmed(Place(iteration=iteration, state=state, warmup_gradients=gradients))
    run.progress.finished("")
    # A run that is stopped before draws no points; what it learnt so far is told all the same.
    frozen = run.sampler.freeze(state)
    return Place(iteration=iteration, state=frozen, warmup_gradients=gradients)


def _draw(run: _Run[S], place: Place[S]) -> Place[S]:
    """Take what is left of the draws, with everything frozen."""
    plan = run.plan
    if place.iteration < plan.warmup:
        return place
    done = (place.iteration - plan.warmup) // plan.thin
    state = place.state
    chains = run.sampler.chains(state)
    width = chains.evaluation.point.shape[1]
    most = LARGEST_CHUNK if run.whole else CHUNK
    length = max(1, most // max(1, len(chains.position) * (width + 8)))
    take, wanted = _choose_taker(run, state), 1
    run.progress.started(plan.draws - done, "drawing")
    while done < plan.draws and not run.must_end:
        # Chunks begin at multiples of their length, so that a run that goes on makes the same.
        size = min(length - done % length, plan.draws - done)
        collector = Collector(done, size, chains)
        due = (UNLIMITED if run.whole else Budget(seconds=SECONDS_PER_CHUNK)).start()
        while collector.done < size:
            count, begun = min(wanted, size - collector.done), monotonic()
            state, taken = take(run, state, collector, plan.warmup + done * plan.thin + 1, count)
            wanted = _pace(taken, monotonic() - begun)
            done += taken
            run.progress.advance(taken, "")
            if run.must_end or due.is_over():
                break
        place = Place(
            iteration=plan.warmup + done * plan.thin,
            state=state,
            warmup_gradients=place.warmup_gradients,
        )
        run.sink.write(collector.chunk(), place)
    run.progress.finished("")
    return place


_Taker: TypeAlias = Callable[[_Run[S], S, Collector, int, int], tuple[S, int]]
"""Takes some of the next draws, from an iteration on, and says how many it was."""


def _choose_taker(run: _Run[S], state: S) -> _Taker[S]:
    """Return what takes draws: many in one call where one kernel takes all."""
    if not isinstance(run.sampler, Steady):
        return _step
    return _walk if _find_flight(run, run.sampler, state) is None else _fly


def _find_flight(run: _Run[S], sampler: Steady[S], state: S) -> tuple[Machine, Move] | None:
    return find_flight(sampler.kernel(state), run.setting.density)


def _step(
    run: _Run[S], state: S, collector: Collector, iteration: int, count: int
) -> tuple[S, int]:
    """Take one draw, step by step."""
    del count
    for repetition in range(run.plan.thin):
        noise = run.setting.streams.at(iteration + repetition)
        before = run.sampler.chains(state)
        state, info = run.sampler.step(run.setting, state, noise)
        collector.note(before, info)
    collector.add(run.sampler.chains(state))
    return state, 1


def _walk(
    run: _Run[S], state: S, collector: Collector, iteration: int, count: int
) -> tuple[S, int]:
    """Take draws step by step, by one kernel."""
    assert isinstance(run.sampler, Steady)
    density = run.setting.density
    assert isinstance(density, TargetDensity)
    chains = walk(
        run.sampler.kernel(state),
        density,
        run.sampler.chains(state),
        run.setting.streams,
        collector,
        first=iteration,
        thin=run.plan.thin,
        draws=count,
    )
    return run.sampler.move_to(state, chains), count


def _fly(run: _Run[S], state: S, collector: Collector, iteration: int, count: int) -> tuple[S, int]:
    """Take draws in one call."""
    assert isinstance(run.sampler, Steady)
    flight = _find_flight(run, run.sampler, state)
    assert flight is not None
    machine, move = flight
    chains, diverged = machine.fly(
        move,
        run.sampler.chains(state),
        run.setting.streams.at(iteration),
        collector.record,
        collector.done,
        draws=count,
        thin=run.plan.thin,
        most_noted=collector.wanted,
        threads=run.threads,
    )
    collector.keep_divergences(diverged)
    collector.count(count)
    return run.sampler.move_to(state, chains), count


def _pace(taken: int, seconds: float) -> int:
    """Return how many draws the next call takes, so that Ctrl-C is soon heard."""
    fitting = int(taken * SECONDS_PER_CALL / max(seconds, 1e-9))
    return max(1, min(GROWTH * taken, fitting))
