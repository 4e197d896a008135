import math

import pytest
import torch

from ebmlang.sample.adaptation.step_size import init_average, update_average


def test_dual_averaging_finds_the_step_of_a_known_acceptance() -> None:
    """Where acceptance is exp(-step), the target is met at -log(target)."""
    state = init_average(torch.tensor(5.0), 100.0)

    for _ in range(2000):
        state = update_average(state, torch.exp(-state.log_next.exp()), 0.8)

    assert math.exp(float(state.log_mean)) == pytest.approx(-math.log(0.8), rel=0.05)


def test_a_step_that_is_always_accepted_stays_below_the_largest() -> None:
    state = init_average(torch.tensor(1.0), 3.0)

    for _ in range(500):
        state = update_average(state, torch.tensor(1.0), 0.8)

    assert math.exp(float(state.log_mean)) <= 3.0 * (1 + 1e-12)
