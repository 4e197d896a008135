"""Densities whose gradient is in float32 and whose values are in float64."""

import numpy as np
import torch

from ebmlang.lang import DomainKind
from ebmlang.sample import Plan, sample
from ebmlang.sample.loop import build_density
from ebmlang.sample.samplers.hmc import build_hmc
from ebmlang.spaces import ConcreteDomain, build_layout
from tests.runtime.function_target import FunctionTarget, layout_of

LARGE = 1e7
"""A constant in an energy; its spacing in float32 is 1, so that differences below drown [nats]."""


def shifted_normal(dtype: torch.dtype) -> FunctionTarget:
    return FunctionTarget(dim=2, energy=lambda x: LARGE + x.square().sum(1) / 2, dtype=dtype)


def test_gains_are_those_of_float64_at_the_same_points() -> None:
    lower, upper = np.zeros(2), np.ones(2)
    domain = ConcreteDomain(kind=DomainKind.REAL, shape=(2,), lower=lower, upper=upper)
    layout = build_layout({"x": domain})
    exact = shifted_normal(torch.float64)
    mixed = build_density(shifted_normal(torch.float32), layout, exact)
    plain = build_density(exact, layout, None)
    a = torch.tensor([[0.1, 0.2], [1.0, -2.0]])
    b = torch.tensor([[0.3, 0.1], [-1.0, 0.5]])

    gain = mixed.gain(mixed.evaluate(a), mixed.evaluate(b))

    expected = plain.gain(plain.evaluate(a.double()), plain.evaluate(b.double()))
    torch.testing.assert_close(gain, expected, rtol=0, atol=1e-8)
    assert mixed.evaluate(a).gradient.dtype == torch.float32


def test_a_large_constant_costs_no_acceptance_in_mixed_precision() -> None:
    """In float32 alone energies move in steps of 1, and acceptance is that of a coarse ladder."""
    target, exact = shifted_normal(torch.float32), shifted_normal(torch.float64)
    layout = layout_of(DomainKind.REAL, 2)
    options = {"chains": 8, "plan": Plan(warmup=50, draws=50)}

    mixed = sample(target, layout, build_hmc(), exact=exact, **options)
    double = sample(exact, layout, build_hmc(), **options)

    assert mixed.points.dtype == torch.float32
    # The same random streams and the same decisions: the draws agree to the rounding of float32,
    # which the flow of a normal law does not amplify.
    torch.testing.assert_close(mixed.points.double(), double.points, rtol=0, atol=1e-3)
