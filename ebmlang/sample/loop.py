"""The one loop of all samplers: warm up, freeze, draw.

The state after an iteration is a pure function of the seed and the iterations before it, and the
loop hands it on with the draws; a run that was stopped goes on from there, and ends as if it
had not been.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar, final

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
from ebmlang.sample.density import TargetDensity
from ebmlang.sample.draws import Chunk, Draws, MemorySink, Sink, join_chunks
from ebmlang.sample.sampler import Phase, Place, Sampler, Setting
from ebmlang.sample.settling import settle
from ebmlang.sample.starts import begin_at, spread_starts
from ebmlang.sample.state import ChainState, Info
from ebmlang.sample.streams import Streams
from ebmlang.source import Diagnostic, EbmError
from ebmlang.spaces import Layout, build_sampling_chart

CHAINS, WARMUP, DRAWS = 16, 500, 500
"""Chains, and iterations of each, where the caller does not say."""

CHUNK = 1 << 21
"""Numbers that the draws of one chunk hold at most, if more than one draw; 16 MB in float64."""

SECONDS_PER_CHUNK = 10.0
"""Time after which a chunk is handed on though it is not full [s]: what a crash may lose."""

WARMUP_PER_MARK = 50
"""Iterations of the warm-up between two times that the sink hears of it; also at its end."""

DIVERGENCES_KEPT = 8
"""Most points of each chunk at which divergences are remembered."""

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
    # The kernel differentiates, whatever mode the caller is in.
    differentiable = torch.inference_mode(False)
    with differentiable, threads_for(chains * layout.dim), watch_interrupts() as interrupt:
        setting = build_setting(target, layout, seed=seed, chains=chains, exact=exact)
        memory = MemorySink()
        run = _Run(
            setting=setting,
            sampler=sampler,
            plan=plan,
            sink=memory if sink is None else sink,
            progress=SilentProgress() if progress is None else progress,
            deadline=budget.start(),
            interrupt=interrupt,
        )
        place = _begin(setting, sampler, layout, starts) if resume is None else resume
        place = _warm_up(run, place)
        place = _draw(run, place)
        chain_state = sampler.chains(place.state)
        empty = _Collector(0, 0, chain_state, len(chain_state.evaluation.point[0])).chunk()
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
    length = max(1, CHUNK // max(1, len(chains.position) * (width + 8)))
    run.progress.started(plan.draws - done, "drawing")
    while done < plan.draws and not run.must_end:
        # Chunks begin at multiples of their length, so that a run that goes on makes the same.
        size = min(length - done % length, plan.draws - done)
        collector = _Collector(done, size, chains, width)
        due = Budget(seconds=SECONDS_PER_CHUNK).start()
        while not collector.full:
            infos = []
            for repetition in range(plan.thin):
                iteration = plan.warmup + done * plan.thin + repetition + 1
                noise = run.setting.streams.at(iteration)
                before = run.sampler.chains(state)
                state, info = run.sampler.step(run.setting, state, noise)
                collector.note_divergences(before, info)
                infos.append(info)
            collector.add(run.sampler.chains(state), infos)
            done += 1
            run.progress.advance(1, "")
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


@final
class _Collector:
    """Fills one chunk; on the device, without waiting for it."""

    def __init__(self, first: int, size: int, like: ChainState, width: int) -> None:
        chains, position = len(like.position), like.position
        count = torch.zeros(chains, size, dtype=torch.long, device=position.device)
        self._first, self._done, self._size = first, 0, size
        self._points = position.new_empty(chains, size, width)
        self._energies = position.new_empty(chains, size)
        self._shares = {name: count.double() for name in ("acceptance", "moved", "hamiltonian")}
        self._counts = {
            name: count.clone() for name in ("diverged", "infeasible", "gradients", "branch")
        }
        self._divergences: list[Tensor] = []

    @property
    def full(self) -> bool:
        return self._done == self._size

    def note_divergences(self, before: ChainState, info: Info) -> None:
        """Remember where some of the chains were that diverged."""
        kept = sum(len(points) for points in self._divergences)
        if kept < DIVERGENCES_KEPT:
            points = before.evaluation.point[info.diverged][: DIVERGENCES_KEPT - kept]
            if len(points):
                self._divergences.append(points)

    def add(self, chains: ChainState, infos: list[Info]) -> None:
        """Take the next draw, and what its iterations did."""
        at = self._done
        self._points[:, at] = chains.evaluation.point
        self._energies[:, at] = chains.evaluation.energy
        for info in infos:
            self._shares["acceptance"][:, at] += info.acceptance / len(infos)
            self._shares["moved"][:, at] += info.accepted.double() / len(infos)
            self._counts["diverged"][:, at] += info.diverged
            self._counts["infeasible"][:, at] += info.infeasible
            self._counts["gradients"][:, at] += info.gradients
        self._shares["hamiltonian"][:, at] = infos[-1].hamiltonian
        if infos[-1].branch is not None:
            self._counts["branch"][:, at] = infos[-1].branch
        self._done += 1

    def chunk(self) -> Chunk:
        """Return what is filled."""
        packed = self._points.shape[2]
        found = self._divergences or [self._points.new_empty(0, packed)]
        filled = {name: values[:, : self._done] for name, values in self._shares.items()}
        counted = {name: values[:, : self._done] for name, values in self._counts.items()}
        return Chunk(
            first=self._first,
            points=self._points[:, : self._done],
            energies=self._energies[:, : self._done],
            divergence_points=torch.cat(found),
            **filled,
            **counted,
        )
