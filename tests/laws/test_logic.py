"""What holds for every formula in every logic: the theorem, De Morgan, double negation.

The theorem is that C = 0 exactly where the margin is >= 0. It is tested in exact arithmetic, so
that no rounding can move a margin across 0.
"""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings

from ebmlang.graph import Root, RootKind
from ebmlang.testing.strategies import Arithmetic, formulas, specs, surroundings, with_terms
from ebmlang.testing.values import Values, by_oracle, by_torch, compiled, graph_of

LAW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

VANISHING = {torch.float64: 1e-290, torch.float32: 1e-30}
"""Below it a product of tiny (1 - exp(-C)) may have become 0: an OR of many near misses."""


def assert_sound(found: Values, truth: Values, vanishing: float) -> None:
    for path, margin in found.margins.items():
        np.testing.assert_array_equal(found.satisfied[path], margin >= 0)
        if path not in found.energies:
            continue  # what is required has no share of E
        energy = found.energies[path]
        assert (energy >= 0).all()
        assert (energy[margin >= 0] == 0).all()
        assert (energy[(margin < 0) & (truth.energies[path] > vanishing)] > 0).all()


@pytest.mark.slow
@LAW
@given(specs(Arithmetic.EXACT, energies=False))
def test_in_the_oracle_energy_is_zero_exactly_where_the_margin_is_not_negative(case):
    found = by_oracle(case)

    assert_sound(found, found, VANISHING[torch.float64])


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@LAW
@given(case=specs(Arithmetic.EXACT, energies=False))
def test_compiled_energy_is_zero_exactly_where_the_margin_is_not_negative(dtype, case):
    truth = by_oracle(case)

    found = by_torch(case, compiled(case, dtype))

    assert_sound(found, truth, VANISHING[dtype])
    for path, margin in truth.margins.items():
        np.testing.assert_array_equal(found.margins[path], margin.astype(found.margins[path].dtype))


# --- negation ------------------------------------------------------------------------

EQUIVALENT = {
    "double negation": ("not not {a}", "{a}"),
    "De Morgan, and": ("not ({a} and {b})", "not {a} or not {b}"),
    "De Morgan, or": ("not ({a} or {b})", "not {a} and not {b}"),
    "implication": ("{a} implies {b}", "not {a} or {b}"),
    "no implication": ("not ({a} implies {b})", "{a} and not {b}"),
    "equivalence": ("{a} iff {b}", "({a} implies {b}) and ({b} implies {a})"),
    "no forall": ("not forall i in 0..2: x[i] >= c or {a}",
                  "exists i in 0..2: not (x[i] >= c or {a})"),
    "no exists": ("not exists i in 0..2: x[i] >= c and {a}",
                  "forall i in 0..2: not (x[i] >= c and {a})"),
    "no relation": ("not (x <= c within 2)", "exists v in x: v >= c within 2"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("left", "right"), EQUIVALENT.values(), ids=EQUIVALENT.keys())
@settings(LAW, max_examples=12)
@given(case=surroundings(), a=formulas(depth=1), b=formulas(depth=1))
def test_equivalent_formulas_have_the_same_energy_and_margin_bit_for_bit(left, right, case, a, b):
    texts = {"left": left.format(a=a, b=b), "right": right.format(a=a, b=b)}
    case = with_terms(case, *(f"prefer {path}: ({text})" for path, text in texts.items()))
    graph = graph_of(case)

    found = by_torch(case, compiled(case, torch.float32, graph))

    np.testing.assert_array_equal(found.energies["left"], found.energies["right"])
    np.testing.assert_array_equal(found.margins["left"], found.margins["right"])
    # One node for both; those of the energies differ in whose weight they take.
    margins = [graph.roots[Root(RootKind.MARGIN, path)] for path in texts]
    assert margins[0] == margins[1]


@LAW
@given(case=surroundings(), a=formulas())
def test_a_formula_or_its_negation_holds_everywhere(case, a):
    case = with_terms(case, f"prefer a: ({a})", f"prefer b: (not {a})")

    found = by_oracle(case)

    assert (found.satisfied["a"] | found.satisfied["b"]).all()
