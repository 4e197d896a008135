"""Bounds of nodes: of the leaves, through recurrences, and where operands come from one number."""

import math

import numpy as np
import pytest

from ebmlang.analysis import GraphFacts, Inputs, refinement
from ebmlang.analysis.bounds import sign_of
from ebmlang.lang.interval import Interval
from tests.analysis.node_values import facts_of, node_of

INF = math.inf


def bounds_of(text, path="r", **known):
    facts = facts_of(text, **known)
    found = facts.bounds[node_of(facts, path)].value
    return found.lower, found.upper


def assert_bounds(text, lower, upper, slack=1e-12, **known):
    found = bounds_of(text, **known)
    np.testing.assert_allclose(found[0], lower, rtol=slack, atol=slack)
    np.testing.assert_allclose(found[1], upper, rtol=slack, atol=slack)


# --- leaves --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("domain", "lower", "upper"),
    [
        ("real", -INF, INF),
        ("real in [-1, 2]", -1, 2),
        ("real in [-inf, 2]", -INF, 2),
        ("positive", 0, INF),
        ("real[2] in [[0, 1], 2]", [0, 1], 2),
        ("simplex[3]", 0, 1),
        ("unit[3]", -1, 1),
        ("rotation[3]", -1, 1),
        ("ordered[3]", -INF, INF),
    ],
)
def test_variables_lie_in_their_domain(domain, lower, upper):
    assert_bounds(f"var x: {domain}\nreport r = x", lower, upper)


def test_bounds_of_a_variable_may_be_computed_from_data():
    text = "given a: real\nlet b = 2 * a\nvar x: real in [-b, b + 1]\nreport r = x"

    assert_bounds(text, -4, 5, data={"a": np.array(2.0)})
    assert_bounds(text, -INF, INF)


def test_givens_are_any_number_until_they_are_known():
    text = "given y: real[3]\nreport r = sum(y^2)"

    assert_bounds(text, 0, INF)
    assert_bounds(text, 14, 14, data={"y": np.array([1.0, 2.0, 3.0])})


def test_weights_given_for_the_run_count():
    text = "var x: real in [0, 1]\nminimize t: x weight 3"
    facts = facts_of(text)
    heavier = GraphFacts(facts.graph, Inputs(weights={"t": 5.0}))

    total = node_of(facts, "")
    assert facts.bounds[total].value.upper == 3
    assert heavier.bounds[total].value.upper == 5


# --- recurrences ---------------------------------------------------------------------


def test_short_recurrences_are_followed_step_by_step():
    text = """
    var u: real[4] in [0, 1]
    report r = scan s = 0 over a in u: s + a
    """

    assert_bounds(text, 0, [0, 1, 2, 3, 4])


def test_a_long_recurrence_that_contracts_is_bounded_by_induction():
    text = """
    var u: real[500] in [-1, 1]
    let path = scan s = 0 over a in u: 0.5 * s + a
    report r = path[500]
    """

    lower, upper = bounds_of(text)

    # The states stay within 2; the proof may give away some of it.
    assert -16 <= lower <= -2
    assert 2 <= upper <= 16


def test_a_long_recurrence_that_grows_is_not_bounded():
    text = """
    var u: real[500] in [0, 1]
    let path = scan s = 0 over a in u: s + a
    report r = path[500]
    """

    lower, upper = bounds_of(text)

    assert lower == 0
    assert upper == INF


# --- one number ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("domain", "formula", "lower", "upper"),
    [
        ("positive", "x^-12 - x^-6", -0.25, INF),
        ("real in [0.5, 3]", "x^-12 - x^-6", -0.25, 4032),
        ("real", "x^2 - x", -0.25, INF),
        ("real in [-1, 2]", "x^2 - x", -0.25, 2),
        ("real", "x^4 - 3 * x^2 + 1", -1.25, INF),
        ("real", "x * x", 0, INF),
        ("real", "x - x", 0, 0),
        ("real in [0, 1]", "x * (1 - x)", 0, 0.25),
        ("positive", "1 / x - 1 / x^2", -INF, 0.25),
        ("real in [0, 3]", "sin(x) + cos(x)", math.sin(3) + math.cos(3), math.sqrt(2)),
        ("real in [0, 20]", "x * exp(-x)", 0, math.exp(-1)),
        ("real in [-3, 3]", "x / (1 + x^2)", -0.5, 0.5),
    ],
)
def test_operands_that_come_from_one_number_are_not_told_apart(domain, formula, lower, upper):
    found = bounds_of(f"var x: {domain}\nreport r = {formula}")

    np.testing.assert_allclose(found, (lower, upper), atol=0.02, rtol=1e-3)
    assert found[0] <= lower
    assert found[1] >= upper


def test_the_energy_of_a_cluster_is_bounded_by_the_depth_of_its_wells():
    text = """
    var atoms: real[4, 3] in [-2, 2]
    minimize r: sum a, b in pairs(atoms): 4 * (norm(a - b)^-12 - norm(a - b)^-6)
    """

    lower, upper = bounds_of(text)

    # Six pairs, each a well of depth 1.
    assert -6.5 <= lower <= -6
    assert upper == INF


def test_elements_that_only_share_an_array_are_told_apart():
    """x[i] - x[j] is not 0, though both come from x."""
    text = "var x: real[3] in [0, 1]\nreport r = [a - b for a, b in product(x, x)]"

    assert_bounds(text, -1, 1)


def test_an_array_subtracted_from_itself_is_zero():
    assert_bounds("var x: real[3] in [0, 1]\nreport r = x - x", 0, 0)


# --- signs ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lower", "upper", "sign"),
    [([0, 1], [2, 3], 1), ([-2, -1], [0, 0], -1), ([0, 0], [0, 0], 0), ([-1, 0], [1, 2], None)],
)
def test_the_sign_of_an_array_is_that_of_all_its_elements(lower, upper, sign):
    assert sign_of(Interval.make(lower, upper)) == sign


def test_exact_arithmetic_stays_exact():
    """A margin of 0 at a bound must not become one of minus a rounding."""
    text = "var x: real in [0, 0.75]\nrequire r: 2 * x <= 1.5"

    assert bounds_of(text)[0] == 0


def test_a_graph_of_many_joins_of_large_arrays_is_refined_within_one_budget(monkeypatch):
    wide = "var x: real[1000] in [0, 1]\n"
    text = wide + "".join(f"minimize e{i}: sum(x * ({i} - x))\n" for i in range(1, 9))
    spent = []
    range_over = refinement._Function.range_over

    def counted(function, x):
        spent.append(x.lower.size * len(function._region) * refinement.NUMBERS)
        return range_over(function, x)

    monkeypatch.setattr(refinement, "WORK", 3_000_000)
    monkeypatch.setattr(refinement._Function, "range_over", counted)

    assert len(facts_of(text).bounds) > 0
    assert 0 < sum(spent) <= 3_000_000
    assert len(spent) < 8
