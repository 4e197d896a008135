import torch

from ebmlang.sample.adaptation.moments import (
    PRIOR_VARIANCE,
    estimate_variance,
    init_moments,
    update_moments,
)


def test_moments_are_those_of_all_draws_together() -> None:
    rng = torch.Generator().manual_seed(0)
    draws = torch.randn(40, 6, 3, dtype=torch.float64, generator=rng) * 3 + 5
    state = init_moments(draws[0])

    for positions in draws:
        state = update_moments(state, positions, torch.ones(6, dtype=torch.bool))

    torch.testing.assert_close(state.mean, draws.flatten(0, 1).mean(0))
    torch.testing.assert_close(state.squares / (state.count - 1), draws.flatten(0, 1).var(0))


def test_a_chain_that_is_not_finite_does_not_poison_the_mass() -> None:
    rng = torch.Generator().manual_seed(0)
    draws = torch.randn(40, 6, 3, dtype=torch.float64, generator=rng)
    draws[:, 2] = torch.nan
    healthy = torch.tensor([True, True, False, True, True, True])
    state = init_moments(draws[0])

    for positions in draws:
        state = update_moments(state, positions, healthy)

    kept = draws[:, healthy].flatten(0, 1)
    torch.testing.assert_close(state.squares / (state.count - 1), kept.var(0))


def test_the_variance_of_few_draws_is_drawn_to_the_prior() -> None:
    state = init_moments(torch.zeros(1, 2))

    variance = estimate_variance(state)

    torch.testing.assert_close(variance, torch.full((2,), PRIOR_VARIANCE).double())
