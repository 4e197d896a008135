"""Exact invariance: draws that follow a law still follow it after any number of steps.

The strongest test of a sampler: it does not wait for convergence and sees a wrong acceptance
ratio, a missing Jacobian, a step that depends on the state, a repaired NaN. What it misses, a
chain that never moves, the movement gate catches.
"""

import pytest
import torch

from ebmlang.sample.kernels.langevin import UnadjustedLangevin
from ebmlang.sample.metric import identity
from tests.sample.laws import LAWS, Law
from tests.sample.table.kernels import CASES, build, number
from tests.sample.table.walk import CHAINS, LEAST_P, take_walk, walk

ROUNDING = 1e-9
"""Energies are computed twice, in batches of other sizes."""

TABLE = pytest.mark.parametrize(("kernel", "law"), CASES, ids=map(" on ".join, CASES))


@pytest.mark.slow
@TABLE
def test_exact_draws_stay_exact(kernel: str, law: str) -> None:
    seen = walk(kernel, law)

    assert min(seen.least_p.values()) > LEAST_P
    assert seen.feasible


@pytest.mark.slow
@TABLE
def test_chains_move(kernel: str, law: str) -> None:
    """Not always, which would be a step too short to learn from, and each on its own way."""
    seen = walk(kernel, law)

    assert 0.05 < seen.acceptance < 0.999
    assert seen.moved > 0.05
    assert seen.jump > 0.05
    assert seen.distinct == CHAINS


@pytest.mark.slow
@TABLE
def test_the_energy_that_is_reported_is_the_one_that_was_written(kernel: str, law: str) -> None:
    """It has no Jacobian in it, it is not tempered, and it is that of the point."""
    assert walk(kernel, law).error < ROUNDING


@pytest.mark.slow
@pytest.mark.parametrize("kernel", ["hmc", "slice"])
def test_a_missing_jacobian_is_seen(kernel: str) -> None:
    """The test of the test: taking log x from the energy undoes the Jacobian of exp."""
    law = LAWS["gamma"]
    wrong = Law(
        layout=law.layout,
        energy=lambda x: law.energy(x) + x.log().sum(1),
        draw=law.draw,
        step_size=law.step_size,
    )

    seen = take_walk(build(kernel, wrong), wrong, (10,))

    assert seen.least_p[10] < LEAST_P


@pytest.mark.slow
def test_a_kernel_without_acceptance_is_seen() -> None:
    """The test of the test: the unadjusted kernel is biased, and the table shows it."""
    law = LAWS["normal"]
    metric = identity(torch.zeros(1, 3, dtype=torch.float64))

    seen = take_walk(UnadjustedLangevin(step_size=number(0.3), metric=metric), law, (10,))

    assert seen.least_p[10] < LEAST_P
