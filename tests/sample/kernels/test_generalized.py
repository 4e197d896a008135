"""Generalised HMC: momenta that persist, a level that is uniform, and turning around."""

import math

import pytest
import scipy.stats
import torch

from ebmlang.sample.kernels.generalized import Generalized, move_level
from ebmlang.sample.state import ChainState
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
from tests.sample.laws import kinetic

CHAINS = 20_000
LEAST_P = 1e-4
"""Chance of a failure of one test here."""

DENSITY = density_of(half_square, plane(2))


def kernel(step_size: float, renewal: float, drift: float = 0.1, count: int = 1) -> Generalized:
    return Generalized(
        step_size=number(step_size),
        metric=unit_metric(2),
        renewal=number(renewal),
        drift=number(drift),
        count=count,
    )


def log_slice(state: ChainState) -> torch.Tensor:
    """Return log(|u| exp(-H))."""
    total = DENSITY.potential(state.evaluation) + kinetic(state.momentum)
    return state.level.abs().log() - total


def test_position_momentum_and_level_keep_their_joint_law() -> None:
    state = begin_at(DENSITY, normal(CHAINS, 2))
    streams = streams_of(CHAINS)

    for iteration in range(1, 31):
        state, _ = kernel(1.4, 0.3).step(DENSITY, state, streams.at(iteration))

    samples = [(state.level + 1) / 2]
    samples += [torch.special.ndtr(column) for column in state.position.T]
    samples += [torch.special.ndtr(column) for column in state.momentum.T]
    for sample in samples:
        assert float(scipy.stats.kstest(sample.numpy(), "uniform").pvalue) > LEAST_P
    # Independent as well: no correlation of the level's size, or of momenta, with the energy.
    energy = state.evaluation.energy
    for other in (state.level.abs(), kinetic(state.momentum), state.level):
        correlation = float(torch.corrcoef(torch.stack([energy, other]))[0, 1])
        assert abs(correlation) < STANDARD_ERRORS / math.sqrt(CHAINS)


def test_an_accepted_step_stays_on_its_slice_and_a_rejected_one_turns_around() -> None:
    state = begin_at(DENSITY, normal(1000, 2))
    # The momentum is not renewed, so the state before and after can be compared.
    moves = kernel(1.7, 0.0, drift=0.0)

    following, info = moves.step(DENSITY, state, streams_of(1000).at(1))

    accepted = info.accepted
    assert 100 < int(accepted.sum()) < 900
    torch.testing.assert_close(log_slice(following)[accepted], log_slice(state)[accepted])
    assert bool((following.level.abs() <= 1).all())
    assert torch.equal(following.momentum[~accepted], -state.momentum[~accepted])
    assert torch.equal(following.level[~accepted], state.level[~accepted])
    assert torch.equal(following.position[~accepted], state.position[~accepted])


def test_a_step_is_accepted_where_the_level_lies_below_the_ratio_of_densities() -> None:
    state = begin_at(DENSITY, normal(1000, 2))

    _, info = kernel(1.7, 0.0, drift=0.0).step(DENSITY, state, streams_of(1000).at(1))

    assert torch.equal(info.accepted, state.level.abs() < info.acceptance)


def test_momenta_persist() -> None:
    state = begin_at(DENSITY, normal(CHAINS, 2))

    following, _ = kernel(1e-6, 0.19).step(DENSITY, state, streams_of(CHAINS).at(1))

    both = torch.stack([state.momentum[:, 0], following.momentum[:, 0]])
    assert float(torch.corrcoef(both)[0, 1]) == pytest.approx(
        math.sqrt(1 - 0.19), abs=STANDARD_ERRORS * 0.19 / math.sqrt(CHAINS)
    )


def test_a_level_moves_around_its_circle() -> None:
    level = torch.tensor([-0.95, 0.0, 0.95]).double()

    moved = move_level(level, number(0.1))

    torch.testing.assert_close(moved, torch.tensor([-0.85, 0.1, -0.95]).double())
