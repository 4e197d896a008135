"""Which energies are sums of squares, and of what."""

import numpy as np
import pytest

from ebmlang.analysis.least_squares import find_residuals
from tests.analysis.road import energy_node, facts_of, random_point, total_node, values_of

ROUNDING = {"rtol": 1e-10, "atol": 1e-10}
"""Sums of some dozen numbers of moderate size, in float64."""

SQUARES = {
    "square": ("var x: real", "minimize e: x^2"),
    "product": ("var x: real", "minimize e: (x - 1) * (x - 1)"),
    "sum": ("var x: real[3]", "minimize e: sum(x^2) / 2 + 7"),
    "mean": ("var x: real[3]", "minimize e: 2 * mean((x - 1)^2)"),
    "weights": ("var x: real[3]", "minimize e: sum([1, 2, 3] * (x - 1)^2) weight 2"),
    "divisors": ("var x: real[3]", "minimize e: sum((x - 1)^2 / [1, 2, 4])"),
    "dot": ("var x: real[3]", "minimize e: dot(x - 1, x - 1)"),
    "norm": ("var x: real[3]", "minimize e: norm(x - 1)^2"),
    "norm of a matrix": ("var x: real[2, 3]", "minimize e: norm(x)^2"),
    "abs": ("var x: real", "minimize e: abs(x - 2)^2"),
    "minus a constant": ("var x: real", "minimize e: x^2 - 3"),
    "hinge": ("var x: real", "prefer e: x >= 1 within 0.5"),
    "two hinges": ("var x: real", "prefer e: 0 <= x <= 1 within 0.5 weight 3"),
    "tolerance": ("var x: real", "prefer e: x == 1 within 0.5"),
    "quantifier": ("var x: real[4]", "prefer e: forall a, b in adjacent(x): a <= b within 0.1"),
    "mask": (
        "var x: real[4]",
        "prefer e: forall i in 0..3 where i % 2 == 0: x[i] >= 1 within 0.1",
    ),
    "pairs": ("var x: real[4, 2]", "minimize e: sum a, b in pairs(x): norm(a - b)^2"),
    "normal": ("var x: real", "prefer e: x ~ normal(1, 2)"),
    "normal with data": ("var x: real", "prefer e: [1, 2, 3] ~ normal(x, [1, 2, 4])"),
    "half normal": ("var x: positive", "prefer e: x ~ half_normal(2)"),
    "not linear": ("var x: real[2]", "minimize e: (sin(x[0]) - x[1]^2)^2 + (x[0] - 1)^2"),
    "shared": ("var x: real", "minimize e: x^2 + 3 * x^2"),
    "matrix": ("var x: real[2]", "minimize e: norm([[1, 2], [3, 4], [5, 6]] @ x - [1, 2, 3])^2"),
    "slices": ("var x: real[5]", "minimize e: sum((x[1..4] - x[0..3])^2)"),
    "broadcast": ("var x: real[3, 1]", "minimize e: sum((x^2 + zeros(4)) / 2)"),
}
"""Sums of squares of all kinds, as declarations and a term."""

OTHERS = {
    "linear": ("var x: real", "minimize e: x"),
    "negative": ("var x: real", "maximize e: x^2"),
    "difference": ("var x: real", "minimize e: (x - 1)^2 - x^2"),
    "norm": ("var x: real[2]", "minimize e: norm(x)"),
    "or": ("var x: real", "prefer e: x <= 0 or x >= 1"),
    "unknown factor": ("var x: real\ngiven k: real", "minimize e: k * x^2"),
    "varying scale": ("var x: real\nvar s: positive", "prefer e: x ~ normal(0, s)"),
    "cube": ("var x: positive", "minimize e: x^3"),
    "laplace": ("var x: real", "prefer e: x ~ laplace(0, 1)"),
    "godel": ("var x: real", "prefer e: x >= 1 and x <= 0"),
    "unsure support": ("var x: real", "prefer e: x ~ half_normal(2)"),
}
"""What is no sum of squares, or not known to be one."""


def rebuilt(facts, residuals, values):
    """Return the sum of the weighed squares."""
    total = 0.0
    for residual in residuals:
        weight = residual.weight
        np.testing.assert_allclose(weight.lower, weight.upper, **ROUNDING)
        assert (weight.lower >= 0).all()
        total += float(np.sum(weight.lower * values[residual.node] ** 2))
    return total


@pytest.mark.parametrize("name", SQUARES)
def test_an_energy_is_its_squares_and_a_constant(name):
    declarations, term = SQUARES[name]
    logic = "logic godel\n" if name == "godel" else ""
    facts = facts_of(f"{logic}{declarations}\n{term}")
    number = energy_node(facts, "e")
    rng = np.random.default_rng(1)

    residuals = find_residuals(facts, number)

    assert residuals is not None
    constants = []
    for _ in range(20):
        values = values_of(facts.graph, random_point(facts, rng))
        constants.append(float(values[number]) - rebuilt(facts, residuals, values))
    np.testing.assert_allclose(constants, constants[0], **ROUNDING)


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_sum_of_squares_has_no_residuals(name):
    declarations, term = OTHERS[name]
    logic = "logic godel\n" if name == "godel" else ""
    facts = facts_of(f"{logic}{declarations}\n{term}")

    assert find_residuals(facts, energy_node(facts, "e")) is None


def test_the_residual_of_a_squared_norm_is_the_vector():
    """It is smooth where the norm is not."""
    facts = facts_of("var x: real[3]\nminimize e: norm(x - 1)^2")

    (residual,) = find_residuals(facts, energy_node(facts, "e"))

    assert facts.graph.nodes[residual.node].shape == (3,)


def test_the_residual_of_a_normal_is_its_argument_in_standard_deviations():
    facts = facts_of("var x: real\nprefer e: x ~ normal(1, 2)")

    (residual,) = find_residuals(facts, energy_node(facts, "e"))

    values = values_of(facts.graph, {"x": 4.0})
    assert abs(values[residual.node]) == pytest.approx(1.5)
    assert residual.weight.lower == pytest.approx(0.5)


def test_a_weight_that_data_decides_is_an_interval():
    facts = facts_of("var x: real\ngiven k: real\nminimize e: exp(k) * x^2")

    (residual,) = find_residuals(facts, energy_node(facts, "e"))

    assert residual.weight.lower == 0
    assert residual.weight.upper == np.inf


def test_the_whole_is_a_sum_of_squares_where_every_term_is():
    facts = facts_of("var x: real[2]\nminimize a: sum(x^2)\nprefer b: x[0] >= 1")

    residuals = find_residuals(facts, total_node(facts))

    assert sum(residual.weight.lower.size for residual in residuals) == 3


def test_what_does_not_depend_on_a_variable_has_no_residuals_but_is_a_sum_of_none():
    facts = facts_of("var x: real\ngiven k: real\nminimize e: k")

    assert find_residuals(facts, energy_node(facts, "e")) == ()
