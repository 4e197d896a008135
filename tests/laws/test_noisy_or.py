"""The OR of the product logic, from no violation at all to hopeless ones."""

import itertools
from decimal import Decimal, localcontext

import numpy as np
import pytest
import torch

from ebmlang.lang.table import OPERATORS
from ebmlang.lower.module import compile_graph
from ebmlang.lower.torch_kernels import noisy_or
from tests.road import optimized

LEVELS = (0.0, 1e-30, 1.0, 1e4, 1e30)

TUPLES = [
    *itertools.product(LEVELS, repeat=2),
    *itertools.product(LEVELS, repeat=3),
]

ROUNDING = {torch.float64: 1e-13, torch.float32: 1e-5}
"""A small P is the exp of its log, so that a log of size 90 costs 90 roundings."""


def smallest(dtype):
    """Return the smallest normal number: products below it are 0, or lose digits."""
    return torch.finfo(dtype).tiny


def exact(energies):
    """Return -log(1 - prod(1 - exp(-C))) and its slopes, to 100 digits.

    With the least energy m, 1 - P = exp(-m) sum_i exp(m - C_i) prod_{j<i} (1 - exp(-C_j)), a sum
    of positive numbers.
    """
    with localcontext() as context:
        context.prec = 400
        values = [Decimal(energy) for energy in energies]
        misses = [1 - (-value).exp() for value in values]
        least = min(values)
        share, total = Decimal(1), Decimal(0)
        for value, miss in zip(values, misses, strict=True):
            total += (least - value).exp() * share
            share *= miss
        slopes = []
        for i, value in enumerate(values):
            others = Decimal(1)
            for j, miss in enumerate(misses):
                others *= miss if j != i else 1
            slopes.append(float((least - value).exp() * others / total))
        return float(least - total.ln()), slopes


@pytest.mark.parametrize("dtype", ROUNDING)
@pytest.mark.parametrize("energies", TUPLES)
def test_value_and_gradient_are_exact(energies, dtype):
    # As they are in this dtype: 1e-30 is not the same number in both.
    given = torch.tensor([energies], dtype=dtype, requires_grad=True)
    value, slopes = exact([float(c) for c in given[0].detach().double()])

    found = noisy_or(given, -1)
    (gradient,) = torch.autograd.grad(found.sum(), given)

    tolerance = {"rtol": ROUNDING[dtype], "atol": smallest(dtype)}
    assert torch.isfinite(gradient).all()
    np.testing.assert_allclose(found.item(), value, **tolerance)
    # Where shares cancel to almost 1, a slope has the absolute accuracy of the rounding.
    np.testing.assert_allclose(gradient[0].double().numpy(), slopes, rtol=ROUNDING[dtype],
                               atol=ROUNDING[dtype])  # fmt: skip


@pytest.mark.parametrize("energies", TUPLES)
def test_the_definition_in_the_table_is_exact(energies):
    found = OPERATORS["noisy_or"].evaluate(np.array(energies), axes=(-1,))

    np.testing.assert_allclose(found, exact(energies)[0], rtol=1e-13, atol=1e-300)


@pytest.mark.parametrize("dtype", ROUNDING)
@pytest.mark.parametrize("energies", TUPLES)
def test_a_whole_spec_has_finite_gradients(energies, dtype):
    names = "abc"[: len(energies)]
    text = "\n".join(f"var {n}: real" for n in names)
    text += "\nprefer p: " + " or ".join(f"{n} <= 0" for n in names)
    energy = compile_graph(optimized(text), dtype=dtype)
    x = torch.tensor([[(2 * c) ** 0.5 for c in energies]], dtype=dtype, requires_grad=True)

    total = energy.packed().energy(x)
    (gradient,) = torch.autograd.grad(total.sum(), x)

    assert torch.isfinite(total).all()
    assert torch.isfinite(gradient).all()
