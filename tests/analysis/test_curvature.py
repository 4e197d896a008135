"""How nodes bend, and what is said of why; agreement with CVXPY is in `test_cvxpy`."""

import pytest

from ebmlang.analysis.framework import trace_back
from ebmlang.lang.facts import Curvature
from tests.analysis.node_values import facts_of, node_of

CONSTANT, AFFINE, CONVEX, CONCAVE, UNKNOWN = Curvature


def found_at(text, path="r"):
    facts = facts_of(text)
    return facts, node_of(facts, path)


def curvature_of(text, path="r"):
    facts, number = found_at(text, path)
    return facts.curvature[number].value


@pytest.mark.parametrize(
    ("domain", "formula", "curvature"),
    [
        ("real", "3 * x + 1", AFFINE),
        ("real", "x^2", CONVEX),
        ("real", "x * x", CONVEX),
        ("real", "-x^2 + x", CONCAVE),
        ("real", "x^3", UNKNOWN),
        ("positive", "x^3", CONVEX),
        ("real in [-1, 0]", "x^3", CONCAVE),
        ("positive", "1 / x", CONVEX),
        ("positive", "-2 / x", CONCAVE),
        ("real", "1 / x", UNKNOWN),
        ("positive", "x^0.5", CONCAVE),
        ("positive", "x^-12 - x^-6", UNKNOWN),
        ("real", "exp(x^2)", CONVEX),
        ("real", "exp(-x^2)", UNKNOWN),
        ("positive", "-log(x)", CONVEX),
        ("real", "log1p(x^2)", UNKNOWN),
        ("real in [0, 1.5]", "cos(x)", CONCAVE),
        ("real in [-2, -1]", "tanh(x)", CONVEX),
        ("real", "max([x, 1 - x, 0])", CONVEX),
        ("real", "min([x, 1 - x])", CONCAVE),
        ("real", "abs(x) * 2 + relu(x - 1)", CONVEX),
        ("real", "norm([x, 2 * x - 1])", CONVEX),
        ("real", "norm([x, x^2 - 1])", UNKNOWN),
        ("real in [2, 3]", "abs(x)", AFFINE),
        ("real in [-3, -2]", "relu(x)", CONSTANT),
        ("real", "floor(x)", UNKNOWN),
        ("real", "2^x", CONVEX),
        ("real", "softplus(x) + softplus(-x)", CONVEX),
        ("real", "dot([x, 1], [x, 1])", CONVEX),
        ("real", "0 * x", CONSTANT),
    ],
)
def test_curvature_of_formulas_of_one_variable(domain, formula, curvature):
    assert curvature_of(f"var x: {domain}\nreport r = {formula}") is curvature


def test_products_of_variables_do_not_bend_in_one_way():
    assert curvature_of("var x: real\nvar y: real\nreport r = x * y") is UNKNOWN


def test_products_by_data_need_its_sign_only_where_something_bends():
    text = "given k: real\nvar x: real\nreport r = k * x\nreport s = k * x^2\nreport t = k^2 * x^2"

    assert curvature_of(text) is AFFINE
    assert curvature_of(text, "s") is UNKNOWN
    assert curvature_of(text, "t") is CONVEX


@pytest.mark.parametrize(
    ("density", "curvature"),
    [
        ("normal(0, 2)", CONVEX),
        ("laplace(1, 2)", CONVEX),
        ("logistic(1, 2)", CONVEX),
        ("cauchy(0, 1)", UNKNOWN),
        ("exponential(2)", CONVEX),
        ("uniform(0, 1)", CONVEX),
    ],
)
def test_log_concave_densities_are_convex_energies(density, curvature):
    assert curvature_of(f"var x: real\nprefer r: x ~ {density}") is curvature


def test_an_and_of_convex_constraints_is_convex_and_an_or_is_not():
    text = """
    var x: real[2]
    prefer both: norm(x) <= 1 and x[0] >= 0.5
    prefer either: norm(x) <= 1 or x[0] >= 2
    prefer apart: not norm(x) <= 1
    """

    assert curvature_of(text, "both") is CONVEX
    assert curvature_of(text, "either") is UNKNOWN
    assert curvature_of(text, "apart") is UNKNOWN


def test_a_recurrence_bends_as_its_steps_do():
    text = """
    var u: real[5]
    report r = scan s = 0 over a in u: 0.5 * s + a
    report bent = scan s = 0 over a in u: 0.5 * s + a^2
    report folded = scan s = 0 over a in u: relu(s) + a
    report lost = scan s = 0 over a in u: a - abs(s)
    """

    assert curvature_of(text) is AFFINE
    assert curvature_of(text, "bent") is CONVEX
    assert curvature_of(text, "folded") is CONVEX
    assert curvature_of(text, "lost") is UNKNOWN


def test_the_reason_names_what_spoils_it():
    text = "var x: real\nreport r = 2 * exp(log1p(x^2)) + 1"
    facts, number = found_at(text)

    chain = trace_back(facts.curvature, number)

    assert "`log1p` is concave and rises there; its operand is convex" in [r for _, r in chain]


def test_the_reason_of_a_proof_names_the_rule():
    facts, number = found_at("var x: real\nreport r = exp(x^2)")

    fact = facts.curvature[number]

    assert fact.rule == "`exp` of a value that is convex is convex"
    assert facts.graph.nodes[fact.because[0]].operator == "square"
