import math

import pytest
import torch

from ebmlang.sample import adaptation


def test_windows_double_and_end_where_the_warm_up_ends_its_last_part() -> None:
    windows = adaptation.plan_windows(1000)

    assert [(w.start, w.stop) for w in windows] == [
        (150, 175),
        (175, 225),
        (225, 325),
        (325, 900),
    ]


@pytest.mark.parametrize("warmup", [0, 1, 10, 30])
def test_a_short_warm_up_has_no_window_or_one(warmup: int) -> None:
    assert len(adaptation.plan_windows(warmup)) <= 1


def test_dual_averaging_finds_the_step_of_a_known_acceptance() -> None:
    """Where acceptance is exp(-step), the target is met at -log(target)."""
    state = adaptation.init_average(torch.tensor(5.0), 100.0)

    for _ in range(2000):
        state = adaptation.update_average(state, torch.exp(-state.log_next.exp()), 0.8)

    assert math.exp(float(state.log_mean)) == pytest.approx(-math.log(0.8), rel=0.05)


def test_a_step_that_is_always_accepted_stays_below_the_largest() -> None:
    state = adaptation.init_average(torch.tensor(1.0), 3.0)

    for _ in range(500):
        state = adaptation.update_average(state, torch.tensor(1.0), 0.8)

    assert math.exp(float(state.log_mean)) <= 3.0 * (1 + 1e-12)


def test_moments_are_those_of_all_draws_together() -> None:
    rng = torch.Generator().manual_seed(0)
    draws = torch.randn(40, 6, 3, dtype=torch.float64, generator=rng) * 3 + 5
    state = adaptation.init_mass(draws[0])

    for positions in draws:
        state = adaptation.update_mass(state, positions, torch.ones(6, dtype=torch.bool))

    torch.testing.assert_close(state.mean, draws.flatten(0, 1).mean(0))
    torch.testing.assert_close(state.squares / (state.count - 1), draws.flatten(0, 1).var(0))


def test_a_chain_that_is_not_finite_does_not_poison_the_mass() -> None:
    rng = torch.Generator().manual_seed(0)
    draws = torch.randn(40, 6, 3, dtype=torch.float64, generator=rng)
    draws[:, 2] = torch.nan
    healthy = torch.tensor([True, True, False, True, True, True])
    state = adaptation.init_mass(draws[0])

    for positions in draws:
        state = adaptation.update_mass(state, positions, healthy)

    kept = draws[:, healthy].flatten(0, 1)
    torch.testing.assert_close(state.squares / (state.count - 1), kept.var(0))


def test_the_variance_of_few_draws_is_drawn_to_the_prior() -> None:
    state = adaptation.init_mass(torch.zeros(1, 2))

    variance = adaptation.estimate_variance(state)

    torch.testing.assert_close(variance, torch.full((2,), adaptation.PRIOR_VARIANCE).double())
