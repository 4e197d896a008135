"""What one fold tells the next."""

import pytest
import torch

from ebmlang.sample.adaptation.folds import FOLDS, estimate_largest, learn_pace
from tests.sample.kernels.cases import normal


def test_one_long_direction_is_the_largest_eigenvalue() -> None:
    rows = normal(50, 1) * torch.tensor([[3.0, 4.0]]).double()

    assert float(estimate_largest(rows)) == pytest.approx(
        25 * float(rows[:, 0].square().mean()) / 9
    )


@pytest.mark.parametrize("dim", [3, 80])
def test_the_estimate_is_the_ratio_of_traces_however_it_is_computed(dim: int) -> None:
    rows = normal(40, dim)

    moments = rows.T @ rows / 40
    assert float(estimate_largest(rows)) == pytest.approx(
        float((moments @ moments).trace() / moments.trace())
    )


def test_each_fold_learns_from_the_one_before() -> None:
    chains = 10 * FOLDS
    x = normal(chains, 3)
    changed = x.clone()
    changed[:10] *= 5
    healthy = torch.ones(chains).bool()

    before, after = learn_pace(x, x, healthy), learn_pace(changed, changed, healthy)

    differs = (before.scale != after.scale).any(1)
    assert differs.tolist() == [False, True, False, False]


def test_a_chain_that_is_not_finite_does_not_count() -> None:
    x = normal(10 * FOLDS, 3)
    sick, healthy = x.clone(), torch.ones(10 * FOLDS).bool()
    sick[4], healthy[4] = torch.inf, False

    seen, expected = learn_pace(sick, sick, healthy), learn_pace(x, x, healthy)

    assert torch.equal(seen.step_size, expected.step_size)
    assert torch.equal(seen.scale, expected.scale)
