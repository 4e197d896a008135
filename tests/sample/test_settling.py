"""Chains come down from far-out starts, each at a pace of its own."""

import torch

from ebmlang.lang import DomainKind
from ebmlang.sample import build_setting
from ebmlang.sample.settling import MOST_ROUNDS, ROUND, settle
from tests.runtime.function_target import FunctionTarget, layout_of


def setting_of(energy, dim, chains):
    layout = layout_of(DomainKind.REAL, dim)
    return build_setting(FunctionTarget(dim=dim, energy=energy), layout, seed=1, chains=chains)


def regression_energy(x):
    """Many observations with an unknown scale: E is 1e6 where the scale is far too small."""
    residual, log_scale = x[:, :3].square().sum(1), x[:, 3]
    return 500 * ((residual + 1) * torch.exp(-2 * log_scale) + 2 * log_scale)


def test_every_chain_comes_near_the_typical_set_of_much_data():
    setting = setting_of(regression_energy, 4, 64)
    generator = torch.Generator().manual_seed(0)
    start = 4 * torch.rand(64, 4, dtype=torch.float64, generator=generator) - 2

    end, gradients = settle(setting, start)

    # The minimum is 500, at 0; at home the energy is two nats above it, give or take.
    assert float(regression_energy(start).max()) > 5e4
    assert float(regression_energy(end).max()) < 500 + 50
    assert 0 < gradients <= 1 + ROUND * MOST_ROUNDS


def test_chains_at_home_stay_in_their_law_and_cost_little():
    setting = setting_of(lambda x: x.square().sum(1) / 2, 5, 4000)
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(4000, 5, dtype=torch.float64, generator=generator)

    end, gradients = settle(setting, start)

    # Adapting a step to what was accepted biases a little; twice a normal's error at 4,000 chains.
    assert abs(float(end.var(0).mean()) - 1) < 0.1
    assert gradients <= 1 + 2 * ROUND
