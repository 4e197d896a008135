"""Reflective HMC: undone by turning around, of volume 1, and inside at its end."""

import pytest
import torch
from torch import Tensor

from ebmlang.lang import DomainKind
from ebmlang.sample.density import TargetDensity
from ebmlang.sample.integrator import leapfrog
from ebmlang.sample.kernels.hmc import Hmc
from ebmlang.sample.kernels.reflection import Path, Reflective, follow
from ebmlang.sample.metric import Dense, Diagonal, Metric
from tests.runtime.function_target import layout_of
from tests.sample.kernels.cases import (
    begin_at,
    density_of,
    half_square,
    normal,
    number,
    plane,
    streams_of,
    unit_metric,
)
from tests.sample.laws import kinetic

STEPS = 9


def in_ring(x: Tensor) -> Tensor:
    """Margins of a ring: its outer edge is convex, its inner one is not."""
    radius = x.norm(dim=1)
    return torch.stack([1.2 - radius, radius - 0.5], dim=1)


RING = density_of(lambda x: 2 * half_square(x - 0.3), plane(2), requirements=in_ring)
CAP = density_of(
    lambda x: -x[:, 0], layout_of(DomainKind.UNIT, 3), requirements=lambda x: x[:, 2:] - 0.2
)
SKEW = Dense(factor=torch.tensor([[[1.0, 0.0], [0.6, 0.5]]], dtype=torch.float64))
CASES: dict[str, tuple[TargetDensity, Metric]] = {
    "a ring": (RING, unit_metric(2)),
    "a ring in a skew metric": (RING, SKEW),
    "a cap of a sphere": (CAP, unit_metric(3)),
}


def inside(density: TargetDensity, count: int) -> Tensor:
    """Points that satisfy what is required."""
    dim = density.chart.dim
    drawn = density.chart.from_written(normal(20 * count, dim))
    return drawn[density.is_feasible(density.evaluate(drawn))][:count]


def travel(
    density: TargetDensity, position: Tensor, momentum: Tensor, metric: Metric, size: float
) -> Path:
    sizes = torch.full_like(position[:, :1], size)
    evaluation = density.evaluate(position)
    return follow(density, position, momentum, evaluation, sizes, metric, STEPS)


@pytest.mark.parametrize("name", CASES)
def test_turning_around_leads_back_through_every_bounce(name: str) -> None:
    density, metric = CASES[name]
    q = inside(density, 200)
    z = density.chart.tangent(q, normal(200, q.shape[1], seed=3))

    there = travel(density, q, z, metric, 0.23)
    back = travel(density, there.position, -there.momentum, metric, 0.23)

    assert int((there.reflections > 0).sum()) > 100
    assert torch.equal(there.reflections, back.reflections)
    torch.testing.assert_close(back.position, q, atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(-back.momentum, z, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("metric", [unit_metric(2), SKEW])
def test_volume_is_kept_through_bounces(metric: Metric) -> None:
    """The determinant of the map of (q, z), by central differences; -1 for each mirror."""
    count, width = 20, 1e-6
    q, z = inside(RING, count), normal(count, 2, seed=3)
    moves = width * torch.eye(4, dtype=torch.float64)
    inputs = torch.cat([q, z], dim=1)[:, None] + torch.cat([moves, -moves])

    path = travel(
        RING, inputs[..., :2].reshape(-1, 2), inputs[..., 2:].reshape(-1, 2), metric, 0.23
    )

    outputs = torch.cat([path.position, path.momentum], dim=1).reshape(count, 8, 4)
    jacobian = (outputs[:, :4] - outputs[:, 4:]) / (2 * width)
    reflections = path.reflections.reshape(count, 8)
    # Where a neighbour bounces elsewhere there is no derivative.
    smooth = (reflections == reflections[:, :1]).all(1)
    assert int((smooth & (reflections[:, 0] > 0)).sum()) > 10
    expected = (1 - 2 * (reflections[:, 0] % 2)).double()
    determinant = torch.linalg.det(jacobian)
    torch.testing.assert_close(determinant[smooth], expected[smooth], atol=1e-5, rtol=0)


@pytest.mark.parametrize("metric", [unit_metric(2), SKEW])
def test_a_bounce_off_a_flat_wall_is_a_mirror_in_every_metric_and_costs_no_energy(
    metric: Metric,
) -> None:
    density = density_of(lambda x: 0 * x.sum(1), plane(2), requirements=lambda x: x[:, 1:])
    # The velocity towards the wall is 1 in either metric.
    towards = [[-5 / 3, 0.0]] if metric is SKEW else [[0.5, -1.0]]
    z = torch.tensor(towards, dtype=torch.float64)
    q = torch.tensor([[0.0, 0.45]]).double()

    path = travel(density, q, z, metric, 0.1)

    # The wall is reached at the middle of step 5 of 9.
    assert int(path.reflections) == 1
    assert float(metric.spread(path.momentum)[0, 1]) == pytest.approx(1, abs=1e-12)
    torch.testing.assert_close(kinetic(path.momentum), kinetic(z))
    assert float(path.position[0, 1]) == pytest.approx(0.45, abs=0.06)


def test_without_requirements_it_is_leapfrog() -> None:
    density = density_of(lambda x: x.pow(4).sum(1), plane(2))
    q, z = normal(50, 2), normal(50, 2, seed=3)
    sizes = torch.full_like(q[:, :1], 0.1)

    path = travel(density, q, z, SKEW, 0.1)
    end, turned, _ = leapfrog(density, q, z, density.evaluate(q), sizes, SKEW, STEPS)

    torch.testing.assert_close(path.position, end, atol=1e-12, rtol=1e-12)
    torch.testing.assert_close(path.momentum, turned, atol=1e-12, rtol=1e-12)


def test_every_end_is_inside_and_more_ends_are_than_without_mirrors() -> None:
    disc = density_of(
        lambda x: 0 * x.sum(1), plane(10), requirements=lambda x: 1 - x.square().sum(1)[:, None]
    )
    position = 0.2 * normal(2000, 10)
    state = begin_at(disc, position[disc.is_feasible(disc.evaluate(position))])
    noise = streams_of(len(state.position)).at(1)
    metric = Diagonal(scale=torch.full((1, 10), 0.3).double())

    following, info = Reflective(step_size=number(0.3), metric=metric, most_steps=16).step(
        disc, state, noise
    )
    _, plain = Hmc(step_size=number(0.3), metric=metric, most_steps=16).step(disc, state, noise)

    assert bool(disc.is_feasible(following.evaluation).all())
    assert torch.equal(info.accepted, ~info.infeasible)
    assert float(info.acceptance.mean()) > 2 * float(plain.acceptance.mean()) > 0


def test_an_energy_that_exists_only_inside_is_passed_by_on_the_outside() -> None:
    """The gradient of sqrt is not a number left of zero; a bounce that dips there goes on."""
    density = density_of(lambda x: -x.sqrt().sum(1), plane(1), requirements=lambda x: x)
    q = torch.full((100, 1), 0.33).double()
    z = -torch.linspace(0.5, 1.5, 100).double()[:, None]

    path = travel(density, q, z, unit_metric(1), 0.1)

    ended_inside = density.is_feasible(path.evaluation)
    assert int(ended_inside.sum()) > 50
    assert bool((path.reflections[ended_inside] > 0).any())
    assert bool(path.evaluation.finite[ended_inside].all())
    assert bool(torch.isfinite(path.momentum).all())
