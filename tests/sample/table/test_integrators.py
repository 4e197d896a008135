"""The integrator under the kernels: reversible, volume-preserving, of second order."""

import pytest
import torch
from torch import Tensor

from ebmlang.sample.density import Density
from ebmlang.sample.integrator import leapfrog
from ebmlang.sample.metric import Metric
from ebmlang.sample.state import ChainState
from tests.sample.laws import LAWS, Law, kinetic
from tests.sample.table.kernels import dense, diagonal, low_rank
from tests.sample.table.walk import begin_exact

STEPS = 7
METRICS = {"diagonal": diagonal, "dense": dense, "low rank": low_rank}
SMOOTH = [name for name in LAWS if "is a number" not in name]
CASES = [
    (name, metric)
    for name in SMOOTH
    for metric in METRICS
    if metric == "diagonal" or LAWS[name].density(1).chart.is_flat
]

ORDERS = [
    ("normal", "diagonal"),
    ("gamma", "dense"),
    ("correlated normal", "low rank"),
    ("tempered gamma", "diagonal"),
    ("von mises-fisher", "diagonal"),
    ("matrix fisher in space", "diagonal"),
]


def prepare(law: Law, metric: str, count: int = 50) -> tuple[Density, ChainState, Metric]:
    density = law.density(count)
    return density, begin_exact(law, count), METRICS[metric](density.chart)


def sizes(state: ChainState, size: float) -> Tensor:
    return torch.full_like(state.position[:, :1], size)


@pytest.mark.parametrize(("name", "metric"), CASES, ids=map(" in ".join, CASES))
def test_going_back_leads_to_the_start(name: str, metric: str) -> None:
    density, state, shape = prepare(LAWS[name], metric)
    q, p, size = state.position, state.momentum, sizes(state, 0.05)

    q1, p1, there = leapfrog(density, q, p, state.evaluation, size, shape, STEPS)
    q2, p2, _ = leapfrog(density, q1, -p1, there, size, shape, STEPS)

    assert float((q1 - q).abs().max()) > 0.01
    torch.testing.assert_close(q2, q, atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(-p2, p, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize(("name", "metric"), CASES, ids=map(" in ".join, CASES))
def test_a_negative_step_goes_back(name: str, metric: str) -> None:
    density, state, shape = prepare(LAWS[name], metric)
    q, p, size = state.position, state.momentum, sizes(state, 0.05)

    q1, p1, there = leapfrog(density, q, p, state.evaluation, size, shape, STEPS)
    q2, p2, _ = leapfrog(density, q1, p1, there, -size, shape, STEPS)

    torch.testing.assert_close(q2, q, atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(p2, p, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("name", ["correlated normal", "gamma", "ordered normal", "tempered gamma"])
def test_volume_is_kept(name: str, metric: str) -> None:
    """The determinant of the map of (q, z) is one; by central differences."""
    law = LAWS[name]
    _, state, shape = prepare(law, metric, count=1)
    q, p = state.position, state.momentum
    dim, width = q.shape[1], 1e-6
    moves = width * torch.eye(2 * dim, dtype=torch.float64)
    inputs = torch.cat([q, p], dim=1) + torch.cat([moves, -moves])
    start = inputs[:, :dim].contiguous()
    density = law.density(len(start))
    size = torch.full_like(start[:, :1], 0.1)

    end, turned, _ = leapfrog(
        density, start, inputs[:, dim:], density.evaluate(start), size, shape, STEPS
    )

    outputs = torch.cat([end, turned], dim=1)
    jacobian = (outputs[: 2 * dim] - outputs[2 * dim :]) / (2 * width)
    assert float(torch.linalg.det(jacobian)) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("name", "metric"), ORDERS, ids=map(" in ".join, ORDERS))
def test_the_error_of_the_energy_falls_with_the_square_of_the_step(name: str, metric: str) -> None:
    density, state, shape = prepare(LAWS[name], metric, count=500)
    before = state.evaluation

    def error(size: float, count: int) -> float:
        _, p, after = leapfrog(
            density, state.position, state.momentum, before, sizes(state, size), shape, count
        )
        change = density.gain(before, after) + kinetic(p) - kinetic(state.momentum)
        return float(change.abs().median())

    ratio = error(0.04, 10) / error(0.02, 20)

    assert 3.5 < ratio < 4.5


@pytest.mark.parametrize("name", ["von mises-fisher", "matrix fisher in space"])
def test_momenta_stay_tangent_and_points_on_the_manifold(name: str) -> None:
    density, state, shape = prepare(LAWS[name], "diagonal")

    q, p, _ = leapfrog(
        density, state.position, state.momentum, state.evaluation, sizes(state, 0.3), shape, 20
    )

    torch.testing.assert_close(density.chart.tangent(q, p), p, atol=1e-12, rtol=0)
    torch.testing.assert_close(q.norm(dim=1), state.position.norm(dim=1), atol=1e-12, rtol=0)
