"""All steps at once: at each step what stands for a node has the value of that step."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from ebmlang.graph import GraphBuilder, Kind, Root, RootKind
from ebmlang.graph.graph import EnergyGraph
from ebmlang.graph.validate import validate_graph
from ebmlang.lang.table import OPERATORS
from ebmlang.passes.lifting import Lifted, Lifting
from tests.lower.sketch import Sketch, evaluate
from tests.lower.test_operators import cases_of, draw, leaf_kind
from tests.passes.recurrences import recurrences

STEPS = 3

LAW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

CASES = [
    pytest.param(name, shapes, options, along, id=f"{name}-{i}-{''.join('ns'[a] for a in along)}")
    for name, record in OPERATORS.items()
    for i, (shapes, options) in enumerate(cases_of(record))
    for along in itertools.islice(itertools.product([True, False], repeat=len(shapes)), 8)
]


def lift(body, number, along, parameters):
    """Return the value at each step of a node of a body, from one graph of all steps.

    Args:
        body: The body.
        number: The node.
        along: For each parameter, whether its values differ from step to step.
        parameters: For each its values, with the steps in front where they differ.
    """
    builder = GraphBuilder()
    leaves = {}
    for node in body.nodes:
        if node.operator == "parameter":
            index = node.option("index")
            shape = (STEPS, *node.shape) if along[index] else node.shape
            leaf = Sketch(builder=builder).parameter(index, shape, node.kind)
            leaves[index] = Lifted(leaf, along=along[index])
    (found,) = Lifting(body, builder, STEPS, leaves).lift([number])
    graph = EnergyGraph(tuple(builder.nodes), {Root(RootKind.NEXT): found.number})
    validate_graph(graph)
    value = evaluate(graph, {}, parameters)[found.number]
    return value if found.along else np.stack([value] * STEPS)


def assert_each_step_by_itself(body, number, along, parameters):
    with np.errstate(all="ignore"):
        found = lift(body, number, along, parameters)
        for step, value in enumerate(found):
            own = tuple(p[step] if a else p for p, a in zip(parameters, along, strict=True))
            expected = evaluate(body, {}, own)[number]
            assert value.shape == expected.shape
            np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("name", "shapes", "options", "along"), CASES)
def test_each_operator_has_the_value_of_each_step(name, shapes, options, along):
    record, rng = OPERATORS[name], np.random.default_rng(0)
    b = Sketch()
    operands, values = [], []
    for place, (shape, differs) in enumerate(zip(shapes, along, strict=True)):
        operands.append(b.parameter(place, shape, leaf_kind(name, place)))
        one = [draw(record, place, shape, rng) for _ in range(STEPS)]
        values.append(np.stack(one) if differs else np.asarray(one[0]))
    if name == "cholesky":
        values = [value @ np.swapaxes(value, -1, -2) + np.eye(value.shape[-1]) for value in values]

    assert_each_step_by_itself(
        b.body(number := b(name, *operands, **options)), number, along, tuple(values)
    )


@pytest.mark.slow
@LAW
@given(recurrences())
def test_a_body_has_the_value_of_each_step(case):
    """The body as it is drawn, with any of its parameters the same at all steps."""
    (node,) = (node for node in case.graph.nodes if node.operator == "scan")
    body = node.option("body")
    parameters = {n.option("index"): n for n in body.nodes if n.operator == "parameter"}
    rng = np.random.default_rng(len(body.nodes))
    along, values = [], []
    for index in range(max(parameters) + 1):
        one = parameters[index]
        along.append(bool(rng.integers(0, 2)))
        shape = (STEPS, *one.shape) if along[-1] else one.shape
        drawn = rng.integers(0, 3, shape) if one.kind is Kind.INT else rng.uniform(-1, 1, shape)
        values.append(np.asarray(drawn))

    assert_each_step_by_itself(body, body.roots[Root(RootKind.NEXT)], along, tuple(values))
