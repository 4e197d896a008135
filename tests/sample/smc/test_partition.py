import math

import pytest
import torch
from scipy.stats import t as student_t
from torch import Tensor

from ebmlang.sample.smc.partition import find_khat, jackknife, judge_partition
from tests.sample.laws import normal, uniform

ISLANDS, PARTICLES = 16, 500


def column(spread: float, seed: int) -> Tensor:
    return spread * normal(ISLANDS, 1, torch.Generator().manual_seed(seed))[:, 0]


def weights(power: float) -> Tensor:
    """Return log weights of a Pareto law: the share above w falls like w ** -1 / power."""
    drawn = uniform(ISLANDS, PARTICLES, torch.Generator().manual_seed(0))
    return -power * drawn.log()


def judge(there: Tensor, back: Tensor, drift: Tensor, power: float = 0.3):
    return judge_partition(there, back, drift, [weights(power)], 0.0)


def test_islands_that_agree_in_every_way_are_reliable() -> None:
    found = judge(2 + column(0.1, 0), 2 + column(0.1, 1), column(0.1, 2))

    assert found.reliable
    assert found.value == pytest.approx(2, abs=4 * found.error)


@pytest.mark.parametrize(
    ("there", "back", "drift", "power", "reason"),
    [
        (3.0, 3.0, 0.0, 0.3, "spread"),
        (0.1, 0.1, 0.0, 1.5, "k-hat"),
        (0.1, None, 0.0, 0.3, "annealing back"),
        (0.1, 0.1, -1.0, 0.3, "had not arrived"),
    ],
)
def test_each_check_makes_it_unreliable(there, back, drift, power, reason) -> None:
    forward = column(there, 0)
    backward = forward + 0.5 + column(0.1, 1) if back is None else forward + column(0.01, 1)

    found = judge(forward, backward, drift + column(0.1, 2), power)

    assert any(reason in said for said in found.reasons)
    assert not found.reliable


def test_what_scouts_find_far_from_particles_makes_it_unreliable() -> None:
    even = column(0.1, 0)

    found = judge_partition(even, even, column(0.1, 2), [weights(0.3)], 0.25)

    assert found.reasons == ("a region that holds about 25% of the mass is far from all particles",)


@pytest.mark.parametrize("count", [1, 3])
def test_too_few_islands_have_a_value_and_no_error(count: int) -> None:
    few = column(0.1, 0)[:count]

    found = judge_partition(few, few, few, [weights(0.3)[:count]], 0.0)

    assert math.isfinite(found.value)
    assert found.error == math.inf
    assert found.reasons == (f"there are {count} islands, and it takes 4 for an error",)


def test_an_island_that_is_not_finite_is_not_reliable() -> None:
    there = column(0.1, 0)
    there[3] = -math.inf

    found = judge(there, column(0.1, 1), column(0.1, 2))

    assert not found.reliable


def test_the_jackknife_of_a_mean_is_the_mean_and_its_error_that_of_a_t() -> None:
    islands = column(1.0, 0)

    value, error = jackknife(lambda part: part.mean(0), islands)

    expected = float(islands.std()) / math.sqrt(ISLANDS) * student_t(ISLANDS - 1).std()
    assert value == pytest.approx(float(islands.mean()))
    assert error == pytest.approx(expected)


def test_the_jackknife_takes_the_bias_out_of_a_square() -> None:
    """The square of a mean is too large by the variance of the mean."""
    islands = 2 + column(1.0, 0)

    value, _ = jackknife(lambda part: part.mean(0).square(), islands)

    assert value == pytest.approx(float(islands.mean().square() - islands.var() / ISLANDS))


@pytest.mark.parametrize("power", [0.3, 1.0])
def test_khat_is_the_power_of_the_tail(power: float) -> None:
    """The tail has 3 sqrt(n) = 268 weights; the error of a shape k is (1 + k) / sqrt(268)."""
    error = (1 + power) / math.sqrt(3 * math.sqrt(ISLANDS * PARTICLES))

    assert find_khat(weights(power).flatten()) == pytest.approx(power, abs=4 * error)


def test_equal_weights_have_no_tail() -> None:
    assert find_khat(torch.full((100,), -3.0).double()) == -math.inf
