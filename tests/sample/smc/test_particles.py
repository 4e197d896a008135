import math
from dataclasses import replace

import torch
from torch import Tensor
from torch.testing import assert_close

from ebmlang.lang import DomainKind
from ebmlang.sample.density import TargetDensity
from ebmlang.sample.smc.particles import (
    Population,
    draw_population,
    find_change,
    find_effective_share,
    resample,
    reweigh,
)
from ebmlang.sample.smc.reference import StudentReference, build_first_reference
from ebmlang.sample.streams import Noise, Streams
from ebmlang.spaces import build_sampling_chart
from tests.runtime.function_target import CPU, FunctionTarget, layout_of
from tests.sample.laws import normal, uniform

ISLANDS, PARTICLES = 3, 400


def noise_of(islands: int = ISLANDS, particles: int = PARTICLES, iteration: int = 0) -> Noise:
    numbers = torch.arange(islands * particles)
    return Streams(seed=5, chains=numbers, dtype=torch.float64).at(iteration)


def build(energy=lambda x: x.square().sum(1) / 2, **options) -> TargetDensity:
    target = FunctionTarget(dim=2, energy=energy, **options)
    layout = layout_of(DomainKind.REAL, 2)
    chart = build_sampling_chart(layout, dtype=torch.float64, device=CPU)
    return TargetDensity(target=target, chart=chart)


def first_reference(density: TargetDensity) -> StudentReference:
    return build_first_reference(density.chart, dtype=torch.float64, device=CPU)


def drawn(density: TargetDensity, islands: int = ISLANDS, tries: int = 1) -> Population:
    reference = first_reference(density)
    return draw_population(density, reference, noise_of(islands), islands=islands, tries=tries)


def right_half(x: Tensor) -> Tensor:
    return x[:, :1]


def nowhere(x: Tensor) -> Tensor:
    return -torch.ones_like(x[:, :1])


def test_resampling_takes_each_particle_as_often_as_its_weight_says_or_once_more() -> None:
    population = drawn(build())
    log_weights = torch.log_softmax(
        3 * normal(ISLANDS, PARTICLES, torch.Generator().manual_seed(0)), 1
    )

    resampled = resample(replace(population, log_weights=log_weights), noise_of(iteration=1))

    # Particles of all islands differ, so each is known again by its position.
    old, new = population.state.position[:, 0], resampled.state.position[:, 0]
    times = (new[None] == old[:, None]).sum(1).view(ISLANDS, PARTICLES)
    expected = PARTICLES * log_weights.exp()
    assert (times - expected).abs().max() < 1
    assert times.sum(1).tolist() == [PARTICLES] * ISLANDS
    assert_close(resampled.log_weights.exp(), torch.full_like(log_weights, 1 / PARTICLES))


def test_islands_are_resampled_by_random_numbers_of_their_own() -> None:
    population = drawn(build())
    weights = uniform(1, PARTICLES, torch.Generator().manual_seed(0)).expand(ISLANDS, -1)
    log_weights = (weights / weights.sum(1, keepdim=True)).log()

    resampled = resample(replace(population, log_weights=log_weights), noise_of(iteration=1))

    old = population.state.position[:, 0].view(ISLANDS, PARTICLES)
    new = resampled.state.position[:, 0].view(ISLANDS, PARTICLES)
    chosen = (new[:, :, None] == old[:, None]).long().argmax(2)
    assert not torch.equal(chosen[0], chosen[1])


def test_resampling_equal_weights_changes_nothing() -> None:
    population = drawn(build())

    resampled = resample(population, noise_of(iteration=1))

    assert torch.equal(resampled.state.position, population.state.position)


def test_a_partition_function_grows_by_the_mean_weight() -> None:
    population = drawn(build())
    rise = population.state.evaluation.energy - population.state.evaluation.reference
    mean = (-0.3 * rise).exp().view(ISLANDS, PARTICLES).mean(1)

    reweighed = reweigh(population, 0.3)

    assert_close(reweighed.log_partition, mean.log())
    assert_close(reweighed.log_weights.exp().sum(1), torch.ones(ISLANDS, dtype=torch.float64))


def test_weighing_in_two_steps_is_weighing_in_one() -> None:
    population = drawn(build())

    twice = reweigh(reweigh(population, 0.1), 0.2)

    once = reweigh(population, 0.1 + 0.2)
    assert_close(twice.log_partition, once.log_partition)
    assert_close(twice.log_weights, once.log_weights)


def test_a_large_constant_in_the_energy_moves_the_partition_function_and_no_weight() -> None:
    low = reweigh(drawn(build()), 0.5)

    high = reweigh(drawn(build(energy=lambda x: x.square().sum(1) / 2 + 2.0**20)), 0.5)

    assert_close(high.log_partition, low.log_partition - 2.0**19, rtol=0, atol=1e-9)
    assert_close(high.log_weights, low.log_weights, rtol=0, atol=1e-9)


def test_the_effective_share_of_equal_weights_is_one_and_of_one_particle_a_single_share() -> None:
    equal = torch.full((1, 50), -math.log(50), dtype=torch.float64)
    single = torch.full((1, 50), -math.inf, dtype=torch.float64)
    single[0, 3] = 0

    assert_close(find_effective_share(equal), torch.ones(1, dtype=torch.float64))
    assert_close(find_effective_share(single), torch.full((1,), 1 / 50, dtype=torch.float64))


def test_a_change_leaves_just_the_effective_share_on_the_way_there() -> None:
    rise = 20 * normal(1000, 1, torch.Generator().manual_seed(0))[:, 0]

    change = find_change(rise, 1.0, 0.9, and_back=False)

    assert_close(
        float(find_effective_share(torch.log_softmax(-change * rise, 0))), 0.9, atol=1e-6, rtol=0
    )


def test_a_change_looks_at_the_way_back_too() -> None:
    """A few particles far above the others weigh nothing there, and all on the way back."""
    rise = normal(1000, 1, torch.Generator().manual_seed(0))[:, 0].abs()
    rise[:3] = 100

    there = find_change(rise, 1.0, 0.5, and_back=False)
    both = find_change(rise, 1.0, 0.5, and_back=True)

    assert there == 1.0
    weights = (-both * rise).exp()
    assert_close(float(1 / (weights.mean() * (1 / weights).mean())), 0.5, atol=1e-6, rtol=0)


def test_a_change_is_what_is_left_where_that_keeps_enough() -> None:
    assert find_change(torch.zeros(10).double(), 0.25, 0.9, and_back=True) == 0.25


def test_the_mass_where_a_requirement_holds_begins_the_partition_function() -> None:
    population = drawn(build(requirements=right_half), islands=ISLANDS, tries=8)

    # The reference is symmetric: half of it is right of zero, of 3200 points 4 errors are 0.035.
    assert ((population.log_partition.exp() - 0.5).abs() < 0.036).all()
    assert (population.state.position[:, 0] >= 0).all()


def test_infinite_energy_is_as_good_as_a_requirement() -> None:
    required = drawn(build(requirements=right_half), tries=4)

    infinite = drawn(
        build(energy=lambda x: torch.where(x[:, 0] >= 0, x.square().sum(1) / 2, math.inf)), tries=4
    )

    assert torch.equal(infinite.state.position, required.state.position)
    assert torch.equal(infinite.log_partition, required.log_partition)


def test_an_island_without_a_feasible_point_has_no_mass() -> None:
    population = reweigh(drawn(build(requirements=nowhere)), 0.5)

    assert (population.log_partition == -math.inf).all()
    assert not torch.isnan(population.log_weights).any()
