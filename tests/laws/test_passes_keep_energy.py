"""Each pass keeps every energy, margin and report: stages are compiled and compared.

Before `energies` a graph has constraints and cannot be lowered; `negation` and `energies` are
tested together against the oracle, and each later pass against the stage before it.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from ebmlang.passes import PASSES
from tests.laws.compiled import Values, by_oracle, by_torch, compiled, graph_of
from tests.laws.strategies import Arithmetic, specs

LAW = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

SHARP = {"rtol": 1e-10, "atol": 1e-10}
"""float64, against an oracle that adds up in another order."""

SAME = {"rtol": 1e-13, "atol": 1e-13}
"""Stages may fold constants in NumPy where torch would have computed them."""

FIRST = next(i for i, rewrite in enumerate(PASSES, start=1) if rewrite.name == "energies")

LATER = [rewrite.name for rewrite in PASSES[FIRST:]]


def assert_same(found: Values, before: Values, tolerance: dict[str, float]) -> None:
    for part in ("energies", "margins", "reports"):
        values, expected = getattr(found, part), getattr(before, part)
        assert list(values) == list(expected)
        for path, value in expected.items():
            np.testing.assert_allclose(values[path], value, err_msg=path, **tolerance)


@pytest.mark.slow
@LAW
@given(case=specs(depth=2))
def test_constraints_become_the_energies_of_the_oracle(case):
    found = by_torch(case, compiled(case, graph=graph_of(case, PASSES[:FIRST])))

    assert_same(found, by_oracle(case), SHARP)


@pytest.mark.slow
@pytest.mark.parametrize("name", LATER)
@pytest.mark.parametrize("arithmetic", Arithmetic)
def test_a_later_pass_changes_no_value(name, arithmetic):
    place = next(i for i, rewrite in enumerate(PASSES) if rewrite.name == name)

    @LAW
    @given(specs(arithmetic, depth=2))
    def law(case):
        before = graph_of(case, PASSES[:place])
        after = PASSES[place].rewrite(before)

        found = by_torch(case, compiled(case, graph=after))

        assert_same(found, by_torch(case, compiled(case, graph=before)), SAME)

    law()
