"""The laws fail where they should: a pass that changes the energy, a case that differs."""

from dataclasses import replace

import numpy as np
import pytest

from ebmlang.graph import EnergyGraph, RootKind
from ebmlang.passes import PASSES, Pass
from ebmlang.testing import Case, assert_kernel_matches_oracle, assert_rewrite_keeps_energy
from ebmlang.testing.laws import assert_same_values
from ebmlang.testing.values import by_oracle

CASE = Case(
    text="var x: real\nprefer low: x <= 1 within 0.5\nminimize cost: x^2",
    sizes={},
    data={},
    points=({"x": np.float64(3.0)}, {"x": np.float64(-1.0)}),
)


def lose_a_term(graph: EnergyGraph) -> EnergyGraph:
    """Let the first soft term be the energy of all."""
    (_, first), *_ = graph.roots_of(RootKind.ENERGY)
    total = {root: first for root, _ in graph.roots_of(RootKind.TOTAL)}
    return replace(graph, roots={**graph.roots, **total})


def a_pass(rewrite) -> Pass:
    return replace(PASSES[-1], name="test", rewrite=rewrite)


def test_a_pass_that_changes_nothing_keeps_the_energy():
    assert_rewrite_keeps_energy(a_pass(lambda graph: graph), CASE)


def test_a_pass_that_loses_a_term_does_not():
    with pytest.raises(AssertionError, match="the total"):
        assert_rewrite_keeps_energy(a_pass(lose_a_term), CASE)


def test_values_that_differ_are_named():
    truth = by_oracle(CASE)
    found = replace(truth, margins={"low": truth.margins["low"] + 1e-6})

    with pytest.raises(AssertionError, match="low"):
        assert_same_values(found, truth, 1e-10)


def test_kernels_agree_with_the_oracle_on_a_case():
    assert_kernel_matches_oracle(CASE)
