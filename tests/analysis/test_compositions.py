"""Facts of whole graphs, of random specs, against values at random points.

The specs are those of the law tests, in boxes of random sizes, and formulas of two numbers, where
operands of one node come from one variable more often.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from ebmlang.analysis import GraphFacts
from ebmlang.graph import Kind
from ebmlang.lang.facts import Curvature, Slope
from ebmlang.source import EbmError
from ebmlang.testing.formula_writer import FormulaWriter, Names
from ebmlang.testing.strategies import Arithmetic, Case, specs
from tests.analysis.node_values import evaluate_nodes, facts_of

POINTS = 12

ROUNDING = 1e-10
"""What roundings of a whole graph make, relative to the largest number in it."""

EXAMPLES = settings(
    max_examples=40,
    suppress_health_check=list(HealthCheck),
    # Shrinking a whole spec takes minutes, and its text says enough.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)

BOXES = ["", " in [-1, 2]", " in [0, 3]", " in [0.5, inf]", " in [-4, -1]", " in [-inf, 0]"]

DOMAINS = ["real", "real", "positive"]


@st.composite
def boxed_specs(draw: st.DrawFn) -> Case:
    """Draw a spec of the law tests whose variables have bounds."""
    case = draw(specs(Arithmetic.SMOOTH, depth=2))
    text = case.text
    for line in ("var u: real\n", "var x: real[3]\n", "var p: real[3, 2]\n"):
        text = text.replace(line, line[:-1] + draw(st.sampled_from(BOXES)) + "\n")
    return Case(text=text, sizes=case.sizes, data=case.data, points=case.points)


@st.composite
def formulas_of_two(draw: st.DrawFn) -> Case:
    """Draw numbers made of two variables, with more functions than the law tests dare."""
    write = FormulaWriter(draw, exact=False)
    names = Names(reals=("u", "u", "v"), known=("0.5",), vectors=("[u, v]", "[v, u, u]"))
    lines = [
        f"var {name}: {draw(st.sampled_from(DOMAINS))}{draw(st.sampled_from(BOXES))}"
        for name in ("u", "v")
    ]
    curves = [
        "(u^-12 - u^-6)",
        "(u^2 - u)",
        "u * exp(-u)",
        "log(u) - u",
        "1 / (1 + u^2)",
        "abs(u)^1.5",
        "sqrt(u) * v",
        "softplus(u - v)",
        "square_of(u - v)",
        "lgamma(u)",
        "u / v",
        "2^(-u)",
        "u % 2",
        "u^v",
        "norm([u, v, 1])",
        "max([u, v]) - min([u, v])",
        "log(exp(u) + exp(v))",
        "floor(u)",
        "(u^2 - 1)^2",
        "abs(u^2 - v)",
        "norm([u^2 - 1, v])",
        "exp(-u^2)",
        "log1p(u^2)",
        "(1 - abs(u))^2",
    ]
    for i in range(3):
        parts = [draw(st.sampled_from(curves)), write.real(names, 2)]
        lines.append(f"report r{i} = {draw(st.sampled_from(['+', '-', '*'])).join(parts)}")
    lines.append("fn square_of(t) = t^2")
    lines.append("minimize t: r(u, v)\nfn r(a, b) = (a - b)^2")
    return Case(text="\n".join(lines), sizes={}, data={}, points=())


CASES = [boxed_specs(), formulas_of_two()]


def with_facts(case: Case) -> GraphFacts:
    try:
        return facts_of(case.text, case.sizes, case.data)
    except EbmError:
        # A bound below 0 of a positive variable, and the like.
        assume(False)
        raise


def draw_point(facts: GraphFacts, rng: np.random.Generator) -> dict[str, Any]:
    """Return a point of the domain."""
    point = {}
    for node, found in zip(facts.graph.nodes, facts.bounds, strict=True):
        if node.operator == "variable":
            low = np.where(np.isfinite(found.value.lower), found.value.lower, -5.0)
            low = np.minimum(low, found.value.upper - 1)
            low = np.maximum(low, found.value.lower)
            high = np.where(np.isfinite(found.value.upper), found.value.upper, low + 8.0)
            share = rng.random(node.shape)
            share = np.where(rng.random(node.shape) < 0.2, np.round(share), share)
            plain = low + share * (high - low)
            point[node.option("path")] = np.where(
                rng.random(node.shape) < 0.3, np.clip(np.round(plain), low, high), plain
            )
    return point


def sizes_of(values: list[Any]) -> float:
    """Return the largest finite number in a graph's values."""
    finite = [np.abs(v[np.isfinite(v)]) for v in map(np.atleast_1d, values) if v.dtype.kind != "b"]
    return max((float(np.max(v)) for v in finite if v.size), default=0.0) + 1.0


def finite(*parts: Any) -> Any:
    """Return the sums of arrays where they are numbers."""
    with np.errstate(invalid="ignore"):
        total = np.sum(np.stack(parts), axis=0)
    return total[np.isfinite(total)]


def values_at(facts: GraphFacts, point: Mapping[str, Any]) -> list[Any]:
    return [np.asarray(v) for v in evaluate_nodes(facts.graph, point, facts.inputs)]


@pytest.mark.slow
@pytest.mark.parametrize("cases", CASES, ids=["specs", "formulas"])
@EXAMPLES
@given(data=st.data())
def test_values_lie_within_their_bounds(cases, data):
    facts = with_facts(data.draw(cases))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))

    for _ in range(POINTS):
        values = values_at(facts, draw_point(facts, rng))

        slack = ROUNDING * sizes_of(values)
        for number, (value, found) in enumerate(zip(values, facts.bounds, strict=True)):
            number_of = value.astype(np.float64)
            known = np.isfinite(number_of)
            lower, upper = (
                np.broadcast_to(x, value.shape) for x in (found.value.lower, found.value.upper)
            )
            outside = (number_of < lower - slack) | (number_of > upper + slack)
            assert not np.any(outside & known), (number, found.rule)


@pytest.mark.slow
@pytest.mark.parametrize("cases", CASES, ids=["specs", "formulas"])
@EXAMPLES
@given(data=st.data())
def test_values_move_with_variables_as_their_slopes_say(cases, data):
    facts = with_facts(data.draw(cases))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))

    for _ in range(POINTS):
        first, second = draw_point(facts, rng), draw_point(facts, rng)
        path = rng.choice(list(first))
        raised = {**first, path: np.maximum(first[path], second[path])}
        before, after = values_at(facts, first), values_at(facts, raised)

        slack = ROUNDING * (sizes_of(before) + sizes_of(after))
        for number, found in enumerate(facts.slopes):
            slope = found.value.get(path, Slope.FLAT)
            if slope is Slope.MIXED:
                continue
            gain = finite(after[number].astype(np.float64), -before[number].astype(np.float64))
            if slope is Slope.FLAT:
                assert np.all(np.abs(gain) <= slack), (number, found)
            else:
                assert np.all(slope.value * gain >= -slack), (number, found)


@pytest.mark.slow
@pytest.mark.parametrize("cases", CASES, ids=["specs", "formulas"])
@EXAMPLES
@given(data=st.data())
def test_values_bend_as_their_curvature_says(cases, data):
    facts = with_facts(data.draw(cases))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))

    for _ in range(POINTS):
        first, second = draw_point(facts, rng), draw_point(facts, rng)
        middle = {path: (first[path] + second[path]) / 2 for path in first}
        low, high, between = (values_at(facts, point) for point in (first, second, middle))

        slack = ROUNDING * max(map(sizes_of, (low, high, between)))
        for number, found in enumerate(facts.curvature):
            a, b, c = (x[number].astype(np.float64) for x in (low, high, between))
            gap = finite(a, b, -2.0 * c)
            match found.value:
                case Curvature.CONVEX:
                    assert np.all(gap >= -slack), (number, found.rule)
                case Curvature.CONCAVE:
                    assert np.all(gap <= slack), (number, found.rule)
                case Curvature.AFFINE | Curvature.CONSTANT:
                    assert np.all(np.abs(gap) <= slack), (number, found.rule)


@pytest.mark.slow
def test_the_random_formulas_have_facts_worth_refuting():
    """Of 40 formulas many have a finite bound, a slope and a curvature."""
    known = {"bounds": 0, "slopes": 0, "curvature": 0, "nodes": 0}

    @settings(max_examples=40, derandomize=True, database=None)
    @given(formulas_of_two())
    def count(case):
        facts = with_facts(case)
        for number, node in enumerate(facts.graph.nodes):
            if node.kind is Kind.REAL and facts.graph.varying[number]:
                known["nodes"] += 1
                found = facts.bounds[number].value
                known["bounds"] += bool(np.any(np.isfinite(found.lower) | np.isfinite(found.upper)))
                slopes = facts.slopes[number].value.values()
                known["slopes"] += any(slope is not Slope.MIXED for slope in slopes)
                known["curvature"] += facts.curvature[number].value is not Curvature.UNKNOWN

    count()

    assert all(known[name] > 0.3 * known["nodes"] for name in known)
