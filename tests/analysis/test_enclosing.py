"""Ranges of many nodes side by side are those of each node alone, to the last bit."""

import pytest
from hypothesis import HealthCheck, given, settings

from ebmlang.analysis import enclosing
from ebmlang.analysis.bounds import infer_bounds
from ebmlang.analysis.framework import Inputs
from ebmlang.passes import ANALYZED, optimize
from ebmlang.testing.strategies import specs
from ebmlang.testing.values import graph_of
from tests.road import built

MANY = """
var x: real[12] in [-1, 2]
var y: real in [0.5, 3]
""" + "\n".join(
    f"prefer t{i}: x[{i}] + y <= {i} within 0.{i + 1} or exp(x[{i}]) / y - y^{i % 4} >= 0.1"
    for i in range(12)
)


def alone_and_together(graph, monkeypatch):
    monkeypatch.setattr(enclosing, "LEAST", 10**9)
    alone = infer_bounds(graph, Inputs())
    monkeypatch.setattr(enclosing, "LEAST", 2)
    return alone, infer_bounds(graph, Inputs())


def assert_same(alone, together):
    for one, other in zip(alone, together, strict=True):
        assert other.value.lower.shape == one.value.lower.shape
        assert other.value.equals(one.value)
        assert (other.rule, other.because) == (one.rule, one.because)


def test_ranges_of_terms_of_one_shape_are_those_of_each(monkeypatch):
    graph = optimize(built(MANY), ANALYZED)

    assert_same(*alone_and_together(graph, monkeypatch))


def test_terms_of_one_shape_take_one_call_per_step(monkeypatch):
    graph = optimize(built(MANY), ANALYZED)
    calls = []
    enclose = enclosing.enclose
    monkeypatch.setattr(
        enclosing, "enclose", lambda *arguments: calls.append(arguments) or enclose(*arguments)
    )

    infer_bounds(graph, Inputs())

    elementwise = [
        number for number, node in enumerate(graph.nodes) if enclosing._is_elementwise(node)
    ]
    assert 0 < len(calls) < len(elementwise) / 8


@pytest.mark.slow
def test_ranges_of_random_specs_are_those_of_each_node_alone(monkeypatch):
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(specs(depth=2))
    def law(case):
        graph = graph_of(case, ANALYZED)
        assert_same(*alone_and_together(graph, monkeypatch))

    law()
