"""Recurrences: loops in the emitted code against a loop in NumPy."""

import numpy as np
import pytest
import torch

from ebmlang.graph import Kind, RootKind
from ebmlang.lower.module import compile_graph
from tests.lower.sketch import Sketch, evaluate

CHAINS = 3


def run(sketch, out, points, data):
    """Check every chain against NumPy, and the gradient; return the emitted text."""
    sketch.root(RootKind.REPORT, out, "out")
    graph = sketch.graph()
    energy = compile_graph(graph, dtype=torch.float64)
    energy.bind(data)
    tensors = {path: torch.tensor(value) for path, value in points.items()}

    found = energy.reports(tensors)["out"]

    for chain, value in enumerate(found):
        leaves = {**data, **{path: values[chain] for path, values in points.items()}}
        np.testing.assert_allclose(value, evaluate(graph, leaves)[out], rtol=1e-12)
    if points:
        x = energy.pack(tensors).requires_grad_()
        assert torch.autograd.gradcheck(lambda row: energy.reports(energy.unpack(row))["out"], (x,))
    return energy.program.text


def leaf(sketch, path, shape, varying, points, data, seed):
    rng = np.random.default_rng(seed)
    if varying:
        points[path] = rng.normal(size=(CHAINS, *shape))
        return sketch.variable(path, shape)
    data[path] = rng.normal(size=shape)
    return sketch.given(path, shape)


@pytest.mark.parametrize("start", [True, False])
@pytest.mark.parametrize("element", [True, False])
@pytest.mark.parametrize("capture", [True, False])
def test_a_recurrence_runs_for_any_mixture_of_what_varies(start, element, capture):
    """The state is a vector, s <- tanh(A s) + b e, with elements e of a vector each."""
    body = Sketch()
    state, input_, matrix = (
        body.parameter(0, (2,)),
        body.parameter(1, (2,)),
        body.parameter(2, (2, 2)),
    )
    scaled = body("mul", input_, body.constant([0.5, 2.0]))
    result = body("add", body("tanh", body("matvec", matrix, state)), scaled)
    s, points, data = Sketch(), {}, {}
    first = leaf(s, "s", (2,), start, points, data, 1)
    elements = leaf(s, "e", (4, 2), element, points, data, 2)
    matrix = leaf(s, "a", (2, 2), capture, points, data, 3)

    out = s.scan(body.body(result), first, [elements], [matrix], steps=4, rank=1)

    run(s, out, points, data)


def test_a_recurrence_under_a_quantifier_keeps_its_leading_axes():
    body = Sketch()
    state, element = body.parameter(0, (5, 2)), body.parameter(1, (1, 2))
    result = body("sin", body("add", state, element))
    s, points, data = Sketch(), {}, {}
    first = leaf(s, "s", (5, 2), True, points, data, 1)
    elements = leaf(s, "e", (1, 3, 2), False, points, data, 2)

    out = s.scan(body.body(result), first, [elements], steps=3, rank=1)

    run(s, out, points, data)


def test_what_does_not_change_stands_in_front_of_the_loop():
    body = Sketch()
    state, element, outer = (body.parameter(i) for i in range(3))
    fixed = body("exp", body("mul", outer, body.constant(0.1)))
    result = body("add", body("mul", state, fixed), element)
    s, points, data = Sketch(), {}, {}
    first = leaf(s, "s", (), False, points, data, 1)
    elements = leaf(s, "e", (3,), True, points, data, 2)
    outer = leaf(s, "o", (), True, points, data, 3)

    out = s.scan(body.body(result), first, [elements], [outer], steps=3)
    text = run(s, out, points, data)

    loop = text.index("for ")
    assert text.index("torch.exp") < loop
    assert "torch.exp" not in text[loop:]


def test_nested_recurrences_are_nested_loops():
    """The outer state is the last state of an inner recurrence over its own elements."""
    inner = Sketch()
    state, element, outer = (inner.parameter(i) for i in range(3))
    inner_result = inner("cos", inner("add", inner("mul", state, outer), element))

    middle = Sketch()
    state, element, vector = middle.parameter(0), middle.parameter(1), middle.parameter(2, (4,))
    states = middle.scan(inner.body(inner_result), state, [vector], [element], steps=4)
    last = middle("take", states, middle.constant(4), axis=-1)
    result = middle("sub", last, state)

    s, points, data = Sketch(), {}, {}
    first = leaf(s, "s", (), True, points, data, 1)
    elements = leaf(s, "e", (3,), False, points, data, 2)
    vector = leaf(s, "v", (4,), True, points, data, 3)

    out = s.scan(middle.body(result), first, [elements], [vector], steps=3)
    text = run(s, out, points, data)

    assert text.count("for ") == 2


def test_elements_may_be_places_in_a_captured_array():
    body = Sketch()
    state, place, array = (
        body.parameter(0),
        body.parameter(1, (), Kind.INT),
        body.parameter(2, (5,)),
    )
    result = body("add", body("square", state), body("take", array, place, axis=-1))
    s, points, data = Sketch(), {}, {}
    first = leaf(s, "s", (), False, points, data, 1)
    array = leaf(s, "x", (5,), True, points, data, 2)

    out = s.scan(body.body(result), first, [s.constant([4, 0, 2])], [array], steps=3)

    run(s, out, points, data)


def test_a_recurrence_of_no_steps_is_its_start():
    body = Sketch()
    result = body("add", body.parameter(0), body.parameter(1))
    s, points, data = Sketch(), {}, {}
    first = leaf(s, "s", (), True, points, data, 1)

    out = s.scan(body.body(result), first, [s.constant(np.zeros(0))], steps=0)

    run(s, out, points, data)


def test_a_state_that_does_not_vary_among_elements_that_do():
    """The count of steps stays a whole number without chains, and gets them at the end."""
    body = Sketch()
    state = body.parameter(0, (), Kind.INT)
    result = body("add", state, body.constant(1))
    s = Sketch()
    out = s.scan(body.body(result), s.constant(0), [s.variable("x", (3,))], steps=3)
    s.root(RootKind.REPORT, out, "out")

    energy = compile_graph(s.graph())

    assert energy.reports({"x": torch.zeros((2, 3))})["out"].tolist() == [[0, 1, 2, 3]] * 2


def test_a_recurrence_of_data_alone_runs_before_any_point_is_known():
    body = Sketch()
    result = body("mul", body.parameter(0), body.parameter(1))
    s, points, data = Sketch(), {}, {}
    first = leaf(s, "s", (), False, points, data, 1)
    elements = leaf(s, "e", (3,), False, points, data, 2)
    out = s.scan(body.body(result), first, [elements], steps=3)

    text = run(s, s("sum", out, axes=(-1,)), points, data)

    assert "for " in text[: text.index("def total")]
    assert "for " not in text[text.index("def total") :]


def test_a_state_that_varies_only_at_the_start_has_a_chain_axis_throughout():
    """The steps forget it, and know nothing else that varies."""
    body = Sketch()
    result = body("sin", body.parameter(1))
    s, points, data = Sketch(), {}, {}
    first = leaf(s, "s", (), True, points, data, 1)
    elements = leaf(s, "e", (3,), False, points, data, 2)

    out = s.scan(body.body(result), first, [elements], steps=3)

    run(s, out, points, data)


@pytest.mark.parametrize("count", range(2, 9))
def test_many_elements_make_a_long_line_that_is_still_code(count):
    """Broken it may be only inside of brackets."""
    body = Sketch()
    result = body.parameter(0)
    for index in range(1, count + 1):
        result = body("add", result, body("square", body.parameter(index)))
    s, points, data = Sketch(), {}, {}
    first = leaf(s, "s", (), True, points, data, 1)
    elements = [leaf(s, f"e{i}", (3,), True, points, data, i) for i in range(count)]

    out = s.scan(body.body(result), first, elements, steps=3)

    run(s, out, points, data)
