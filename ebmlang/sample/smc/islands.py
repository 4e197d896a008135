"""Islands: populations that are annealed independently of each other, as one batch.

All follow one schedule that was frozen before, so each gives an unbiased estimate of the partition
function of its own, and their spread is an honest error of the mean. The number of leapfrog
steps of a move is shared by all; whatever it is, a move leaves its temperature's density as it
is, so the islands are independent, and unbiased, given these numbers.

The way back begins at the particles of the target and undoes the schedule; what it says of the
partition function errs to the other side. Where the particles lag behind the temperature the two
disagree.

Source: Grosse, Ancha and Roy, Measuring the reliability of MCMC inference with bidirectional Monte
Carlo (2016), section 3.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import assert_never

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ebmlang.runtime import Progress
from ebmlang.sample.density import TargetDensity
from ebmlang.sample.smc.particles import (
    Population,
    draw_population,
    resample,
    reweigh,
)
from ebmlang.sample.smc.schedule import Rung, Schedule, move
from ebmlang.sample.state import Info
from ebmlang.sample.streams import Streams

SETTLING = 4
"""How often the last temperature's moves are repeated at the end: particles that lagged behind go
on moving to where the target has its mass, and so betray it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Journey:
    """Where annealing led, and how it went.

    Attributes:
        population: At its end.
        log_weights: Of all particles, each time that they were resampled.
        gradients: Evaluations of each particle.
    """

    population: Population
    log_weights: tuple[Float[Tensor, "island particle"], ...]
    gradients: Int[Tensor, " chain"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arrival:
    """What the way to the target found.

    Attributes:
        population: Particles of the target, of equal weight.
        first_log_partition: Of each island at the first temperature [nats].
        last_potential: Mean of each island's particles at the end, before they settled.
        log_weights: Of all particles, each time that they were resampled.
        info: What the last move did; its gradients are all that each particle took.
    """

    population: Population
    first_log_partition: Float[Tensor, " island"]
    last_potential: Float[Tensor, " island"]
    log_weights: tuple[Float[Tensor, "island particle"], ...]
    info: Info


def anneal(
    density: TargetDensity,
    schedule: Schedule,
    streams: Streams,
    *,
    islands: int,
    progress: Progress,
) -> Arrival:
    """Go from the reference to the target, and settle there."""
    first = draw_population(
        density, schedule.reference, streams.at(0), islands=islands, tries=schedule.tries
    )
    first = reweigh(first, schedule.rungs[0].inverse_temperature)
    journey = _travel(density, schedule, streams, first, _plan_stages(schedule), progress)
    noise = streams.at(0).fork("arrival")
    arrived = resample(journey.population, noise)
    settled = arrived
    gradients = journey.gradients + schedule.tries
    for number in range(SETTLING):
        inner = noise.fork(f"settling {number}")
        settled, info = move(density, schedule.reference, settled, schedule.rungs[-1], inner)
        gradients = gradients + info.gradients
    return Arrival(
        population=settled,
        first_log_partition=first.log_partition,
        last_potential=find_mean_potential(arrived),
        log_weights=(*journey.log_weights, journey.population.log_weights),
        info=replace(info, gradients=gradients),
    )


def anneal_back(
    density: TargetDensity,
    schedule: Schedule,
    streams: Streams,
    arrival: Arrival,
    *,
    progress: Progress,
) -> Float[Tensor, " island"]:
    """Go from the target back to the first temperature.

    Returns:
        What each island says, on its way back, of the log partition function [nats].
    """
    start = arrival.population
    back = [-stage if isinstance(stage, float) else stage for stage in _plan_stages(schedule)]
    # The moves at the first temperature would come after the last weight.
    stages = back[:0:-1]
    first = replace(start, log_partition=torch.zeros_like(start.log_partition))
    journey = _travel(density, schedule, streams, first, stages, progress)
    return arrival.first_log_partition - journey.population.log_partition


def find_mean_potential(population: Population) -> Float[Tensor, " island"]:
    """Return the mean of the target's potential over each island's particles [nats]."""
    evaluation = population.state.evaluation
    values = evaluation.energy.double() - evaluation.log_jacobian.double()
    return values.view_as(population.log_weights).mean(1)


def _plan_stages(schedule: Schedule) -> list[float | Rung]:
    """Return the moves at each temperature, and the changes of its inverse between them."""
    stages: list[float | Rung] = [schedule.rungs[0]]
    for before, after in pairwise(schedule.rungs):
        stages += [after.inverse_temperature - before.inverse_temperature, after]
    return stages


def _travel(
    density: TargetDensity,
    schedule: Schedule,
    streams: Streams,
    first: Population,
    stages: list[float | Rung],
    progress: Progress,
) -> Journey:
    population = first
    log_weights: list[Tensor] = []
    gradients = torch.zeros_like(streams.chains)
    for number, stage in enumerate(stages):
        noise = streams.at(1 + number)
        match stage:
            case float():
                population = reweigh(population, stage)
            case Rung():
                if stage.resamples:
                    log_weights.append(population.log_weights)
                    population = resample(population, noise)
                population, info = move(density, schedule.reference, population, stage, noise)
                gradients = gradients + info.gradients
            case _:
                assert_never(stage)
        progress.advance(1, "")
    return Journey(population=population, log_weights=tuple(log_weights), gradients=gradients)
