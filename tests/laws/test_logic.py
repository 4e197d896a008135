"""What holds for every formula: the theorem, De Morgan, double negation, and the laws of a logic.

The theorem is that C = 0 exactly where the margin is >= 0. It is tested in exact arithmetic, so
that no rounding can move a margin across 0.
"""

from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebmlang.graph import Root, RootKind
from tests.laws.compiled import Values, by_oracle, by_torch, compiled, graph_of
from tests.laws.strategies import Arithmetic, Case, formulas, specs, surroundings, with_terms

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


# --- the laws of each logic ----------------------------------------------------------

LAWS = {
    "associative and": ("(a and b) and c", "a and (b and c)", {"product", "godel"}),
    "associative or": ("(a or b) or c", "a or (b or c)", {"product", "godel"}),
    "flat and": ("(a and b) and c", "a and b and c", {"product", "godel"}),
    "flat or": ("(a or b) or c", "a or b or c", {"product", "godel"}),
    "commutative and": ("a and b", "b and a", {"product", "godel"}),
    "commutative or": ("a or b", "b or a", {"product", "godel"}),
    "idempotent and": ("a and a", "a", {"godel"}),
    "idempotent or": ("a or a", "a", {"godel"}),
    "absorptive and": ("a and (a or b)", "a", {"godel"}),
    "absorptive or": ("a or (a and b)", "a", {"godel"}),
    "distributive and": ("a and (b or c)", "(a and b) or (a and c)", {"godel"}),
    "distributive or": ("a or (b and c)", "(a or b) and (a or c)", {"godel"}),
}
"""Two formulas, and the logics in which their energies are equal."""

ROUNDING = {"rtol": 1e-12, "atol": 1e-12}
"""A few roundings in float64."""

LETTERS = "a", "b", "c"


@cache
def energies_of(logic, *texts):
    lines = [f"logic {logic}", *(f"var v{n}: real\nlet {n} = v{n} <= 0" for n in LETTERS)]
    lines += [f"prefer t{i}: {text}" for i, text in enumerate(texts)]
    case = Case(text="\n".join(lines), sizes={}, data={}, points=({},))
    return compiled(case)


def evaluate_all(logic, texts, values):
    """Return the energies of formulas in a, b, c, of which each is violated by its value."""
    point = {f"v{n}": torch.tensor([row[i] for row in values]) for i, n in enumerate(LETTERS)}
    terms = energies_of(logic, *texts).terms(point)
    return [terms.energies[f"t{i}"].numpy() for i in range(len(texts))]


VIOLATIONS = st.floats(-1, 4).map(lambda value: torch.tensor(value, dtype=torch.float64))
BATCHES = st.lists(st.tuples(VIOLATIONS, VIOLATIONS, VIOLATIONS), min_size=1, max_size=20)
DISTINCT = [tuple(torch.tensor(v, dtype=torch.float64) for v in (0.8, 1.1, 1.7))]


@pytest.mark.parametrize("logic", ["product", "godel"])
@pytest.mark.parametrize("law", LAWS)
@settings(LAW, max_examples=15)
@given(values=BATCHES)
def test_a_law_holds_in_the_logics_it_is_listed_for(logic, law, values):
    left, right, logics = LAWS[law]
    if logic in logics:
        one, other = evaluate_all(logic, (left, right), values)

        np.testing.assert_allclose(one, other, **ROUNDING)
    else:
        one, other = evaluate_all(logic, (left, right), DISTINCT)

        assert abs(one[0] - other[0]) > 0.01


MONOTONE = ["a and b", "a or b", "a and (b or c)", "(a or b) and c", "a or b or c"]


@pytest.mark.parametrize("logic", ["product", "godel"])
@pytest.mark.parametrize("formula", MONOTONE)
@settings(LAW, max_examples=15)
@given(values=BATCHES, more=st.floats(0, 2))
def test_connectives_are_monotone(logic, formula, values, more):
    (before,) = evaluate_all(logic, (formula,), values)
    (after,) = evaluate_all(logic, (formula,), [(a + more, b, c) for a, b, c in values])

    assert (after >= before * (1 - 1e-12)).all()
