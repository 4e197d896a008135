"""Slice sampling: exact on laws with formulas, without gradients, under requirements."""

import math

import pytest
import scipy.stats
import torch
from torch import Tensor

from ebmlang.lang import DomainKind
from ebmlang.sample.density import TargetDensity
from ebmlang.sample.kernels.slice import MOST_TRIES, Slice
from ebmlang.sample.state import ChainState, Info
from tests.runtime.function_target import layout_of
from tests.sample.kernels.cases import (
    STANDARD_ERRORS,
    begin_at,
    density_of,
    half_square,
    normal,
    number,
    plane,
    streams_of,
    unit_metric,
)

CHAINS = 20_000
LEAST_P = 1e-4
"""Chance of a failure of one test here."""


def walk(
    density: TargetDensity, position: Tensor, kernel: Slice, steps: int
) -> tuple[ChainState, Info]:
    state = begin_at(density, position)
    streams = streams_of(len(position))
    for iteration in range(1, steps + 1):
        state, info = kernel.step(density, state, streams.at(iteration))
    return state, info


def along(width: float, dim: int, most_widths: int = 3) -> Slice:
    return Slice(width=number(width), metric=unit_metric(dim), most_widths=most_widths)


@pytest.mark.parametrize("width", [0.2, 1.5, 30.0])
def test_any_width_keeps_a_skew_law(width: float) -> None:
    """The Gumbel law, by the formula of its distribution: exp(-exp(-x))."""
    density = density_of(lambda x: (x + torch.exp(-x)).sum(1), plane(1))
    uniform = torch.special.ndtr(normal(CHAINS, 1))

    state, info = walk(density, -torch.log(-torch.log(uniform)), along(width, 1), 6)

    transformed = torch.exp(-torch.exp(-state.position[:, 0]))
    assert float(scipy.stats.kstest(transformed.numpy(), "uniform").pvalue) > LEAST_P
    assert bool(info.accepted.all())


def test_a_bracket_that_is_not_stepped_out_keeps_a_uniform_law() -> None:
    """Wider than the law, so that only its place around the point decides what shrinks it."""
    density = density_of(
        lambda x: torch.where((x[:, 0] < 0) | (x[:, 0] > 1), torch.inf, 0.0), plane(1)
    )

    state, _ = walk(density, torch.special.ndtr(normal(CHAINS, 1)), along(3.0, 1, 1), 6)

    assert float(scipy.stats.kstest(state.position[:, 0].numpy(), "uniform").pvalue) > LEAST_P


def test_two_separate_humps_keep_their_masses() -> None:
    """The slice is not an interval: steps out must be cut at random, or the law is lost."""
    density = density_of(
        lambda x: (
            -torch.logsumexp(
                torch.stack([-half_square(x) + math.log(0.3), -half_square(x - 6) + math.log(0.7)]),
                0,
            )
        ),
        plane(1),
    )
    in_first = torch.special.ndtr(normal(CHAINS, 1, seed=2)) < 0.3

    state, _ = walk(density, normal(CHAINS, 1) + torch.where(in_first, 0.0, 6.0), along(3.0, 1), 10)

    x = state.position[:, 0]
    cdf = 0.3 * torch.special.ndtr(x) + 0.7 * torch.special.ndtr(x - 6)
    assert float(scipy.stats.kstest(cdf.numpy(), "uniform").pvalue) > LEAST_P
    crossed = (x < 3) != in_first[:, 0]
    assert 0.02 < float(crossed.double().mean()) < 0.6


def test_an_energy_of_steps_is_sampled_from_anywhere() -> None:
    """Masses of the cells [k, k + 1) are as exp(-k), and a gradient is zero wherever it exists."""
    density = density_of(lambda x: torch.where(x[:, 0] < 0, torch.inf, x[:, 0].floor()), plane(1))

    state, _ = walk(density, torch.full((CHAINS, 1), 4.5).double(), along(2.0, 1, 8), 25)

    cell = state.position[:, 0].floor()
    share = (1 - math.exp(-1)) * torch.exp(-torch.arange(4).double())
    for k in range(4):
        seen = float((cell == k).double().mean())
        error = math.sqrt(float(share[k] * (1 - share[k])) / CHAINS)
        assert seen == pytest.approx(float(share[k]), abs=STANDARD_ERRORS * error)


def test_a_requirement_is_the_edge_of_every_slice() -> None:
    density = density_of(
        lambda x: 0 * x.sum(1), plane(2), requirements=lambda x: 1 - x.square().sum(1)[:, None]
    )

    state, info = walk(density, 0.1 * normal(CHAINS, 2).clamp(-3, 3), along(1.0, 2), 12)

    radius = state.position.norm(dim=1)
    assert bool((radius <= 1).all())
    # Uniform in the disc: the squared radius is uniform.
    assert float(scipy.stats.kstest(radius.square().numpy(), "uniform").pvalue) > LEAST_P
    assert not bool(info.infeasible.any())


def test_a_geodesic_may_go_around_a_sphere_as_often_as_it_likes() -> None:
    """By the formula of the height of a von Mises-Fisher law, from all chains at a pole."""
    density = density_of(lambda x: -x[:, 2], layout_of(DomainKind.UNIT, 3))
    pole = torch.tensor([[0.0, 0.0, -1.0]]).double().expand(CHAINS, 3).clone()

    state, _ = walk(density, pole, along(5.0, 3), 8)

    height = state.position[:, 2]
    cdf = (height.exp() - math.exp(-1)) / (math.e - math.exp(-1))
    assert float(scipy.stats.kstest(cdf.numpy(), "uniform").pvalue) > LEAST_P
    torch.testing.assert_close(state.position.norm(dim=1), torch.ones(CHAINS).double())


def test_points_that_are_not_numbers_lie_outside_and_are_counted() -> None:
    density = density_of(
        lambda x: half_square(x) + torch.where(x[:, 0] < 0, torch.nan, 0.0), plane(1)
    )

    state, info = walk(density, torch.full((400, 1), 0.5).double(), along(2.0, 1), 1)

    assert bool((state.position >= 0).all())
    assert 20 < int(info.diverged.sum()) < 380
    assert bool(info.accepted.all())


def test_a_chain_stays_where_no_point_is_ever_inside() -> None:
    """Only the start has a density, as far as floating point can tell: the tries run out."""
    density = density_of(lambda x: torch.where(x[:, 0] == 0.5, 0.0, torch.inf), plane(1))
    start = torch.full((3, 1), 0.5).double()

    state, info = walk(density, start, along(2.0**40, 1), 1)

    assert torch.equal(state.position, start)
    # Both ends of the bracket are looked at, where a step out was left to them.
    assert bool((info.gradients <= 2 + MOST_TRIES).all())
    assert not bool(info.accepted.any())
    assert not bool(info.acceptance.any())
