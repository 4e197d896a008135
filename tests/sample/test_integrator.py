"""The leapfrog integrator: reversible, volume-preserving, of second order."""

import pytest
import torch

from ebmlang.runtime import build_generator
from ebmlang.sample.density import Density
from ebmlang.sample.hmc import HmcParameters, HmcState, Streams, init, integrate, kinetic, step
from ebmlang.spaces import build_sampling_chart
from tests.sample.laws import CPU, LAWS, Law

STEPS = 7


def prepare(law: Law, count: int = 50) -> tuple[Density, HmcState, torch.Tensor, torch.Tensor]:
    chart = build_sampling_chart(law.layout, dtype=torch.float64, device=CPU)
    density = Density(target=law.target, chart=chart)
    rng = build_generator(0, "integrator", CPU)
    state = init(density, chart.from_written(law.draw(count, rng)))
    inverse_mass = chart.pool(torch.linspace(0.5, 2.0, chart.dim, dtype=torch.float64))
    momentum = torch.randn(state.position.shape, dtype=torch.float64, generator=rng)
    return density, state, chart.tangent(state.position, momentum), inverse_mass


def sizes(state: HmcState, size: float) -> torch.Tensor:
    return torch.full_like(state.position[:, :1], size)


@pytest.mark.parametrize("name", [n for n in LAWS if "is a number" not in n])
def test_going_back_leads_to_the_start(name: str) -> None:
    density, state, p, inverse_mass = prepare(LAWS[name])
    size = sizes(state, 0.05)

    q1, p1, there = integrate(
        density, state.position, p, state.evaluation, size, inverse_mass, STEPS
    )
    q2, p2, _ = integrate(density, q1, -p1, there, size, inverse_mass, STEPS)

    assert float((q1 - state.position).abs().max()) > 0.01
    torch.testing.assert_close(q2, state.position, atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(-p2, p, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("name", ["normal", "gamma", "ordered normal"])
def test_volume_is_kept(name: str) -> None:
    """The determinant of the map of (q, p) is one; by central differences."""
    density, state, p, inverse_mass = prepare(LAWS[name], count=1)
    q = state.position
    dim, width = q.shape[1], 1e-6
    moves = width * torch.eye(2 * dim, dtype=torch.float64)
    inputs = torch.cat([q, p], dim=1) + torch.cat([moves, -moves])
    start = inputs[:, :dim].contiguous()

    end, turned, _ = integrate(
        density,
        start,
        inputs[:, dim:],
        density.evaluate(start),
        torch.full_like(start[:, :1], 0.1),
        inverse_mass,
        STEPS,
    )

    outputs = torch.cat([end, turned], dim=1)
    jacobian = (outputs[: 2 * dim] - outputs[2 * dim :]) / (2 * width)
    assert float(torch.linalg.det(jacobian)) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("name", ["normal", "gamma", "von mises-fisher", "matrix fisher in space"])
def test_the_error_of_the_energy_falls_with_the_square_of_the_step(name: str) -> None:
    density, state, p, inverse_mass = prepare(LAWS[name], count=500)

    def error(size: float, count: int) -> float:
        before = state.evaluation
        _, p1, after = integrate(
            density, state.position, p, before, sizes(state, size), inverse_mass, count
        )
        change = after.energy - before.energy - (after.log_jacobian - before.log_jacobian)
        change = change + kinetic(p1, inverse_mass) - kinetic(p, inverse_mass)
        return float(change.abs().median())

    ratio = error(0.04, 10) / error(0.02, 20)

    assert 3.5 < ratio < 4.5


def test_a_chain_does_not_depend_on_the_others() -> None:
    law = LAWS["gamma"]
    density, state, _, inverse_mass = prepare(law)
    parameters = HmcParameters(
        step_size=torch.tensor(0.4).double(), inverse_mass=inverse_mass, most_steps=4
    )
    other = state.position.clone()
    other[0] = 3.0

    def run(position: torch.Tensor) -> torch.Tensor:
        streams = Streams(
            schedule=build_generator(2, "schedule", CPU),
            chains=build_generator(2, "chains", CPU),
        )
        current = init(density, position)
        for _ in range(5):
            current, _ = step(density, current, parameters, streams)
        return current.position

    first, second = run(state.position), run(other)

    assert not torch.equal(first[0], second[0])
    assert torch.equal(first[1:], second[1:])


def test_a_step_changes_nothing_that_it_was_given() -> None:
    density, state, _, inverse_mass = prepare(LAWS["von mises-fisher"])
    parameters = HmcParameters(
        step_size=torch.tensor(0.4).double(), inverse_mass=inverse_mass, most_steps=4
    )
    position, energy = state.position.clone(), state.evaluation.energy.clone()
    streams = Streams(
        schedule=build_generator(2, "schedule", CPU), chains=build_generator(2, "chains", CPU)
    )

    step(density, state, parameters, streams)

    assert torch.equal(state.position, position)
    assert torch.equal(state.evaluation.energy, energy)
