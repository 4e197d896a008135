"""Funnels and bends are found where they are, in their direction, and nowhere else."""

import pytest
import torch
from torch import Tensor

from ebmlang.sample.adaptation.bending import find_pairs, fit_warp
from ebmlang.sample.warp import Warp
from tests.sample.kernels.cases import normal

CHAINS = 256
SAMPLES = 20
"""Independent samples on each of which the fit must be right."""


def learn(x: Tensor, energy: Tensor, leaf: Tensor) -> Warp:
    gradient = torch.autograd.grad(energy.sum(), leaf)[0]
    return find_and_fit(x, gradient, torch.ones(len(x)).bool())


def find_and_fit(x: Tensor, gradient: Tensor, healthy: Tensor) -> Warp:
    return fit_warp(find_pairs(x, gradient, healthy), x, gradient, healthy)


def learn_funnel(seed: int, measured: float) -> Warp:
    """Learn from a centred hierarchical law.

    x0 ~ N(0, 3^2) and x_i ~ N(0, exp(x0)), of which data of this precision hold the first.
    """
    z = normal(CHAINS, 6, seed=seed)
    x0 = 3 * z[:, :1]
    # Given x0 the first is normal with the sum of both precisions, and has mean 0.
    precision = (-x0).exp().expand(-1, 5).clone()
    precision[:, 0] += measured
    x = torch.cat([x0, z[:, 1:] / precision.sqrt()], dim=1)
    leaf = x.clone().requires_grad_()
    rest = leaf[:, 1:].square() * (-leaf[:, :1]).exp()
    prior = leaf[:, 0].square() / 18 + rest.sum(1) / 2 + 2.5 * leaf[:, 0]
    return learn(x, prior + measured * leaf[:, 1].square() / 2, leaf)


@pytest.mark.parametrize("seed", range(SAMPLES))
def test_a_funnel_is_straightened(seed: int) -> None:
    warp = learn_funnel(seed, measured=0.0)

    # In the unit of x0 the log scale grows by 1/2; its standard error is sqrt(1 / 2 N) / 3.
    slope = warp.log_scale_linear[0, 1:, 0] / warp.scale[0, 0]
    assert slope.tolist() == pytest.approx([0.5] * 5, abs=5 * (1 / (2 * CHAINS)) ** 0.5 / 3)
    assert not bool(warp.log_scale_linear[0, 0].any())
    assert not bool(warp.mean_square.any())


def test_what_data_hold_is_left_as_it_is() -> None:
    """Non-centring a parameter that is measured well would make it harder, not easier."""
    warp = learn_funnel(seed=0, measured=1e6)

    driven = warp.log_scale_linear[0].any(1)
    assert driven.tolist() == [False, False, True, True, True, True]


@pytest.mark.parametrize("seed", range(SAMPLES))
def test_a_bend_is_straightened_in_its_direction(seed: int) -> None:
    z = normal(CHAINS, 2, seed=seed)
    x = torch.stack([1 + z[:, 0], (1 + z[:, 0]).square() + 0.3 * z[:, 1]], dim=1)
    leaf = x.clone().requires_grad_()
    across = (leaf[:, 1] - leaf[:, 0].square()) / 0.3

    warp = learn(x, (leaf[:, 0] - 1).square() / 2 + across.square() / 2, leaf)

    straightened = warp.straighten(x)[:, 1]
    assert float(warp.mean_square[0, 1, 0]) > 0
    assert not bool(warp.mean_square[0, 0].any())
    # What is left is the residual, but for three coefficients: 1 - r^2 is chi^2(3) / N, and
    # chi^2(3) passes 26 once in 100,000 times.
    shared = float(torch.corrcoef(torch.stack([straightened, z[:, 1]]))[0, 1])
    assert shared > (1 - 26 / CHAINS) ** 0.5


@pytest.mark.parametrize("seed", range(SAMPLES))
def test_a_correlated_normal_law_is_left_as_it_is(seed: int) -> None:
    dim = 20
    root = normal(dim, dim, seed=99)
    x = normal(CHAINS, dim, seed=seed) @ root.T

    warp = find_and_fit(x, x @ torch.linalg.inv(root @ root.T), torch.ones(CHAINS).bool())

    assert not warp.bends


def test_chains_that_are_not_finite_do_not_count() -> None:
    z = normal(CHAINS, 2)
    x = torch.stack([z[:, 0], z[:, 0].square() + 0.1 * z[:, 1]], dim=1)
    gradient = torch.stack([z[:, 0] - 20 * z[:, 0] * z[:, 1], 10 * z[:, 1]], dim=1)
    healthy = torch.ones(CHAINS).bool()
    healthy[3] = False
    sick, steep = x.clone(), gradient.clone()
    sick[3], steep[3] = torch.nan, torch.inf

    seen, expected = (find_and_fit(*at, healthy) for at in ((sick, steep), (x, gradient)))

    assert expected.bends
    assert torch.equal(seen.mean_square, expected.mean_square)
    assert torch.equal(seen.center, expected.center)


def test_too_few_chains_learn_nothing() -> None:
    x = normal(10, 4)

    assert not find_and_fit(x, x, torch.ones(10).bool()).bends
