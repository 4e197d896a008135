"""Gradients where slopes are not plain: at corners, at ties, at zeros and next to infinity."""

import math

import numpy as np
import pytest
import torch

from ebmlang.graph import Kind, Root, RootKind
from ebmlang.lang.table import OPERATORS
from ebmlang.lower.module import compile_graph
from ebmlang.lower.trace import trace_nodes
from ebmlang.passes.gradient import direct
from ebmlang.runtime import differentiate_value
from tests.lower.sketch import Sketch
from tests.lower.test_torch_kernels import EDGES, noisy_or_slopes


def slopes_of(build, point, dtype=torch.float64):
    """Return value and gradient at a point, of the graph and of autograd."""
    s = Sketch()
    x = s.variable("x", (len(point),))
    out = build(s, x)
    shape = s.builder.nodes[out].shape
    total = s("sum", out, axes=tuple(range(-len(shape), 0))) if shape else out
    energy = compile_graph(s.graph(total), dtype=dtype)
    packed = energy.packed()
    at = torch.tensor([point], dtype=dtype)
    mine, truth = packed.energy_and_gradient(at), differentiate_value(packed.energy, at)
    assert None not in energy.gradients.values()
    return [part.squeeze(0).tolist() for part in (*mine, *truth)]


def element(s, x, place):
    return s("take", x, s.constant(place), axis=-1)


CORNERS = {
    "abs": (lambda s, x: s("abs", x), [0.0, -2.0, 3.0], [0.0, -1.0, 1.0]),
    "relu": (lambda s, x: s("relu", x), [0.0, -2.0, 3.0], [0.0, 0.0, 1.0]),
    "sqrt": (lambda s, x: s("sqrt", x), [0.0, 4.0], [0.0, 0.25]),
    "half power": (lambda s, x: s("pow", x, s.constant([0.5])), [0.0, 4.0], [0.0, 0.25]),
    "power of zero": (
        lambda s, x: s("pow", element(s, x, 0), element(s, x, 1)),
        [0.0, 3.0],
        [0.0, 0.0],
    ),
    "norm": (lambda s, x: s("norm", x, axes=(-1,)), [0.0, 0.0], [0.0, 0.0]),
    "angle": (lambda s, x: s("atan2", element(s, x, 0), element(s, x, 1)), [0.0, 0.0], [0.0, 0.0]),
    "min": (lambda s, x: s("min", x, axes=(-1,)), [1.0, 1.0, 2.0], [0.5, 0.5, 0.0]),
    "max": (lambda s, x: s("max", x, axes=(-1,)), [2.0, 1.0, 2.0], [0.5, 0.0, 0.5]),
    "minimum": (
        lambda s, x: s("minimum", element(s, x, 0), element(s, x, 1)),
        [1.0, 1.0],
        [0.5, 0.5],
    ),
    "maximum": (
        lambda s, x: s("maximum", element(s, x, 0), element(s, x, 1)),
        [1.0, 2.0],
        [0.0, 1.0],
    ),
    "clamp": (lambda s, x: s("minimum", x, s.constant([1.0])), [1.0, 2.0, 0.0], [1.0, 0.0, 1.0]),
    "product with a zero": (lambda s, x: s("prod", x, axes=(-1,)), [0.0, 2.0, 3.0], [6.0, 0, 0]),
    "product with zeros": (lambda s, x: s("prod", x, axes=(-1,)), [0.0, 0.0, 3.0], [0.0, 0, 0]),
    "log of one less than nothing": (lambda s, x: s("log1mexp", x), [1.0], [1 / math.expm1(1.0)]),
}
"""A function of a vector, a point, and the gradient there."""


@pytest.mark.parametrize("name", CORNERS)
def test_a_slope_at_a_corner_is_the_one_that_torch_takes(name):
    build, point, expected = CORNERS[name]

    value, slopes, truth, by_autograd = slopes_of(build, point)

    np.testing.assert_allclose(value, truth, atol=1e-15)
    np.testing.assert_allclose(slopes, expected, atol=1e-15)
    np.testing.assert_allclose(slopes, by_autograd, atol=1e-15)


def test_a_singular_matrix_has_cofactors():
    def determinant(s, x):
        return s("det", s("reshape", x, rank=1, shape=(2, 2)))

    _, slopes, _, _ = slopes_of(determinant, [1.0, 2.0, 2.0, 4.0])

    np.testing.assert_allclose(slopes, [4.0, -2.0, -2.0, 1.0], atol=1e-15)


def test_what_is_impossible_has_no_share_in_a_mixture():
    def mixture(s, x):
        lower = s("supported", x, s.constant([2.0]), s.constant([3.0]), s("square", x))
        return s(
            "neg", s("logsumexp", s("stack", s("neg", lower), s("neg", x), axis=-1), axes=(-1,))
        )

    _, slopes, _, by_autograd = slopes_of(mixture, [1.0])

    assert slopes == by_autograd == [1.0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("first", EDGES)
@pytest.mark.parametrize("second", EDGES)
@pytest.mark.parametrize("third", [None, 0.7, 1e30])
def test_slopes_of_noisy_or_are_exact_from_0_to_1e30(first, second, third, dtype):
    point = [first, second] + ([] if third is None else [third])

    value, slopes, _, _ = slopes_of(lambda s, x: s("noisy_or", x, axes=(-1,)), point, dtype)

    exact = torch.tensor(point, dtype=dtype).double().numpy()
    rounding = torch.finfo(dtype).eps
    # The energy is that of the smaller alternative less a logarithm from 0 to log 2.
    expected = OPERATORS["noisy_or"].evaluate(exact, axes=(-1,))
    np.testing.assert_allclose(value, expected, rtol=20 * rounding, atol=4 * rounding)
    tolerance = 1e-12 if dtype is torch.float64 else 2e-5
    np.testing.assert_allclose(slopes, noisy_or_slopes(exact), rtol=tolerance, atol=1e-15)


def test_elements_taken_by_data_give_back_to_where_they_came_from():
    s = Sketch()
    x, index = s.variable("x", (4,)), s.given("index", (3,), Kind.INT)
    total = s("sum", s("square", s("take", x, index, axis=-1)), axes=(-1,))
    energy = compile_graph(s.graph(total), dtype=torch.float64)
    energy.bind({"index": [1, 1, 3]})

    _, slopes = energy.packed().energy_and_gradient(torch.tensor([[1.0, 2.0, 3.0, 4.0]]).double())

    assert slopes.tolist() == [[0.0, 8.0, 0.0, 8.0]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("far", [90.0, 900.0, 1e30])
@pytest.mark.parametrize("near", [0.0, 0.5])
def test_an_or_bends_where_one_alternative_is_far_off_as_the_other_does_alone(near, far, dtype):
    """Alone it is its energy, and does not bend: -log(1 - (1 - e^-a)) = a."""
    s = Sketch()
    x = s.variable("x", (2,))
    graph = s.graph(s("noisy_or", x, axes=(-1,)))
    directed = direct(graph, graph.roots[Root(RootKind.TOTAL)])

    energy = compile_graph(directed, dtype=dtype)
    trace = trace_nodes(energy, [number for _, number in directed.roots_of(RootKind.GRADIENT)])
    direction = torch.tensor([[1.0, -2.0]], dtype=dtype)
    (found,) = trace(torch.tensor([[far, near]], dtype=dtype), direction)

    np.testing.assert_allclose(found, [[0.0, 0.0]], atol=1e-30)
