"""The derivative of a recurrence: against autograd, the definition in NumPy, and itself twice."""

from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings

from ebmlang.graph import RootKind
from ebmlang.graph.validate import validate_graph
from ebmlang.lower.module import compile_graph
from ebmlang.passes.gradient import differentiate, direct
from ebmlang.runtime import differentiate_value
from tests.lower import sketch
from tests.lower.sketch import Sketch
from tests.passes.recurrences import CHAINS, recurrences

LAW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

EXACT = {"rtol": 1e-9, "atol": 1e-9}
"""float64, both sides by formula, of values and slopes of order up to 100."""
STEP = 1e-5
DIFFERENCED = {"rtol": 1e-4, "atol": 1e-5}
"""Differences of this step; slopes are divided by the largest one."""


def compiled(case):
    """Return the energy, bound, and its points as rows."""
    energy = compile_graph(case.graph, dtype=torch.float64)
    energy.bind(case.data)
    return energy, energy.pack({path: torch.tensor(v) for path, v in case.points.items()})


@pytest.mark.slow
@LAW
@given(recurrences())
def test_a_recurrence_has_the_gradient_of_autograd(case):
    energy, x = compiled(case)
    packed = energy.packed()

    value, gradient = packed.energy_and_gradient(x)

    expected, slopes = differentiate_value(packed.energy, x)
    assert all(found is not None for found in energy.gradients.values())
    np.testing.assert_allclose(value, expected, **EXACT)
    scale = slopes.abs().max().clamp(min=1.0)
    np.testing.assert_allclose(gradient / scale, slopes / scale, **EXACT)


def evaluate(graph, leaves):
    """Return the value of every node, those in branches that are not taken too."""
    with np.errstate(all="ignore"):
        return sketch.evaluate(graph, leaves)


def slopes_at(graph, leaves):
    values = evaluate(graph, leaves)
    return {root.path: values[n] for root, n in graph.roots_of(RootKind.GRADIENT)}


def difference(value_at):
    """Return the derivative at 0 by central differences, extrapolated: wrong by O(h^4)."""

    def central(h):
        return (value_at(h) - value_at(-h)) / (2 * h)

    return (4 * central(STEP / 2) - central(STEP)) / 3


def moves(case):
    """Return a direction, and what gives the leaves of the first chain moved along it."""
    point = {path: value[0] for path, value in case.points.items()}
    rng = np.random.default_rng(0)
    direction = {path: rng.normal(size=np.shape(value)) for path, value in point.items()}

    def moved(step):
        return case.data | {path: value + step * direction[path] for path, value in point.items()}

    return direction, moved


@pytest.mark.slow
@LAW
@given(recurrences())
def test_a_recurrence_has_the_slope_of_the_definition(case):
    slopes = differentiate(case.graph, case.total)
    validate_graph(slopes)
    direction, moved = moves(case)

    found = sum(
        float(np.sum(slope * direction[path]))
        for path, slope in slopes_at(slopes, moved(0)).items()
    )

    expected = float(difference(lambda h: evaluate(case.graph, moved(h))[case.total]))
    scale = max(1.0, abs(expected))
    np.testing.assert_allclose(found / scale, expected / scale, **DIFFERENCED)


@pytest.mark.slow
@LAW
@given(recurrences())
def test_a_recurrence_can_be_differentiated_again(case):
    directed, slopes = direct(case.graph, case.total), differentiate(case.graph, case.total)
    validate_graph(directed)
    direction, moved = moves(case)
    rows = {f"direction of {path}": value for path, value in direction.items()}

    found = slopes_at(directed, moved(0) | rows)

    at = cache(lambda h: slopes_at(slopes, moved(h)))
    for path, slope in found.items():
        expected = difference(lambda h, path=path: at(h)[path])
        scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
        np.testing.assert_allclose(slope / scale, expected / scale, **DIFFERENCED)


def growth(steps):
    """Return the total of s <- r s (1 - s) + e, with all of it unknown."""
    b = Sketch()
    state, element, rate = (b.parameter(i) for i in range(3))
    one = b.constant(1.0)
    result = b("add", b("mul", b("mul", rate, state), b("sub", one, state)), element)
    s = Sketch()
    start, elements, rate = s.variable("s"), s.variable("e", (steps,)), s.variable("r")
    out = s.scan(b.body(result), start, [elements], [rate], steps=steps)
    total = s("sum", s("square", out), axes=(-1,))
    return s.graph(total), total


def test_the_derivative_does_not_grow_with_the_steps():
    """The body of the recurrence backwards is written once, and so is what all steps gain."""
    few, many = (differentiate(*growth(steps)) for steps in (5, 500))

    assert [node.operator for node in few.nodes] == [node.operator for node in many.nodes]


def test_a_step_backwards_computes_only_what_its_own_state_enters():
    """The slope cos(s) of all steps is there before; one product and one sum are left."""
    b = Sketch()
    body = b.body(b("add", b("sin", b.parameter(0)), b.parameter(1)))
    s = Sketch()
    out = s.scan(body, s.variable("s"), [s.variable("e", (5,))], steps=5)
    total = s("sum", s("square", out), axes=(-1,))
    graph = differentiate(s.graph(total), total)

    _, backwards = (node for node in graph.nodes if node.operator == "scan")

    steps = backwards.option("body").nodes
    assert sorted(node.operator for node in steps if node.inputs) == ["add", "mul"]


def test_a_recurrence_of_data_alone_costs_no_derivative():
    b = Sketch()
    body = b.body(b("mul", b.parameter(0), b.parameter(1)))
    s = Sketch()
    out = s.scan(body, s.given("s"), [s.given("e", (4,))], steps=4)
    total = s("sum", s("mul", out, s.variable("x", (5,))), axes=(-1,))

    graph = differentiate(s.graph(total), total)

    assert sum(node.operator == "scan" for node in graph.nodes) == 1


def test_a_branch_that_no_step_takes_spoils_no_slope():
    """The logarithm of a negative state is nan, and so is 0 times its slope."""
    b = Sketch()
    state = b.parameter(0)
    is_negative = b("less_equal", state, b.constant(0.0))
    body = b.body(b("where", is_negative, b("mul", state, state), b("log", state)))
    s = Sketch()
    start = s.variable("x")
    out = s.scan(body, start, steps=3)
    total = s("sum", out, axes=(-1,))
    slopes = differentiate(s.graph(total), total)

    (found,) = slopes_at(slopes, {"x": np.asarray(-2.0)}).values()

    # s = -2, 4, log 4, log log 4
    expected = 1 + 2 * -2 * (1 + 1 / 4 * (1 + 1 / np.log(4)))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("by_state", [True, False])
def test_a_branch_of_captures_alone_spoils_no_slope(by_state):
    """It could be computed once in front of the loop, but then no step could leave it out."""
    b = Sketch()
    state, element, outer = (b.parameter(i) for i in range(3))
    is_left_out = b("less_equal", state if by_state else element, b.constant(-1.0))
    body = b.body(b("add", state, b("where", is_left_out, b.constant(1.0), b("log", outer))))
    s = Sketch()
    start = s.constant(-5.0)
    out = s.scan(body, start, [s.given("e", (3,))], [s.variable("x")], steps=3)
    total = s("sum", out, axes=(-1,))
    slopes = differentiate(s.graph(total), total)

    (found,) = slopes_at(slopes, {"x": np.asarray(0.0), "e": np.full(3, -2.0)}).values()

    assert found == 0.0


@pytest.mark.parametrize("chains", [1, CHAINS])
def test_what_is_not_there_is_not_differentiated(chains):
    """A recurrence over no steps, and one whose steps forget the state."""
    for steps in (0, 3):
        b = Sketch()
        body = b.body(b("sin", b.parameter(1)))
        s = Sketch()
        out = s.scan(body, s.variable("s"), [s.variable("e", (steps,))], steps=steps)
        total = s("sum", s("square", out), axes=(-1,))
        energy = compile_graph(s.graph(total), dtype=torch.float64)
        x = torch.rand((chains, 1 + steps), dtype=torch.float64)

        _, gradient = energy.packed().energy_and_gradient(x)

        elements = x[:, 1:]
        expected = torch.cat([2 * x[:, :1], 2 * elements.sin() * elements.cos()], 1)
        np.testing.assert_allclose(gradient, expected, **EXACT)
