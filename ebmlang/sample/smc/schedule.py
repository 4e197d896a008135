"""The way from a reference to a target, chosen by a pilot and then frozen.

The pilot anneals particles of its own: each temperature is as far from the one before as keeps
most particles effective; steps follow the acceptance; moves are repeated until the energies
have forgotten where they began. What it found is frozen before the islands run, so that each of
them estimates the partition function without bias, and independently of the others.

Sources: Jasra, Stephens, Doucet and Tsagaris, Inference for Levy-driven stochastic volatility
models via adaptive SMC (2011), for temperatures; Buchholz, Chopin and Jacob, Adaptive tuning of
Hamiltonian Monte Carlo within SMC (2021), for moves.
"""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.runtime import derive_seed
from ebmlang.sample.density import TargetDensity, TemperedDensity
from ebmlang.sample.kernels.hmc import Hmc
from ebmlang.sample.metric import Dense, Diagonal, Metric
from ebmlang.sample.smc.particles import (
    Population,
    draw_population,
    find_change,
    find_effective_share,
    measure_rise,
    resample,
    reweigh,
)
from ebmlang.sample.smc.reference import (
    StudentReference,
    build_first_reference,
    estimate_covariance,
    fit_reference,
    is_wide_enough,
)
from ebmlang.sample.starts import explain_no_start
from ebmlang.sample.state import ChainState, Info
from ebmlang.sample.streams import Noise, Streams
from ebmlang.source import EbmError

PILOTS, PILOTS_PER_DIM = 512, 4
"""Particles of a pilot: at least the one, and so many for each coordinate."""

EFFECTIVE_SHARE = 0.9
"""Effective particles, as a share, that a change of temperature leaves. Less costs fewer
temperatures and more spread among the islands."""

RESAMPLING_SHARE = 0.7
"""Effective particles, as a share, below which the islands' are resampled. Each time costs some of
what they know of the masses of modes."""

FIRST_EFFECTIVE_SHARE = 0.5
"""The same while a reference is looked for, where only place and width are wanted."""

MOST_REFERENCES = 8
"""Most references tried; each may lie `INFLATION` times further out than the one before."""

MOST_TEMPERATURES = 400
"""Most temperatures of a schedule; a target that needs more is out of reach."""

TARGET_ACCEPTANCE = 0.8
"""Mean acceptance that the step size aims at, apart from what is required."""

STEP_GAIN = 2.0
"""By how much the log of the step size follows the acceptance; at none it falls to a fifth."""

FEWEST_MOVES, MOST_MOVES = 2, 10
"""Moves at each temperature."""

FORGOTTEN = 0.5
"""Correlation of the potential before and after the moves below which they are enough."""

LENGTH = math.pi / 2
"""Longest trajectory, in standard deviations."""

MOST_STEPS = 8
"""Most leapfrog steps of a trajectory. Where modes are far apart, their distance is the unit, and
one that is a standard deviation long would turn around within its mode many times."""

MOST_TRIES = 256
"""Most points drawn of the reference for each particle in search of some that are feasible."""

ROUNDING = 1e-12
"""Of sums of changes of the inverse temperature."""

ENOUGH_PILOTS = 0.25
"""Feasible points for each of the pilot's particles; the others begin where one of them does."""

SPARE_TRIES = 1.2
"""Points drawn for each that should be feasible."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rung:
    """One temperature.

    Attributes:
        inverse_temperature: 1 is the target.
        kernel: What moves the particles.
        moves: How often.
        resamples: Whether the particles are resampled before they move.
    """

    inverse_temperature: float
    kernel: Hmc
    moves: int
    resamples: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Schedule:
    """All temperatures.

    Attributes:
        reference: Where they begin.
        tries: Points drawn of it for each particle.
        rungs: From the first after the reference to the target.
    """

    reference: StudentReference
    tries: int
    rungs: tuple[Rung, ...]


def plan_schedule(density: TargetDensity, seed: int) -> tuple[Schedule, Population]:
    """Find a reference that covers the target, and the temperatures between the two.

    Returns:
        The schedule, and the pilot's particles, which follow the target roughly.

    Raises:
        EbmError: E0706 or E0707 where no particle of the first reference is feasible or finite.
    """
    target = density.target
    reference = build_first_reference(density.chart, dtype=target.dtype, device=target.device)
    for number in range(MOST_REFERENCES):
        _, population = _pilot(
            density, reference, derive_seed(seed, f"reference {number}"), FIRST_EFFECTIVE_SHARE
        )
        points = population.state.position
        wide = is_wide_enough(reference, points)
        reference = fit_reference(density.chart, points)
        if wide:
            break
    return _pilot(density, reference, derive_seed(seed, "schedule"), EFFECTIVE_SHARE)


def move(
    density: TargetDensity,
    reference: StudentReference,
    population: Population,
    rung: Rung,
    noise: Noise,
) -> tuple[Population, Info]:
    """Move all particles at a temperature; return also what the last move did, and all spent."""
    tempered, state = _heat(density, reference, population, rung.inverse_temperature)
    state, info = rung.kernel.step(tempered, state, noise.fork("move 0"))
    gradients = 1 + info.gradients
    for number in range(1, rung.moves):
        state, info = rung.kernel.step(tempered, state, noise.fork(f"move {number}"))
        gradients = gradients + info.gradients
    return replace(population, state=state), replace(info, gradients=gradients)


def _heat(
    density: TargetDensity,
    reference: StudentReference,
    population: Population,
    inverse_temperature: float,
) -> tuple[TemperedDensity, ChainState]:
    """Return the density at a temperature, and the particles seen by it."""
    state = population.state
    beta = state.position.new_full((len(state.position),), inverse_temperature)
    tempered = TemperedDensity(plain=density, reference=reference, inverse_temperature=beta)
    return tempered, replace(state, evaluation=tempered.evaluate(state.position))


def _pilot(
    density: TargetDensity, reference: StudentReference, seed: int, effective_share: float
) -> tuple[Schedule, Population]:
    """Anneal once, and write down how."""
    target, chart = density.target, density.chart
    numbers = torch.arange(max(PILOTS, PILOTS_PER_DIM * chart.dim), device=target.device)
    streams = Streams(seed=seed, chains=numbers, dtype=target.dtype)
    population, tries = _draw_pilots(density, reference, streams.at(0))
    rungs: list[Rung] = []
    step_size, done, kept = 1.0, 0.0, 1.0
    while done < 1:
        left = 1 - done
        if len(rungs) < MOST_TEMPERATURES - 1:
            rise = measure_rise(population.state.evaluation)
            # Of the first change it is known on the way there what the way back would say of it.
            left = find_change(rise, left, effective_share, and_back=done > 0)
        # What is not left over would be a temperature of its own, for nothing.
        done = 1.0 if 1 - done - left < ROUNDING else done + left
        noise = streams.at(len(rungs) + 1)
        population = reweigh(population, left)
        kept *= float(find_effective_share(population.log_weights)[0])
        population = resample(population, noise)
        population, rung = _tune(density, reference, population, done, step_size, noise)
        step_size = float(rung.kernel.step_size)
        rungs.append(replace(rung, resamples=kept < RESAMPLING_SHARE))
        kept = 1.0 if rungs[-1].resamples else kept
    return Schedule(reference=reference, tries=tries, rungs=tuple(rungs)), population


def _draw_pilots(
    density: TargetDensity, reference: StudentReference, noise: Noise
) -> tuple[Population, int]:
    """Draw the pilot's particles, with as many tries as some that are feasible take.

    Returns:
        The particles, and how many tries those of the islands should take.
    """
    tries = 1
    while True:
        population = draw_population(density, reference, noise, islands=1, tries=tries)
        share = float(population.log_partition[0].exp())
        if share * tries >= ENOUGH_PILOTS or tries >= MOST_TRIES:
            break
        tries *= 4
    if share == 0:
        finite = bool(population.state.evaluation.finite.any())
        raise EbmError(explain_no_start(finite))
    wanted = 1 if share > 1 / SPARE_TRIES else math.ceil(SPARE_TRIES / share)
    return population, min(MOST_TRIES, wanted)


def _tune(
    density: TargetDensity,
    reference: StudentReference,
    population: Population,
    inverse_temperature: float,
    step_size: float,
    noise: Noise,
) -> tuple[Population, Rung]:
    """Move the pilot's particles at a temperature until they have forgotten, and say how."""
    tempered, state = _heat(density, reference, population, inverse_temperature)
    metric = _build_metric(density, state.position)
    before = tempered.potential(state.evaluation)
    used = step_size
    for moves in range(1, MOST_MOVES + 1):
        used = step_size
        kernel = Hmc(
            step_size=state.position.new_tensor(used),
            metric=metric,
            most_steps=min(MOST_STEPS, max(1, round(LENGTH / used))),
        )
        state, info = kernel.step(tempered, state, noise.fork(f"move {moves}"))
        step_size = used * math.exp(STEP_GAIN * (float(info.faithful.mean()) - TARGET_ACCEPTANCE))
        step_size = min(step_size, LENGTH)
        memory = _correlate(before, tempered.potential(state.evaluation))
        if moves >= FEWEST_MOVES and float(memory) < FORGOTTEN:
            break
    kernel = replace(kernel, step_size=state.position.new_tensor(step_size))
    rung = Rung(
        inverse_temperature=inverse_temperature, kernel=kernel, moves=moves, resamples=False
    )
    return replace(population, state=state), rung


def _build_metric(density: TargetDensity, position: Float[Tensor, "chain dim"]) -> Metric:
    """Return the metric of the particles' covariance; a diagonal one where there are manifolds."""
    points = position.double()
    if density.chart.is_flat:
        factor = torch.linalg.cholesky(estimate_covariance(points))
        return Dense(factor=factor.to(position.dtype)[None])
    variance = density.chart.pool(points.var(0, correction=0))
    least = torch.finfo(points.dtype).eps * (1 + points.square().mean(0))
    return Diagonal(scale=(variance + least).sqrt().to(position.dtype)[None])


def _correlate(a: Float[Tensor, " chain"], b: Float[Tensor, " chain"]) -> Float[Tensor, ""]:
    """Return the rank correlation of two columns: a few far out do not decide on it."""
    middle = (len(a) - 1) / 2
    ranks = [column.argsort().argsort().double() - middle for column in (a, b)]
    return (ranks[0] * ranks[1]).sum() / ranks[0].square().sum()
