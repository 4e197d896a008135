"""The one loop of all samplers: warm up, freeze, draw."""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ebmlang.runtime import (
    UNLIMITED,
    Budget,
    Deadline,
    Interrupt,
    Progress,
    SilentProgress,
    Target,
    build_generator,
    threads_for,
    watch_interrupts,
)
from ebmlang.sample import adaptation, hmc
from ebmlang.sample.adaptation import TARGET_ACCEPTANCE, TARGET_FEASIBLE, LogAverage
from ebmlang.sample.density import Density
from ebmlang.sample.draws import Draws, FrozenAdaptation
from ebmlang.sample.hmc import HmcInfo, HmcParameters, HmcState, Streams
from ebmlang.sample.starts import begin_at, start_chains
from ebmlang.source import Diagnostic, EbmError
from ebmlang.spaces import Layout, build_sampling_chart

CHAINS, WARMUP, DRAWS = 16, 500, 500
"""Chains, and iterations of each, where the caller does not say."""

LONGEST = math.pi
"""Longest trajectory, in standard deviations: half of a Gaussian's orbit, so that the mean one, a
quarter, forgets the start."""

MOST_STEPS = 128
"""Most leapfrog steps of one trajectory: a bound on the cost of an iteration."""

LARGEST_STEP = 2.0**20
"""Largest step size while the mass, and so the unit of a step, is not known. Once it is, a step
is in standard deviations and need not be longer than a trajectory."""

SEARCHES = 40
"""Most halvings, or doublings, in search of a step size."""


def sample(
    target: Target,
    layout: Layout,
    *,
    seed: int = 0,
    chains: int = CHAINS,
    warmup: int = WARMUP,
    draws: int = DRAWS,
    thin: int = 1,
    starts: Float[Tensor, "start packed"] | None = None,
    progress: Progress | None = None,
    budget: Budget = UNLIMITED,
) -> Draws:
    """Draw from exp(-E) over its domain, under its requirements.

    Args:
        target: The energy; its dtype and device are those of the run.
        layout: Where its points live.
        seed: Of all random numbers.
        chains: How many chains.
        warmup: Iterations that adapt and are not kept.
        draws: Points kept of each chain.
        thin: Iterations per point kept.
        starts: Packed points in the written coordinates to begin at, used in turn; where
            something is required, some must satisfy it. Spread ones if None.
        progress: Hears how far the run is.
        budget: Limits the time; draws finished by then are returned.

    Returns:
        The draws. Ctrl-C ends the run early with those that are finished.

    Raises:
        EbmError: E0708 where there is no unknown, E0706 or E0707 where a chain cannot start.
    """
    if layout.dim == 0:
        raise EbmError(
            Diagnostic(
                code="E0708",
                headline="there is nothing to sample: the model has no unknowns",
                helps=("declare an unknown, such as `var x: real ~ normal(0, 1)`",),
            )
        )
    listener = SilentProgress() if progress is None else progress
    # The kernel differentiates, whatever mode the caller is in.
    differentiable = torch.inference_mode(False)
    with differentiable, threads_for(chains * layout.dim), watch_interrupts() as interrupt:
        chart = build_sampling_chart(layout, dtype=target.dtype, device=target.device)
        density = Density(target=target, chart=chart)
        if starts is None:
            state = start_chains(density, layout, chains, seed)
        else:
            state = begin_at(density, starts, chains)
        run = _Run(
            density=density,
            streams=Streams(
                schedule=build_generator(seed, "schedule", torch.device("cpu")),
                chains=build_generator(seed, "momentum", target.device),
            ),
            progress=listener,
            deadline=budget.start(),
            interrupt=interrupt,
        )
        state, parameters = _warm_up(run, state, warmup)
        return _draw(run, state, parameters, warmup=warmup, draws=draws, thin=thin)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Run:
    """What every phase of a run needs."""

    density: Density
    streams: Streams
    progress: Progress
    deadline: Deadline
    interrupt: Interrupt

    @property
    def must_end(self) -> bool:
        return self.interrupt.requested or self.deadline.is_over()


def _warm_up(run: _Run, state: HmcState, warmup: int) -> tuple[HmcState, HmcParameters]:
    """Adapt step size, length and mass, and return them frozen."""
    parameters = _search_step(run, state, _first_parameters(state), LARGEST_STEP)
    pace = _Pace.begin(parameters.step_size, LARGEST_STEP)
    windows = adaptation.plan_windows(warmup)
    first = min((window.start for window in windows), default=warmup)
    ends = {window.stop for window in windows}
    moments = adaptation.init_mass(state.position)
    run.progress.started(warmup, "warming up")
    for iteration in range(1, warmup + 1):
        if run.must_end:
            break
        state, info = hmc.step(run.density, state, parameters, run.streams)
        pace = pace.learn(info)
        parameters = _with_pace(parameters, pace.step.log_next, pace.length.log_next)
        if first < iteration <= max(ends, default=0):
            moments = adaptation.update_mass(moments, state.position, state.evaluation.finite)
        if iteration in ends:
            variance = run.density.chart.pool(adaptation.estimate_variance(moments))
            parameters = replace(parameters, inverse_mass=variance.to(state.position.dtype))
            # The unit of the old step is gone with the old mass: search anew.
            parameters = _search_step(run, state, parameters, LONGEST)
            pace = _Pace.begin(parameters.step_size, LONGEST)
            moments = adaptation.init_mass(state.position)
        run.progress.advance(1, f"step {float(parameters.step_size):.3g}")
    run.progress.finished("")
    return state, _with_pace(parameters, pace.step.log_mean, pace.length.log_mean)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pace:
    """What adapts at every iteration.

    Attributes:
        step: The leapfrog step size.
        length: The longest trajectory; shorter than `LONGEST` only where too many end where
            something required does not hold.
    """

    step: LogAverage
    length: LogAverage

    @classmethod
    def begin(cls, step_size: Float[Tensor, ""], largest: float) -> "_Pace":
        longest = torch.full_like(step_size, LONGEST)
        return cls(
            step=adaptation.init_average(step_size, largest),
            length=adaptation.init_average(longest, LONGEST),
        )

    def learn(self, info: HmcInfo) -> "_Pace":
        faithful = info.faithful.mean()
        feasible = 1 - info.infeasible.double().mean()
        return _Pace(
            step=adaptation.update_average(self.step, faithful, TARGET_ACCEPTANCE),
            length=adaptation.update_average(self.length, feasible, TARGET_FEASIBLE),
        )


def _draw(
    run: _Run, state: HmcState, parameters: HmcParameters, *, warmup: int, draws: int, thin: int
) -> Draws:
    """Take the draws with everything frozen."""
    chains = len(state.position)
    points = state.position.new_empty(chains, draws, run.density.target.dim)
    energies = state.position.new_empty(chains, draws)
    tally = _Tally.empty(state.position)
    done = 0
    run.progress.started(draws, "drawing")
    for draw in range(draws):
        for _ in range(thin):
            state, info = hmc.step(run.density, state, parameters, run.streams)
            tally = tally.add(info.acceptance, info.accepted, info.diverged, info.infeasible)
        points[:, draw] = state.evaluation.point
        energies[:, draw] = state.evaluation.energy
        done = draw + 1
        run.progress.advance(1, "")
        if run.must_end:
            break
    run.progress.finished("")
    iterations = max(1, done * thin)
    return Draws(
        points=points[:, :done],
        energies=energies[:, :done],
        acceptance=tally.acceptance / iterations,
        divergences=tally.diverged,
        infeasible=tally.infeasible,
        moved=tally.accepted / iterations,
        adaptation=FrozenAdaptation(
            step_size=float(parameters.step_size),
            inverse_mass=parameters.inverse_mass,
            most_steps=parameters.most_steps,
            warmup=warmup,
        ),
        iterations=done * thin,
        interrupted=done < draws or run.interrupt.requested,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Tally:
    """Sums over iterations, per chain."""

    acceptance: Float[Tensor, " chain"]
    accepted: Int[Tensor, " chain"]
    diverged: Int[Tensor, " chain"]
    infeasible: Int[Tensor, " chain"]

    @classmethod
    def empty(cls, position: Float[Tensor, "chain dim"]) -> "_Tally":
        count = torch.zeros(len(position), dtype=torch.long, device=position.device)
        return cls(acceptance=count.double(), accepted=count, diverged=count, infeasible=count)

    def add(
        self,
        acceptance: Float[Tensor, " chain"],
        accepted: Bool[Tensor, " chain"],
        diverged: Bool[Tensor, " chain"],
        infeasible: Bool[Tensor, " chain"],
    ) -> "_Tally":
        return _Tally(
            acceptance=self.acceptance + acceptance,
            accepted=self.accepted + accepted,
            diverged=self.diverged + diverged,
            infeasible=self.infeasible + infeasible,
        )


def _first_parameters(state: HmcState) -> HmcParameters:
    ones = torch.ones_like(state.position[0])
    return HmcParameters(step_size=ones.new_ones(()), inverse_mass=ones, most_steps=1)


def _search_step(
    run: _Run, state: HmcState, parameters: HmcParameters, largest: float
) -> HmcParameters:
    """Double or halve the step size until one leapfrog step crosses the target acceptance.

    The chains stay where they are.

    Source: Hoffman and Gelman (2014), algorithm 4, on the mean over the chains.
    """
    first = parameters.step_size.clamp(max=largest)
    single = replace(parameters, step_size=first, most_steps=1)
    direction = 0
    for _ in range(SEARCHES):
        _, info = hmc.step(run.density, state, single, run.streams)
        up = 1 if float(info.faithful.mean()) > TARGET_ACCEPTANCE else -1
        if direction and up != direction:
            break
        direction = up
        if up > 0 and 2 * float(single.step_size) > largest:
            break
        single = replace(single, step_size=single.step_size * 2.0**up)
    count = LONGEST / max(float(single.step_size), LONGEST / MOST_STEPS)
    return replace(single, most_steps=max(1, round(count)))


def _with_pace(
    parameters: HmcParameters, log_step: Float[Tensor, ""], log_length: Float[Tensor, ""]
) -> HmcParameters:
    step_size, length = math.exp(float(log_step)), math.exp(float(log_length))
    if length < LONGEST:
        step_size = min(step_size, length)
    return replace(
        parameters,
        step_size=torch.full_like(parameters.step_size, step_size),
        most_steps=max(1, round(length / max(step_size, length / MOST_STEPS))),
    )
