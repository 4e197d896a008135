"""Every rule of differentiation, against autograd, the definition in NumPy, and itself twice."""

import numpy as np
import pytest
import torch

from ebmlang.graph import Kind, RootKind
from ebmlang.lang.table import OPERATORS
from ebmlang.lower.emit import emit_gradient
from ebmlang.lower.execution import execute
from ebmlang.lower.module import compile_graph
from ebmlang.passes.gradient import NoRuleError, differentiate, direct
from ebmlang.passes.gradient.reverse import NO_RULE, RULES
from ebmlang.runtime import differentiate_value
from tests.lower.sketch import Sketch, evaluate
from tests.lower.test_operators import cases_of, draw, leaf_kind, positive_definite

CHAINS = 3
EXACT = {"rtol": 1e-9, "atol": 1e-10}
"""float64, both sides by formula: rounding of well-conditioned operations."""
DIFFERENCED = {"rtol": 2e-5, "atol": 2e-6}
"""Central differences of step 1e-5 on values of order 10."""

NOT_REAL = {"nonnegative", "to_int", "less_equal"}
"""Operators whose values are no real numbers: nothing can be differentiated through them."""

CONDITIONED = {"cholesky", "inv", "solve", "solve_matrix", "logdet"}
"""Operators whose derivatives are huge at a random matrix that is nearly singular."""

CASES = [
    pytest.param(name, shapes, options, id=f"{name}-{i}")
    for name, record in OPERATORS.items()
    if name not in NO_RULE | NOT_REAL
    for i, (shapes, options) in enumerate(cases_of(record))
]


def weighed_sum(name, shapes, options):
    """Return a graph whose total is a random sum of an operator's values, points and data."""
    record = OPERATORS[name]
    rng = np.random.default_rng(list(name.encode()))
    s = Sketch()
    operands, points, data = [], {}, {}
    for place, shape in enumerate(shapes):
        kind, path = leaf_kind(name, place), f"x{place}"
        if kind is Kind.REAL:
            operands.append(s.variable(path, shape))
            points[path] = np.stack([draw(record, place, shape, rng) for _ in range(CHAINS)])
        else:
            operands.append(s.given(path, shape, kind))
            data[path] = draw(record, place, shape, rng)
    if name in CONDITIONED:
        operands = [positive_definite(s, operands[0]), *operands[1:]]
    out = s(name, *operands, **options)
    shape = s.builder.nodes[out].shape
    # A square in it, so that the second derivative of a linear operator is not 0.
    product = s("mul", s("square", out), s.constant(rng.uniform(0.5, 1.5, shape)))
    total = s("sum", product, axes=tuple(range(-len(shape), 0)))
    return s.graph(total), total, points, data


@pytest.mark.parametrize(("name", "shapes", "options"), CASES)
def test_a_rule_gives_the_gradient_of_autograd(name, shapes, options):
    graph, _, points, data = weighed_sum(name, shapes, options)
    energy = compile_graph(graph, dtype=torch.float64)
    energy.bind(data)
    x = energy.pack({path: torch.tensor(value) for path, value in points.items()})
    packed = energy.packed()

    value, gradient = packed.energy_and_gradient(x)

    expected, slopes = differentiate_value(packed.energy, x)
    assert all(found is not None for found in energy.gradients.values())
    np.testing.assert_allclose(value, expected, **EXACT)
    np.testing.assert_allclose(gradient, slopes, **EXACT)


@pytest.mark.parametrize(("name", "shapes", "options"), CASES)
def test_a_rule_gives_the_slope_of_the_definition(name, shapes, options):
    graph, total, points, data = weighed_sum(name, shapes, options)
    slopes = differentiate(graph, total)
    leaves = {**data, **{path: value[0] for path, value in points.items()}}
    values = evaluate(slopes, leaves)
    rng = np.random.default_rng(0)
    direction = {path: rng.normal(size=np.shape(leaves[path])) for path in points}

    def along(step):
        moved = {path: leaves[path] + step * direction[path] for path in points}
        return float(evaluate(graph, {**leaves, **moved})[total])

    found = sum(
        float(np.sum(values[number] * direction[root.path]))
        for root, number in slopes.roots_of(RootKind.GRADIENT)
    )

    np.testing.assert_allclose(found, (along(1e-5) - along(-1e-5)) / 2e-5, **DIFFERENCED)


@pytest.mark.parametrize(
    ("name", "shapes", "options"), [c for c in CASES if c.values[0] != "digamma"]
)
def test_a_rule_can_be_differentiated_again(name, shapes, options):
    graph, total, points, data = weighed_sum(name, shapes, options)
    directed = direct(graph, total)
    slopes = differentiate(graph, total)
    leaves = {**data, **{path: value[0] for path, value in points.items()}}
    rng = np.random.default_rng(0)
    direction = {path: rng.normal(size=np.shape(leaves[path])) for path in points}
    rows = {f"direction of {path}": value for path, value in direction.items()}

    def gradient(step):
        moved = {path: leaves[path] + step * direction[path] for path in points}
        values = evaluate(slopes, {**leaves, **moved})
        return {root.path: values[n] for root, n in slopes.roots_of(RootKind.GRADIENT)}

    values = evaluate(directed, {**leaves, **rows})
    before, after = gradient(-1e-5), gradient(1e-5)

    for root, number in directed.roots_of(RootKind.GRADIENT):
        expected = (after[root.path] - before[root.path]) / 2e-5
        scale = max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(values[number] / scale, expected / scale, **DIFFERENCED)


def test_every_operator_has_a_rule_or_is_known_to_have_none():
    assert set(OPERATORS) == set(RULES) | NOT_REAL | (NO_RULE & set(OPERATORS))
    assert not set(RULES) & NO_RULE


@pytest.mark.parametrize("name", sorted(NO_RULE & set(OPERATORS)))
def test_what_has_no_rule_says_so(name):
    graph, total, _, _ = weighed_sum(name, *cases_of(OPERATORS[name])[0])

    with pytest.raises(NoRuleError, match=name):
        differentiate(graph, total)


def test_what_has_no_rule_is_left_to_autograd():
    graph, _, points, _ = weighed_sum("trigamma", *cases_of(OPERATORS["trigamma"])[0])
    energy = compile_graph(graph, dtype=torch.float64)
    x = energy.pack({path: torch.tensor(value) for path, value in points.items()})
    packed = energy.packed()

    found = packed.energy_and_gradient(x)

    for mine, expected in zip(found, differentiate_value(packed.energy, x), strict=True):
        np.testing.assert_array_equal(mine, expected)


def test_large_batches_go_in_pieces_and_answer_the_same():
    s = Sketch()
    x = s.variable("x", (2,))
    total = s("sum", s("exp", x), axes=(-1,))
    energy = compile_graph(s.graph(total), dtype=torch.float64)
    points = torch.randn(20_001, 2, dtype=torch.float64)

    value, gradient = energy.packed().energy_and_gradient(points)

    np.testing.assert_allclose(value, points.exp().sum(1), **EXACT)
    np.testing.assert_allclose(gradient, points.exp(), **EXACT)


def test_a_variable_that_nothing_depends_on_has_the_gradient_zero():
    s = Sketch()
    s.variable("unused", (2, 2))
    total = s("square", s.variable("x"))
    program = emit_gradient(differentiate(s.graph(total), total))

    functions = execute(program, [])
    constants = tuple(torch.tensor(c.array, dtype=torch.float32) for c in program.constants)
    prepared = functions.prepare(constants, (), (), torch.float32, None)
    value, gradient = functions.value_and_gradient(torch.full((3, 5), 2.0), prepared)

    assert value.tolist() == [4.0] * 3
    assert gradient.tolist() == [[0.0, 0.0, 0.0, 0.0, 4.0]] * 3
