"""Gradients stay finite where a branch that is not taken has none."""

import math

import numpy as np
import pytest
import torch

from ebmlang.graph import Kind, RootKind
from ebmlang.lower.module import compile_graph
from ebmlang.passes.guards import plan_guards
from tests.lower.sketch import Sketch


def gradient(graph, x, data=None):
    energy = compile_graph(graph, dtype=torch.float64)
    energy.bind(data or {})
    x = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    value = energy({"x": x})
    (slopes,) = torch.autograd.grad(value.sum(), x)
    _, rewritten = energy.packed().energy_and_gradient(energy.pack({"x": x.detach()}))
    np.testing.assert_allclose(rewritten.reshape(slopes.shape), slopes, atol=1e-15)
    return value.tolist(), slopes.tolist()


STEEP = {
    "sqrt": (-1.0, 0.25, 1.0),
    "log": (0.0, 2.0, 0.5),
    "asin": (1.0, 0.0, 1.0),
    "exp": (1e4, 0.0, 1.0),
}
"""Operator to a point where its slope is not finite, one where it is, and the slope there."""


@pytest.mark.parametrize("operator", STEEP)
@pytest.mark.parametrize("taken", [True, False])
def test_elements_left_out_by_data_do_not_spoil_the_gradient(operator, taken):
    bad, good, slope = STEEP[operator]
    s = Sketch()
    mask, x = s.given("on", (2,), Kind.BOOL), s.variable("x", (2,))
    # An operator between the steep one and the variable: the guard belongs below both.
    steep = s(operator, s("mul", x, s.constant([1.0])))
    other = s.constant([0.0])
    chosen = s("where", mask, *((steep, other) if taken else (other, steep)))
    graph = s.graph(s("sum", chosen, axes=(-1,)))

    value, slopes = gradient(graph, [[bad, good]], {"on": [not taken, taken]})

    assert math.isfinite(value[0])
    np.testing.assert_allclose(
        slopes, [[0.0, 0.5 / math.sqrt(good) if operator == "sqrt" else slope]]
    )


@pytest.mark.parametrize("operator", STEEP)
@pytest.mark.parametrize("taken", [True, False])
def test_what_several_elements_share_is_left_out_where_none_of_them_takes_it(operator, taken):
    bad, good, slope = STEEP[operator]
    s = Sketch()
    mask, x = s.given("on", (2, 3), Kind.BOOL), s.variable("x", (2, 1))
    steep = s(operator, s("mul", x, s.constant([[1.0]])))
    other = s.constant([[0.0]])
    chosen = s("where", mask, *((steep, other) if taken else (other, steep)))
    graph = s.graph(s("sum", chosen, axes=(-2, -1)))
    on = [[not taken] * 3, [taken, not taken, taken]]

    value, slopes = gradient(graph, [[[bad], [good]]], {"on": on})

    assert math.isfinite(value[0])
    once = 0.5 / math.sqrt(good) if operator == "sqrt" else slope
    np.testing.assert_allclose(slopes, [[[0.0], [2 * once]]])


def test_a_branch_outside_its_support_does_not_spoil_a_mixture():
    """-log of an even mixture of sqrt(x) on [0, 2] and x^2 everywhere, at x = -1."""
    s = Sketch()
    x = s.variable("x")
    inside = s(
        "supported", x, s.constant(0.0), s.constant(2.0), s("sqrt", s("add", x, s.constant(0.0)))
    )
    both = s("stack", s("neg", inside), s("neg", s("square", x)), axis=-1)
    graph = s.graph(s("neg", s("logsumexp", both, axes=(-1,))))

    value, slopes = gradient(graph, [-1.0])

    assert value == [1.0]
    assert slopes == [-2.0]


def test_choices_inside_choices_are_guarded_by_both():
    s = Sketch()
    x = s.variable("x", (3,))
    zero = s.constant([0.0])
    inner = s("where", s.given("a", (3,), Kind.BOOL), s("log", x), s("sqrt", x))
    outer = s("where", s.given("b", (3,), Kind.BOOL), inner, zero)
    graph = s.graph(s("sum", outer, axes=(-1,)))

    data = {"a": [True, False, True], "b": [True, True, False]}
    _, slopes = gradient(graph, [[2.0, 4.0, -1.0]], data)

    assert slopes == [[0.5, 0.25, 0.0]]


def test_branches_that_cannot_go_wrong_are_left_alone():
    s = Sketch()
    x = s.variable("x")
    gentle = s("relu", s("div", s("square", x), s.constant(2.0)))
    chosen = s("where", s.given("on", (), Kind.BOOL), gentle, s.constant(0.0))
    graph = s.graph(chosen)

    assert plan_guards(graph, graph.varying) == {}


def test_what_others_use_too_is_not_part_of_the_branch():
    s = Sketch()
    x = s.variable("x")
    shared = s("log", x)
    chosen = s("where", s.given("on", (), Kind.BOOL), s("exp", shared), s.constant(0.0))
    graph = s.graph(s("add", chosen, shared))

    guarded = plan_guards(graph, graph.varying)

    assert [graph.nodes[number].operator for number, _ in guarded] == ["exp"]


def test_guards_work_inside_recurrences():
    body = Sketch()
    state, on, outer = body.parameter(0), body.parameter(1, (), Kind.BOOL), body.parameter(2)
    step = body("where", on, body("log", outer), body.constant(1.0))
    result = body("add", state, step)
    s = Sketch()
    x = s.variable("x")
    states = s.scan(
        body.body(result), s.constant(0.0), [s.given("on", (2,), Kind.BOOL)], [x], steps=2
    )
    s.root(RootKind.REPORT, states, "states")
    graph = s.graph(s("take", states, s.constant(2), axis=-1))

    assert gradient(graph, [0.0], {"on": [False, False]}) == ([2.0], [0.0])
    assert gradient(graph, [4.0], {"on": [True, False]})[1] == [0.25]
