"""The oracle's logic against the tables of the language, number by number."""

import math
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmlang.check.formulas import RelationOperator
from ebmlang.lang import Sort
from ebmlang.lower.reference_logic import (
    Formula,
    Reading,
    conjoin,
    disjoin,
    judge_relation,
    judge_truth,
    noisy_or,
)

LE, GE, EQ, NE = (RelationOperator(text) for text in ("<=", ">=", "==", "!="))
LT, GT = RelationOperator("<"), RelationOperator(">")


@pytest.mark.parametrize(
    ("operator", "a", "b", "s", "margin", "energy"),
    [
        (LE, 1.0, 3.0, 0.5, 4.0, 0.0),
        (LE, 3.0, 1.0, 0.5, -4.0, 8.0),
        (GE, 3.0, 1.0, 2.0, 1.0, 0.0),
        (GE, 1.0, 3.0, 2.0, -1.0, 0.5),
        (EQ, 1.0, 1.25, 0.5, 0.5, 0.0),
        (EQ, 1.0, 2.0, 0.5, -1.0, 0.5),
        (NE, 1.0, 1.25, 0.5, -0.5, 0.125),
        (NE, 1.0, 2.0, 0.5, 1.0, 0.0),
    ],
)
def test_relations_on_reals_follow_their_table(operator, a, b, s, margin, energy):
    assert judge_relation(operator, Sort.REAL, a, b, s).holds == Reading(margin, energy)


@pytest.mark.parametrize(
    ("operator", "a", "b", "margin", "energy"),
    [
        (EQ, 2, 2, 0.0, 0.0),
        (EQ, 2, 5, -3.0, 4.5),
        (LE, 2, 5, 3.0, 0.0),
        (LE, 5, 2, -3.0, 4.5),
        (LT, 2, 2, -1.0, 0.5),
        (LT, 1, 2, 0.0, 0.0),
        (GE, 2, 5, -3.0, 4.5),
        (GT, 2, 2, -1.0, 0.5),
        (NE, 2, 2, -1.0, 1.0),
        (NE, 2, 4, 1.0, 0.0),
    ],
)
def test_relations_on_ints_follow_their_table(operator, a, b, margin, energy):
    assert judge_relation(operator, Sort.INT, a, b, 1.0).holds == Reading(margin, energy)


@pytest.mark.parametrize("sort", [Sort.BOOL, Sort.LABEL])
def test_a_violated_equality_of_truth_values_or_labels_costs_one(sort):
    assert judge_relation(EQ, sort, 0, 1, 1.0).holds == Reading(-1.0, 1.0)
    assert judge_relation(EQ, sort, 1, 1, 1.0).holds == Reading(0.0, 0.0)
    assert judge_relation(NE, sort, 1, 1, 1.0).holds == Reading(-1.0, 1.0)


@given(st.sampled_from([LE, GE, EQ, NE]), *[st.integers(-8, 8)] * 2, st.sampled_from([0.5, 1, 2]))
def test_a_negated_relation_on_reals_has_the_opposite_margin(operator, a, b, s):
    found = judge_relation(operator, Sort.REAL, a, b, s)

    assert found.fails.margin == -found.holds.margin


@given(st.sampled_from([LE, GE, LT, GT, EQ, NE]), st.integers(-3, 3), st.integers(-3, 3))
def test_of_a_relation_on_ints_and_its_negation_exactly_one_holds(operator, a, b):
    found = judge_relation(operator, Sort.INT, a, b, 1.0)

    assert (found.holds.margin >= 0) != (found.fails.margin >= 0)
    assert (found.holds.energy == 0) == (found.holds.margin >= 0)
    assert (found.fails.energy == 0) == (found.fails.margin >= 0)


@pytest.mark.parametrize("logic", ["product", "godel"])
def test_forall_over_nothing_holds_and_exists_does_not(logic):
    always, never = Reading(math.inf, 0.0), Reading(-math.inf, math.inf)

    assert conjoin([], logic) == Formula(always, never)
    assert disjoin([], logic) == Formula(never, always)


def test_connectives_of_the_product_logic_are_sum_and_noisy_or():
    a, b = Formula(Reading(-1.0, 0.5), Reading(1.0, 0.0)), judge_truth(False)

    assert conjoin([a, b], "product").holds == Reading(-1.0, 1.5)
    expected = -math.log(1 - (1 - math.exp(-0.5)) * (1 - math.exp(-1.0)))
    assert math.isclose(disjoin([a, b], "product").holds.energy, expected, rel_tol=1e-15)


def test_connectives_of_the_godel_logic_are_max_and_min():
    a, b = Formula(Reading(-1.0, 0.5), Reading(1.0, 0.0)), judge_truth(False)

    assert conjoin([a, b], "godel").holds == Reading(-1.0, 1.0)
    assert disjoin([a, b], "godel").holds == Reading(-1.0, 0.5)


def test_a_weight_scales_energies_and_leaves_margins():
    assert judge_truth(False).scaled(3.0) == Formula(Reading(-1.0, 3.0), Reading(0.0, 0.0))


def exact_noisy_or(energies):
    """Return -log(1 - prod(1 - exp(-C))) to 100 digits, by a sum of positive numbers."""
    if 0 in energies:
        return 0.0
    with localcontext() as context:
        context.prec = 400
        values = [Decimal(energy) for energy in energies]
        least = min(values)
        share, total = Decimal(1), Decimal(0)
        for value in values:
            total += (least - value).exp() * share
            share *= 1 - (-value).exp()
        return float(least - total.ln())


LEVELS = [0.0, 1e-30, 1e-8, 0.1, 1.0, 40.0, 1e4, 1e30]


@pytest.mark.parametrize("a", LEVELS)
@pytest.mark.parametrize("b", LEVELS)
@pytest.mark.parametrize("c", [*LEVELS, None])
def test_noisy_or_is_exact_from_nothing_to_the_hugest(a, b, c):
    energies = [a, b] if c is None else [a, b, c]

    assert math.isclose(noisy_or(energies), exact_noisy_or(energies), rel_tol=1e-13)


def test_noisy_or_with_an_impossible_branch_is_that_of_the_others():
    assert noisy_or([math.inf, 3.0]) == 3.0
    assert noisy_or([math.inf, math.inf]) == math.inf
