"""Each pass keeps every energy, margin and report: stages are compiled and compared.

Before `energies` a graph has constraints and cannot be lowered; `negation` and `energies` are
tested together against the oracle, and each later pass against the stage before it.
"""

import pytest
from hypothesis import HealthCheck, given, settings

from ebmlang.passes import PASSES
from ebmlang.testing.laws import SHARP, assert_rewrite_keeps_energy, assert_same_values
from ebmlang.testing.strategies import Arithmetic, specs
from ebmlang.testing.values import by_oracle, by_torch, compiled, graph_of

LAW = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

FIRST = next(i for i, rewrite in enumerate(PASSES, start=1) if rewrite.name == "energies")

LATER = [rewrite.name for rewrite in PASSES[FIRST:]]


@pytest.mark.slow
@LAW
@given(case=specs(depth=2))
def test_constraints_become_the_energies_of_the_oracle(case):
    found = by_torch(case, compiled(case, graph=graph_of(case, PASSES[:FIRST])))

    assert_same_values(found, by_oracle(case), SHARP)


@pytest.mark.slow
@pytest.mark.parametrize("name", LATER)
@pytest.mark.parametrize("arithmetic", Arithmetic)
def test_a_later_pass_changes_no_value(name, arithmetic):
    (rewrite,) = (one for one in PASSES if one.name == name)

    @LAW
    @given(specs(arithmetic, depth=2))
    def law(case):
        assert_rewrite_keeps_energy(rewrite, case)

    law()
