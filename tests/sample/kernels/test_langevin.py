"""Langevin moves: the formula, the bias that the correction takes away, and what is rejected."""

from dataclasses import fields, replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ebmlang.sample.density import Evaluation
from ebmlang.sample.kernels.langevin import AdjustedLangevin, UnadjustedLangevin
from ebmlang.sample.metric import Dense, Diagonal
from ebmlang.sample.state import Info
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


@given(
    steps=st.integers(1, 9),
    chains=st.integers(2, 7),
    groups=st.integers(1, 2),
    each=st.booleans(),
    first=st.integers(1, 5000),
)
def test_a_stride_is_its_steps(
    steps: int, chains: int, groups: int, each: bool, first: int
) -> None:
    density = replace(density_of(lambda x: x.pow(4).sum(1), plane(2)), is_restricted=False)
    state = begin_at(density, normal(chains, 2))
    scale = torch.tensor([[0.5, 1.0], [2.0, 0.7]]).double()[:groups]
    sizes = torch.linspace(0.05, 0.1, chains).double() if each else number(0.1)
    kernel = UnadjustedLangevin(step_size=sizes, metric=Diagonal(scale=scale))
    noises = [streams_of(chains).at(first + place) for place in range(steps)]

    stride = kernel.stride(density, state, noises)

    assert stride is not None
    infos = []
    for place, noise in enumerate(noises):
        _same(stride.visited[place], state.evaluation)
        state, info = kernel.step(density, state, noise)
        infos.append(info)
    torch.testing.assert_close(stride.state.position, state.position, rtol=0, atol=0)
    _same(stride.visited[-1], state.evaluation)
    _same(stride.state.evaluation, state.evaluation)
    for field in fields(Info):
        told = [getattr(info, field.name) for info in infos]
        if told[0] is not None:
            found = getattr(stride.info, field.name)
            torch.testing.assert_close(found, torch.cat(told), rtol=1e-12, atol=1e-12)


def _same(one: Evaluation, other: Evaluation) -> None:
    for field in fields(Evaluation):
        values = (getattr(found, field.name) for found in (one, other))
        torch.testing.assert_close(*values, rtol=0, atol=0)


@given(steps=st.integers(1, 40))
def test_a_stride_ends_where_a_chain_would_stay(steps: int) -> None:
    """Left of zero there is no number."""
    density = density_of(
        lambda x: half_square(x) + torch.where(x[:, 0] < 0, torch.nan, 0.0), plane(2)
    )
    density = replace(density, is_restricted=False)
    state = begin_at(density, torch.full((5, 2), 0.6).double())
    kernel = UnadjustedLangevin(step_size=number(0.2), metric=unit_metric(2))
    noises = [streams_of(5).at(1 + place) for place in range(steps)]

    stride = kernel.stride(density, state, noises)

    moved = True
    for noise in noises:
        state, info = kernel.step(density, state, noise)
        moved = moved and bool(info.accepted.all())
    assert (stride is not None) == moved
