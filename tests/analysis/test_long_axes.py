"""Ranges of large arrays: sound where elements differ, as close as before where they do not."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebmlang.analysis import bounds, enclosing, long_axes
from tests.analysis.node_values import evaluate_nodes, facts_of, node_of

LAW = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))

DOMAINS = ("in [-2, 2]", "in [0.5, 3]", "in [[-1, -2], [1, 0.5]]", "positive")

STEPS = (
    "norm(a - b)",
    "sum(a * b)",
    "exp(-sum(a)^2)",
    "abs(a[0]) - b[1]",
    "max(a)",
    "log(norm(a) + 1)",
    "y[2] * b[0]",
    "sqrt(a[0])",
)

FOLDS = ("sum", "mean", "min", "max", "prod")

NUMBERS = np.array([0.25, -1.5, 2.0, 0.0, -0.5])


@pytest.fixture
def small(monkeypatch):
    for module in (long_axes, bounds, enclosing):
        monkeypatch.setattr(module, "MANY", 3)


@st.composite
def texts(draw):
    domain = draw(st.sampled_from(DOMAINS))
    shape = "positive[5, 2]" if domain == "positive" else f"real[5, 2] {domain}"
    over = draw(st.sampled_from(["pairs(p)", "product(p, p)", "adjacent(p)", "zip(p, p)"]))
    formula = draw(st.sampled_from(STEPS))
    fold = draw(st.sampled_from(FOLDS))
    ending = draw(
        st.sampled_from(
            [
                f"minimize t: {fold} a, b in {over}: {formula}",
                f"prefer t: forall a, b in {over}: {formula} <= 0.3 within 0.5",
                f"prefer t: exists a, b in {over}: {formula} <= 0.3 within 0.5",
                "prefer t: exists m in y: p[0] ~ normal(m, 0.5)",
                "minimize t: sum i in 0..4: y[i] * norm(p[(2 * i) % 5])",
            ]
        )
    )
    return f"var p: {shape}\ngiven y: real[5]\n{ending}\n"


def test_values_lie_in_the_ranges_of_large_arrays(small):
    @LAW
    @given(texts(), st.integers(0, 1000))
    def law(text, seed):
        facts = facts_of(text, data={"y": NUMBERS})
        rng = np.random.default_rng(seed)
        domain = facts.bounds[_variable(facts)].value
        ends = np.maximum(domain.lower, -4), np.minimum(domain.upper, 4)

        values = evaluate_nodes(facts.graph, {"p": rng.uniform(*ends)}, facts.inputs)

        for number, value in enumerate(values):
            node = facts.graph.nodes[number]
            if node.kind.value == "constraint" or not np.issubdtype(value.dtype, np.number):
                continue
            found = facts.bounds[number].value
            assert found.shape == value.shape
            held = ~np.isnan(value)
            assert (found.lower <= value)[held].all(), node.operator
            assert (value <= found.upper)[held].all(), node.operator

    law()


def _variable(facts):
    return next(n for n, node in enumerate(facts.graph.nodes) if node.operator == "variable")


@pytest.mark.parametrize(
    "formula",
    [
        "sum a, b in pairs(p): norm(a - b)",
        "min a, b in pairs(p): a[0] * b[0]",
        "mean a in p: exp(a[0])",
        "prod a in p: a[1]",
        "norm([a[0] for a in p])",
    ],
)
def test_equal_elements_have_the_range_that_each_alone_has(formula, monkeypatch):
    text = f"var p: real[7, 2] in [0.5, 2]\nreport r = {formula}\n"
    facts = facts_of(text)
    expected = facts.bounds[node_of(facts, "r")].value

    for module in (long_axes, bounds, enclosing):
        monkeypatch.setattr(module, "MANY", 3)
    facts = facts_of(text)
    found = facts.bounds[node_of(facts, "r")].value

    # Some hundred roundings.
    np.testing.assert_allclose(found.lower, expected.lower, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.upper, expected.upper, rtol=1e-12, atol=1e-12)


def test_the_ranges_of_all_pairs_take_next_to_no_memory():
    facts = facts_of(
        "var p: real[2000, 2] in [-10, 10]\n"
        "minimize t: sum a, b in pairs(p): norm(a - b)^-12 - norm(a - b)^-6\n"
    )

    for number, node in enumerate(facts.graph.nodes):
        value = facts.bounds[number].value
        for end in (value.lower, value.upper):
            held = [size for size, stride in zip(end.shape, end.strides, strict=True) if stride]
            assert math.prod(held) <= 4_000, node.operator
