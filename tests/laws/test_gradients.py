"""Gradients as a rewrite of the graph, for whole specs: against autograd through the emitted code.

Where the value and autograd's gradient are finite; elsewhere autograd's nan is no truth to hold to.
"""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings

import ebmlang
from ebmlang.api.compile import compile_model, lay_out
from ebmlang.graph import RootKind
from ebmlang.lower.module import compile_graph
from ebmlang.lower.trace import trace_nodes
from ebmlang.passes.gradient import direct
from ebmlang.runtime import differentiate_value
from ebmlang.solve.objective import Lagrangian, Violation
from ebmlang.spaces import build_solving_chart, draw_starts
from ebmlang.testing.strategies import Arithmetic, specs
from ebmlang.testing.values import compiled, points_of
from tests.examples.folder import EXAMPLES, FILES, POSTERIORS, find_data

SCHOOLS = find_data(EXAMPLES / "eight_schools.ebm")

LAW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SHARP = {"rtol": 1e-8, "atol": 1e-8}
"""float64: some hundred roundings, amplified by small denominators; simplified sums are summed in
another order."""

TWICE = {"rtol": 1e-6, "atol": 1e-6}
"""The same for second derivatives."""


def assert_where_finite(found, expected, **tolerance):
    finite = torch.isfinite(expected)
    np.testing.assert_allclose(found[finite], expected[finite], **tolerance)


@pytest.mark.slow
@pytest.mark.parametrize("arithmetic", Arithmetic)
def test_a_spec_has_the_gradient_of_autograd(arithmetic):
    @LAW
    @given(specs(arithmetic, depth=2))
    def law(case):
        energy = compiled(case)
        packed = energy.packed()
        x = energy.pack(points_of(case, torch.float64))

        value, gradient = packed.energy_and_gradient(x)

        expected, slopes = differentiate_value(packed.energy, x)
        np.testing.assert_allclose(value, expected.expand(len(x)), **SHARP)
        assert_where_finite(gradient, slopes, **SHARP)

    law()


@pytest.mark.slow
@LAW
@given(specs(depth=2))
def test_a_spec_has_the_curvature_of_autograd(case):
    energy = compiled(case)
    graph = energy.graph
    (total,) = [number for _, number in graph.roots_of(RootKind.TOTAL)]
    directed = compile_graph(direct(graph, total), dtype=torch.float64)
    directed.bind({path: case.data[path] for path in case.data if path in _shared(directed)})
    packed = energy.packed()
    x = energy.pack(points_of(case, torch.float64))
    v = torch.randn(x.shape, dtype=x.dtype, generator=torch.Generator().manual_seed(0))
    columns = tuple(energy.unpack(v).values())
    roots = [number for _, number in directed.graph.roots_of(RootKind.GRADIENT)]

    found = _trace(directed, roots, x, columns)

    leaf = x.clone().requires_grad_()
    value = packed.energy(leaf)
    if not value.requires_grad:
        expected = torch.zeros_like(x)
    else:
        (slope,) = torch.autograd.grad(value.sum(), leaf, create_graph=True, allow_unused=True)
        along = torch.zeros(()) if slope is None else (slope * v).sum()
        expected = (
            torch.autograd.grad(along, leaf, allow_unused=True)[0] if along.requires_grad else None
        )
        expected = torch.zeros_like(x) if expected is None else expected
    assert_where_finite(found, expected, **TWICE)


def _shared(energy):
    return {given.path for given in energy.graph.givens if not given.by_row}


def _trace(energy, roots, x, columns):
    with torch.no_grad():
        values = trace_nodes(energy, roots)(x, *columns)
    return torch.cat([v.expand(len(x), *v.shape[1:]).reshape(len(x), -1) for v in values], 1)


@pytest.mark.parametrize("path", [*FILES, *POSTERIORS], ids=lambda path: path.stem)
def test_an_example_has_the_gradient_of_autograd(path):
    data = find_data(path) or (SCHOOLS if path.stem.startswith("eight_schools") else None)
    model = ebmlang.load(path).bind(data) if data else ebmlang.load(path)
    module = compile_model(model, dtype=torch.float64)
    packed = module.packed()
    layout = lay_out(module)
    x = draw_starts(layout, 5, seed=1, dtype=torch.float64, device=torch.device("cpu"))

    value, gradient = packed.energy_and_gradient(x)

    expected, slopes = differentiate_value(packed.energy, x)
    np.testing.assert_allclose(value, expected.expand(len(x)), **SHARP)
    scale = slopes.abs().amax(1, keepdim=True).clamp(min=1.0)
    assert_where_finite(gradient / scale, slopes / scale, **SHARP)


BOTH = """
var x: real[3] in [-4, 4]
require near: norm(x - [1, 2, 0.5]) <= 1 within 0.1
require even: x[0] + x[1] == 2 within 0.01
require one: x[2] >= 1 or x[0] <= -1 and x[1] <= 0
minimize far: sum(x^2) + sin(x[0])
"""


class Plain:
    """A target that has no gradient of its own."""

    def __init__(self, packed):
        self.dim, self.dtype, self.device = packed.dim, packed.dtype, packed.device
        self.energy, self.requirements = packed.energy, packed.requirements


@pytest.mark.parametrize("kind", ["lagrangian", "violation"])
def test_what_a_solver_minimizes_has_the_gradient_of_autograd(kind):
    module = compile_model(ebmlang.loads(BOTH), dtype=torch.float64)
    chart = build_solving_chart(lay_out(module), dtype=torch.float64, device=torch.device("cpu"))
    packed = module.packed()
    rng = torch.Generator().manual_seed(3)
    y = torch.rand(6, 3, dtype=torch.float64, generator=rng) * 2 - 1
    width = packed.requirements(chart.to_written(y)).shape[1]
    terms = [torch.rand(6, width, dtype=torch.float64, generator=rng) + 0.1 for _ in range(4)]

    def objective(target):
        scale, slack, multipliers, penalty = terms
        if kind == "violation":
            return Violation(target=target, chart=chart, scale=scale, aim=slack)
        return Lagrangian(
            target=target,
            chart=chart,
            scale=scale,
            slack=slack,
            multipliers=multipliers,
            penalty=penalty,
        )

    found = objective(packed).evaluate(y)

    expected = objective(Plain(packed)).evaluate(y)
    assert None not in module.gradients.values()
    np.testing.assert_allclose(found.value, expected.value, **SHARP)
    np.testing.assert_allclose(found.gradient, expected.gradient, **SHARP)
