"""Draws and the log partition function of a density, by annealed particles on islands.

    draws, partition = sample(target, layout, islands=16, particles=1024, seed=0)
    partition.value, partition.error, partition.reliable

Many modes are no obstacle where the reference covers them: particles spread over all of them while
the temperature is high, and their weights keep count of each mode's mass as it falls.
"""

import math
from dataclasses import dataclass
from typing import final

import torch

from ebmlang.runtime import (
    UNLIMITED,
    Budget,
    Deadline,
    Interrupt,
    Progress,
    SilentProgress,
    Target,
    derive_seed,
    threads_for,
    watch_interrupts,
)
from ebmlang.sample.collector import DIVERGENCES_KEPT
from ebmlang.sample.density import TargetDensity
from ebmlang.sample.draws import Chunk, Draws
from ebmlang.sample.smc.islands import Arrival, anneal, anneal_back, find_mean_potential
from ebmlang.sample.smc.partition import LogPartition, judge_partition
from ebmlang.sample.smc.schedule import Schedule, plan_schedule
from ebmlang.sample.smc.scouts import find_overlooked
from ebmlang.sample.streams import Streams
from ebmlang.spaces import Layout, build_sampling_chart

ISLANDS, PARTICLES = 16, 1024
"""Islands, and particles of each, where the caller does not say."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Annealed:
    """All that annealing found.

    Attributes:
        schedule: How it went there.
        arrival: What it found.
        partition: The log partition function.
    """

    schedule: Schedule
    arrival: Arrival
    partition: LogPartition


def sample(
    target: Target,
    layout: Layout,
    *,
    islands: int = ISLANDS,
    particles: int = PARTICLES,
    seed: int = 0,
    budget: Budget = UNLIMITED,
    progress: Progress | None = None,
) -> tuple[Draws, LogPartition | None]:
    """Draw from exp(-E) over its domain, under its requirements.

    Args:
        target: The energy; its dtype and device are those of the run.
        layout: Where its points live.
        islands: How many, each a chain of the result; four at least.
        particles: Of each island, each a draw of the result.
        seed: Of all random numbers.
        budget: Limits the time.
        progress: Hears how far the run is.

    Returns:
        The particles, of equal weight, and the log partition function. Where Ctrl-C or the budget
        ends the run early there are none: particles on their way are no draws.

    Raises:
        EbmError: E0706 or E0707 where no point is found at which the density is not zero.
    """
    work = islands * particles * layout.dim
    with torch.inference_mode(False), threads_for(work), watch_interrupts() as interrupt:
        chart = build_sampling_chart(layout, dtype=target.dtype, device=target.device)
        density = TargetDensity(target=target, chart=chart)
        watch = _Watch(
            listener=SilentProgress() if progress is None else progress,
            deadline=budget.start(),
            interrupt=interrupt,
        )
        try:
            found = anneal_islands(
                density, islands=islands, particles=particles, seed=seed, progress=watch
            )
        except _EarlyEndError:
            return _stop(target, islands), None
    return collect_draws(found), found.partition


class _EarlyEndError(Exception):
    """The run is to end before its particles have arrived."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Watch:
    """Passes on how far the run is, and stops it when it must end."""

    listener: Progress
    deadline: Deadline
    interrupt: Interrupt

    def started(self, total: int, text: str) -> None:
        self.listener.started(total, text)

    def advance(self, count: int, text: str) -> None:
        self.listener.advance(count, text)
        if self.interrupt.requested or self.deadline.is_over():
            self.listener.finished("")
            raise _EarlyEndError

    def finished(self, text: str) -> None:
        self.listener.finished(text)


def _stop(target: Target, islands: int) -> Draws:
    """Return no draws."""
    numbers = torch.empty(islands, 0, dtype=target.dtype, device=target.device)
    counts = numbers.long()
    chunk = Chunk(
        first=0,
        points=numbers.new_empty(islands, 0, target.dim),
        energies=numbers,
        acceptance=numbers.double(),
        moved=numbers.double(),
        diverged=counts,
        infeasible=counts,
        gradients=counts,
        hamiltonian=numbers.double(),
        branch=counts,
        divergence_points=numbers.new_empty(0, target.dim),
    )
    return Draws(
        chunk=chunk,
        method="smc",
        adaptation={"doubts": ()},
        warmup=0,
        warmup_gradients=torch.zeros(islands, dtype=torch.long, device=target.device),
        thin=1,
        interrupted=True,
    )


def estimate_log_partition(
    density: TargetDensity,
    *,
    islands: int = ISLANDS,
    particles: int = PARTICLES,
    seed: int = 0,
    progress: Progress | None = None,
) -> LogPartition:
    """Estimate the log of the integral of exp(-E) over its domain, where what is required holds.

    Args:
        density: The energy seen through its chart.
        islands: How many; the error bar comes from their spread.
        particles: Of each island; the error falls as the root of their number.
        seed: Of all random numbers.
        progress: Hears how far the run is.

    Returns:
        The estimate, its error bar, and why it should not be trusted, if so.

    Raises:
        EbmError: E0706 or E0707 where no point is found at which the density is not zero.
    """
    return anneal_islands(
        density, islands=islands, particles=particles, seed=seed, progress=progress
    ).partition


def anneal_islands(
    density: TargetDensity,
    *,
    islands: int,
    particles: int,
    seed: int,
    progress: Progress | None = None,
) -> Annealed:
    """Plan, go there and back, and judge."""
    listener = SilentProgress() if progress is None else progress
    schedule, _ = plan_schedule(density, seed)
    stages = 2 * len(schedule.rungs) - 1
    listener.started(2 * stages - 1, "annealing")
    there = _number_particles(density, derive_seed(seed, "there"), islands * particles)
    arrival = anneal(density, schedule, there, islands=islands, progress=listener)
    back = _number_particles(density, derive_seed(seed, "back"), islands * particles)
    reverse = anneal_back(density, schedule, back, arrival, progress=listener)
    listener.finished("")
    there_log_partition = arrival.population.log_partition
    overlooked = find_overlooked(
        density,
        arrival.population.state.position,
        float(torch.logsumexp(there_log_partition, 0)) - math.log(islands),
        derive_seed(seed, "scouts"),
    )
    partition = judge_partition(
        there_log_partition,
        reverse,
        find_mean_potential(arrival.population) - arrival.last_potential,
        arrival.log_weights,
        overlooked,
    )
    return Annealed(schedule=schedule, arrival=arrival, partition=partition)


def collect_draws(found: Annealed) -> Draws:
    """Return the particles as draws: an island is a chain, what is said of a draw its last move."""
    arrival, partition = found.arrival, found.partition
    shape = arrival.population.log_weights.shape
    evaluation, info = arrival.population.state.evaluation, arrival.info
    chunk = Chunk(
        first=0,
        points=evaluation.point.view(*shape, -1),
        energies=evaluation.energy.view(shape),
        acceptance=info.acceptance.double().view(shape),
        moved=info.accepted.double().view(shape),
        diverged=info.diverged.long().view(shape),
        infeasible=info.infeasible.long().view(shape),
        gradients=info.gradients.view(shape),
        # Particles of an island do not follow each other in time.
        hamiltonian=torch.full_like(info.hamiltonian, torch.nan).view(shape),
        branch=torch.zeros_like(info.gradients).view(shape),
        divergence_points=evaluation.point[info.diverged][:DIVERGENCES_KEPT],
    )
    return Draws(
        chunk=chunk,
        method="smc",
        adaptation={
            "temperatures": len(found.schedule.rungs),
            "moves": sum(rung.moves for rung in found.schedule.rungs),
            "log partition": partition.value,
            "error of it": partition.error,
            "doubts": partition.reasons,
        },
        warmup=0,
        warmup_gradients=torch.zeros(shape[0], dtype=torch.long, device=info.gradients.device),
        thin=1,
        interrupted=False,
    )


def _number_particles(density: TargetDensity, seed: int, count: int) -> Streams:
    target = density.target
    numbers = torch.arange(count, device=target.device)
    return Streams(seed=seed, chains=numbers, dtype=target.dtype)
