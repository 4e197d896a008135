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
from ebmlang.sample.adaptation import TARGET_ACCEPTANCE
from ebmlang.sample.density import Density
from ebmlang.sample.draws import Draws, FrozenAdaptation
from ebmlang.sample.hmc import HmcParameters, HmcState, Streams
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

SEARCHES = 40
"""Most doublings or halvings in search of a first step size: 2^40 either way."""


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
            something is required, points that satisfy it. Spread ones if None.
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
    chart = build_sampling_chart(layout, dtype=target.dtype, device=target.device)
    density = Density(target=target, chart=chart)
    listener = SilentProgress() if progress is None else progress
    with threads_for(chains * layout.dim), watch_interrupts() as interrupt:
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
    """Adapt step size and mass, and return them frozen."""
    parameters = _search_step(run, state, _first_parameters(state))
    steps = adaptation.init_step(parameters.step_size)
    windows = adaptation.plan_windows(warmup)
    first = min((window.start for window in windows), default=warmup)
    ends = {window.stop for window in windows}
    moments = adaptation.init_mass(state.position)
    run.progress.started(warmup, "warming up")
    for iteration in range(1, warmup + 1):
        if run.must_end:
            break
        state, info = hmc.step(run.density, state, parameters, run.streams)
        steps = adaptation.update_step(steps, info.acceptance.mean())
        parameters = _with_step(parameters, steps.log_step)
        if first < iteration <= max(ends, default=0):
            moments = adaptation.update_mass(moments, state.position, state.evaluation.finite)
        if iteration in ends:
            variance = run.density.chart.pool(adaptation.estimate_variance(moments))
            inverse_mass = variance.to(state.position.dtype)
            # The scale of the old step is gone with the old mass: search anew.
            parameters = _search_step(run, state, replace(parameters, inverse_mass=inverse_mass))
            steps = adaptation.init_step(parameters.step_size)
            moments = adaptation.init_mass(state.position)
        run.progress.advance(1, f"step {float(parameters.step_size):.3g}")
    run.progress.finished("")
    return state, _with_step(parameters, steps.log_mean)


def _draw(
    run: _Run, state: HmcState, parameters: HmcParameters, *, warmup: int, draws: int, thin: int
) -> Draws:
    """Take the draws with everything frozen."""
    chart = run.density.chart
    chains = len(state.position)
    points = state.position.new_empty(chains, draws, len(chart.to_written(state.position)[0][0]))
    energies = state.position.new_empty(chains, draws)
    tally = _Tally.empty(state.position)
    done = 0
    run.progress.started(draws, "drawing")
    for draw in range(draws):
        for _ in range(thin):
            state, info = hmc.step(run.density, state, parameters, run.streams)
            tally = tally.add(info.acceptance, info.accepted, info.diverged, info.infeasible)
        points[:, draw] = chart.to_written(state.position)[0]
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
        return cls(
            acceptance=count.double(), accepted=count, diverged=count, infeasible=count
        )

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


def _search_step(run: _Run, state: HmcState, parameters: HmcParameters) -> HmcParameters:
    """Double or halve the step size until one leapfrog step crosses the target acceptance.

    The chains stay where they are.

    Source: Hoffman and Gelman (2014), algorithm 4, on the mean over the chains.
    """
    single = replace(parameters, most_steps=1)
    direction = 0
    for _ in range(SEARCHES):
        _, info = hmc.step(run.density, state, single, run.streams)
        up = 1 if float(info.acceptance.mean()) > TARGET_ACCEPTANCE else -1
        if direction and up != direction:
            break
        direction = up
        single = replace(single, step_size=single.step_size * 2.0**up)
    return _with_step(parameters, single.step_size.double().log())


def _with_step(parameters: HmcParameters, log_step: Float[Tensor, ""]) -> HmcParameters:
    step_size = log_step.exp().to(parameters.inverse_mass.dtype)
    count = LONGEST / max(float(step_size), LONGEST / MOST_STEPS)
    return replace(parameters, step_size=step_size, most_steps=max(1, round(count)))
