"""The kernels at the edges of their domains, where plain formulas give nan."""

import math

import numpy as np
import pytest
import torch
from scipy import special

from ebmlang.lang.table import OPERATORS
from ebmlang.lower import torch_kernels as k

EDGES = [0.0, 1e-30, 1e-8, 0.3, math.log(2.0), 1.0, 30.0, 1e4, 1e30]
DTYPES = [torch.float32, torch.float64]


def with_gradient(function, *values):
    leaves = [value.detach().requires_grad_() for value in values]
    out = function(*leaves)
    return out.detach(), torch.autograd.grad(out.sum(), leaves)


def noisy_or_slopes(energies):
    """The gradient by its formula, in 60 digits' worth of care: float64 and sums of logs."""
    energies = np.asarray(energies, dtype=np.longdouble)
    with np.errstate(divide="ignore"):
        logs = np.log(-np.expm1(-energies))
    result = []
    for i, energy in enumerate(energies):
        others = np.delete(logs, i).sum()
        shares = [-e + logs[:j].sum() for j, e in enumerate(energies)]
        top = max(shares)
        total = np.log(sum(np.exp(s - top) for s in shares))
        result.append(float(np.exp((-energy - top) + others - total)))
    return result


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("first", EDGES)
@pytest.mark.parametrize("second", EDGES)
@pytest.mark.parametrize("third", [None, 0.0, 0.7, 1e30])
def test_noisy_or_and_its_gradient_are_exact_and_finite_from_0_to_1e30(first, second, third, dtype):
    values = [first, second] + ([] if third is None else [third])
    energies = torch.tensor(values, dtype=dtype)

    out, (slopes,) = with_gradient(lambda c: k.noisy_or(c, -1), energies)

    exact = energies.double().numpy()
    expected = OPERATORS["noisy_or"].evaluate(exact, axes=(-1,))
    tolerance = 1e-12 if dtype is torch.float64 else 2e-5
    # A product of two energies of 1e-30 is below the smallest float32.
    least = 0.0 if dtype is torch.float64 else 1e-37
    np.testing.assert_allclose(out.numpy(), expected, rtol=tolerance, atol=least)
    assert slopes.isfinite().all()
    np.testing.assert_allclose(slopes, noisy_or_slopes(exact), rtol=tolerance, atol=1e-15)


@pytest.mark.parametrize("dtype", DTYPES)
def test_noisy_or_is_zero_exactly_where_an_alternative_holds(dtype):
    out = k.noisy_or(torch.tensor([[0.0, 1e4], [1e-30, 1e4], [0.0, 0.0]], dtype=dtype), -1)

    assert (out == 0).tolist() == [True, False, True]


def test_noisy_or_of_hopeless_alternatives_is_infinite_with_gradient_0():
    energies = torch.tensor([[math.inf, math.inf], [math.inf, 2.0]])

    out, (slopes,) = with_gradient(lambda c: k.noisy_or(c, -1), energies)

    assert out.tolist() == [math.inf, 2.0]
    assert slopes.tolist() == [[0.0, 0.0], [0.0, 1.0]]


def test_noisy_or_reduces_any_axes():
    energies = torch.rand((2, 3, 4), dtype=torch.float64) + 0.1

    flat = k.noisy_or(energies.movedim(1, 0).reshape(3, 8), -1)

    torch.testing.assert_close(k.noisy_or(energies, (-3, -1)), flat)
    torch.testing.assert_close(k.noisy_or(energies, -2), k.noisy_or(energies.mT, -1))


def test_noisy_or_has_second_derivatives_inside():
    energies = (torch.rand((2, 3), dtype=torch.float64) + 0.1).requires_grad_()

    assert torch.autograd.gradcheck(lambda c: k.noisy_or(c, -1), energies)
    assert torch.autograd.gradgradcheck(lambda c: k.noisy_or(c, -1), energies)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_square_root_has_gradient_0_at_0(dtype):
    out, (slopes,) = with_gradient(k.sqrt, torch.tensor([0.0, 4.0], dtype=dtype))

    assert out.tolist() == [0.0, 2.0]
    assert slopes.tolist() == [0.0, 0.25]


def test_the_square_root_of_a_negative_number_is_nan():
    assert k.sqrt(torch.tensor([-1.0, math.nan])).isnan().all()


def test_log1mexp_is_exact_for_tiny_and_for_huge_arguments():
    x = torch.tensor([1e-300, 1e-8, 0.5, math.log(2.0), 5.0, 50.0], dtype=torch.float64)

    out, (slopes,) = with_gradient(k.log1mexp, x)

    np.testing.assert_allclose(out, OPERATORS["log1mexp"].evaluate(x.numpy()), rtol=1e-13)
    np.testing.assert_allclose(slopes, 1 / np.expm1(x.numpy()), rtol=1e-12)


def test_logsumexp_of_impossible_branches_is_minus_infinity_with_gradient_0():
    x = torch.tensor([[-math.inf, -math.inf], [-math.inf, 1.0]])

    out, (slopes,) = with_gradient(lambda v: k.logsumexp(v, -1), x)

    assert out.tolist() == [-math.inf, 1.0]
    assert slopes.tolist() == [[0.0, 0.0], [0.0, 1.0]]


def test_logsumexp_reduces_several_axes():
    x = torch.randn((2, 3, 4), dtype=torch.float64)

    expected = special.logsumexp(x.numpy(), axis=(-3, -1))
    np.testing.assert_allclose(k.logsumexp(x, (-3, -1)), expected, rtol=1e-13)


def test_logaddexp_of_two_impossible_branches_has_gradient_0():
    a = torch.tensor([-math.inf, -math.inf, 0.0])
    b = torch.tensor([-math.inf, 1.0, 0.0])

    out, (da, db) = with_gradient(k.logaddexp, a, b)

    np.testing.assert_allclose(out, [-math.inf, 1.0, math.log(2.0)], rtol=1e-6)
    assert (da.tolist(), db.tolist()) == ([0.0, 0.0, 0.5], [0.0, 1.0, 0.5])


SINGULAR = [[1.0, 1.0], [1.0, 1.0]]
REGULAR = [[2.0, 1.0], [1.0, 3.0]]


@pytest.mark.parametrize(
    "kernel",
    [k.inverse, k.cholesky, lambda x: k.solve(x, torch.ones((2, 2, 1), dtype=x.dtype))],
)
def test_one_matrix_without_an_answer_leaves_the_other_chains_alone(kernel):
    x = torch.tensor([[[1.0, 2.0], [2.0, 4.0]], REGULAR], dtype=torch.float64)
    x[0, 1, 1] = 4.0 if kernel is not k.cholesky else -4.0

    out, (slopes,) = with_gradient(kernel, x)
    alone, (slopes_alone,) = with_gradient(
        lambda m: kernel(m.expand(2, 2, 2)) / 2, torch.tensor(REGULAR, dtype=torch.float64)
    )

    assert out[0].isnan().all()
    torch.testing.assert_close(out[1], alone[1] * 2)
    torch.testing.assert_close(slopes[1], slopes_alone)


def test_solving_with_as_many_columns_as_chains_is_no_batch_of_vectors():
    a = torch.randn((3, 3, 3), dtype=torch.float64) + 4 * torch.eye(3)
    b = torch.randn((3, 3), dtype=torch.float64)

    torch.testing.assert_close(a @ k.solve(a, b), b.expand(3, 3, 3))
