"""Langevin moves: the formula, the bias that the correction takes away, and what is rejected."""

import pytest
import torch

from ebmlang.sample.kernels.langevin import AdjustedLangevin, UnadjustedLangevin
from ebmlang.sample.metric import Dense
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
STEP = 1.2
VARIANCE = 1 / (1 - STEP**2 / 4)
"""Of the unadjusted chain q' = (1 - h^2 / 2) q + h z on a standard normal, where it is still."""


def test_a_move_follows_its_formula() -> None:
    density = density_of(lambda x: x.pow(4).sum(1), plane(2))
    state = begin_at(density, normal(50, 2))
    factor = torch.tensor([[0.5, 0.0], [0.2, 0.3]]).double()
    noise = streams_of(50).at(1)
    kernel = UnadjustedLangevin(step_size=number(0.1), metric=Dense(factor=factor[None]))

    following, _ = kernel.step(density, state, noise)

    force = 4 * state.position.pow(3) @ (factor @ factor.T)
    expected = state.position - 0.005 * force + 0.1 * noise.normal("momentum", 2) @ factor.T
    torch.testing.assert_close(following.position, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("kernel", "variance"), [(UnadjustedLangevin, VARIANCE), (AdjustedLangevin, 1.0)]
)
def test_the_correction_takes_the_bias_away(kernel: type, variance: float) -> None:
    density = density_of(half_square, plane(1))
    state = begin_at(density, variance**0.5 * normal(CHAINS, 1))
    streams = streams_of(CHAINS)
    moves = kernel(step_size=number(STEP), metric=unit_metric(1))

    for iteration in range(1, 11):
        state, info = moves.step(density, state, streams.at(iteration))

    error = variance * (2 / CHAINS) ** 0.5
    assert float(state.position.var()) == pytest.approx(variance, abs=STANDARD_ERRORS * error)
    # Both say how often the correction accepts; only one does it.
    assert 0.5 < float(info.faithful.mean()) < 0.95
    assert (float(info.acceptance.mean()) == 1) == (kernel is UnadjustedLangevin)


@pytest.mark.parametrize("kernel", [UnadjustedLangevin, AdjustedLangevin])
def test_what_is_not_finite_or_not_feasible_is_rejected_and_counted(kernel: type) -> None:
    """Left of zero there is no number; below zero a requirement is violated."""
    density = density_of(
        lambda x: half_square(x) + torch.where(x[:, 0] < 0, torch.nan, 0.0),
        plane(2),
        requirements=lambda x: x[:, 1:],
    )
    state = begin_at(density, torch.full((400, 2), 1e-3).double())
    moves = kernel(step_size=number(0.5), metric=unit_metric(2))

    following, info = moves.step(density, state, streams_of(400).at(1))

    assert bool((following.position >= 0).all())
    assert 100 < int(info.diverged.sum()) < 300
    assert 50 < int(info.infeasible.sum()) < 150
    assert not bool((info.accepted & (info.diverged | info.infeasible)).any())
