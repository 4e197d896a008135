"""In the loop only what the state enters: values stay, and loops get short."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from ebmlang.graph import Kind
from ebmlang.graph.validate import validate_graph
from ebmlang.passes.hoisting import hoist_steps
from tests.lower.sketch import Sketch, evaluate
from tests.passes.recurrences import recurrences

LAW = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))


def roots_of(graph, leaves):
    with np.errstate(all="ignore"):
        values = evaluate(graph, leaves)
    return [values[number] for number in graph.roots.values()]


def scans_of(graph):
    return [node for node in graph.nodes if node.operator == "scan"]


@pytest.mark.slow
@LAW
@given(recurrences())
def test_a_recurrence_keeps_its_value(case):
    hoisted = hoist_steps(case.graph)

    validate_graph(hoisted)
    leaves = case.data | {path: value[0] for path, value in case.points.items()}
    for found, expected in zip(
        roots_of(hoisted, leaves), roots_of(case.graph, leaves), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-11)


def test_what_the_state_does_not_enter_stands_in_front_of_the_loop():
    b = Sketch()
    state, element, outer = (b.parameter(i) for i in range(3))
    still = b("add", b("exp", element), b("sin", outer))
    s = Sketch()
    body = b.body(b("mul", state, still))
    out = s.scan(body, s.variable("s"), [s.variable("e", (7,))], [s.variable("o")], steps=7)

    graph = hoist_steps(s.graph(out))

    (node,) = scans_of(graph)
    assert [n.operator for n in node.option("body").nodes if n.inputs] == ["mul"]
    shapes = {n.operator: n.shape for n in graph.nodes if n.operator in ("exp", "sin")}
    assert shapes == {"exp": (7,), "sin": ()}


def test_a_recurrence_that_uses_all_it_has_in_each_step_stays_as_it_is():
    b = Sketch()
    body = b.body(b("sin", b("mul", b.parameter(0), b.parameter(1))))
    s = Sketch()
    out = s.scan(body, s.variable("s"), [s.variable("e", (4,))], steps=4)
    graph = s.graph(out)

    assert hoist_steps(graph) == graph


@pytest.mark.parametrize("kind", [Kind.REAL, Kind.INT])
@pytest.mark.parametrize("lead", [(), (2,)])
@pytest.mark.parametrize("own", [(), (3,)])
def test_a_recurrence_that_only_adds_is_a_running_sum(kind, lead, own):
    b = Sketch()
    state = b.parameter(0, (*lead, *own), kind)
    element = b.parameter(1, ((1,) * len(lead)) + own, kind)
    s = Sketch()
    start = s.given("s", (*lead, *own), kind)
    elements = s.given("e", (*(1,) * len(lead), 4, *own), kind)
    body = b.body(b("add", b("square", element) if kind is Kind.REAL else element, state))
    out = s.scan(body, start, [elements], steps=4, rank=len(own))
    rng = np.random.default_rng(0)
    leaves = {g.path: rng.integers(-5, 5, g.shape) for g in s.givens}

    graph = hoist_steps(s.graph(out))

    assert not scans_of(graph)
    (found,), (expected,) = (roots_of(g, leaves) for g in (graph, s.graph(out)))
    np.testing.assert_array_equal(found, expected)
