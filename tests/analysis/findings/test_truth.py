"""Constraints that say nothing, or that nothing satisfies."""

import pytest

from tests.analysis.findings.road import codes, find, names

BOX = "var x: real in [0, 1]\nvar y: real in [0, 1]\nvar free: real\n"

TRUE = [
    "x + y <= 5",
    "x >= -1",
    "x^2 >= -1",
    "x == 0.5 within 2",
    "free <= 0 or free^2 >= -1",
    "free <= 0 or not (free <= 0)",
    "free <= 3 within 0.1 or not (free <= 3 within 0.1)",
    "free == 3 within 0.1 or free != 3 within 0.1",
    "x <= 0.5 implies x <= 0.5",
    "(x <= 0.5 and free >= 1) or not (x <= 0.5 and free >= 1)",
    "(x <= 0.5 and free >= 1) or x >= 0.5 or free <= 1",
    "forall a in [x, y]: a <= 2",
]


@pytest.mark.parametrize("word", ["require", "prefer"])
@pytest.mark.parametrize("formula", TRUE)
def test_a_constraint_that_always_holds_is_told(formula, word):
    assert names(f"{BOX}{word} idle: {formula}", "W0423") == ["idle"]


NOT_ALWAYS_TRUE = [
    "x + y <= 1.5",
    "free <= 0 or not (free <= 1)",
    "free <= 3 within 0.1 or not (free <= 3 within 0.2)",
    "(x <= 0.5 and free >= 1) or not (x <= 0.5)",
    "(x <= 0.5 or x <= 0.5) and not (x <= 0.5 and y <= 0.5)",
    "x <= 0.5 and not (x <= 0.5)",
    "forall a in [x, y]: a <= 0.5",
]


@pytest.mark.parametrize("formula", NOT_ALWAYS_TRUE)
def test_a_constraint_that_some_point_violates_is_not_called_always_true(formula):
    assert "W0423" not in codes(f"{BOX}prefer idle: {formula}")


NEVER = {
    "x >= 3 within 0.5": "8",
    "x == 3 within 0.5": "4.5",
    "x + y >= 3 and y <= 0.5 within 0.1": "0.5",
}


@pytest.mark.parametrize(("formula", "least"), NEVER.items(), ids=NEVER)
def test_a_preference_that_nothing_satisfies_is_told_with_its_least_cost(formula, least):
    """The least costs by hand: ((3 - 1) / 0.5)^2 / 2, ((2 - 0.5) / 0.5)^2 / 2, (3 - 2)^2 / 2."""
    (found,) = [d for d in find(f"{BOX}prefer idle: {formula}") if d.code == "W0424"]

    assert found.headline == f"`idle` holds nowhere: it costs at least {least}"


def test_a_preference_that_some_point_satisfies_is_not_called_never_true():
    assert "W0424" not in codes(f"{BOX}prefer some: x + y >= 1.9 within 0.1")


def test_a_term_in_two_parts_is_useless_only_if_it_is_in_both():
    spec = "spec low(a) { prefer low: a <= 2 within 0.1 }\nvar x: real in [0, 1]\n"
    other = "var z: real in [0, 5]\n"

    both = names(f"{spec}part p = low(x)\npart q = low(x / 2)", "W0423")
    one = names(f"{spec}{other}part p = low(x)\npart q = low(z)", "W0423")

    assert both == ["p.low"]
    assert one == []


CONSTANT = {
    "minimize flat: 0 * x + 3": ["flat"],
    "minimize flat: k": ["flat"],
    "prefer flat: k <= 3": ["flat"],
    "minimize flat: x": [],
    "require data: k <= 3": [],
    "prefer flat: x <= 3": [],
}


@pytest.mark.parametrize(("term", "expected"), CONSTANT.items(), ids=CONSTANT)
def test_a_soft_term_with_one_energy_is_told_whether_it_reads_data_or_not(term, expected):
    assert names(f"{BOX}given k: real\n{term}", "W0331") == expected


def test_one_cause_gives_one_message():
    found = codes(f"{BOX}prefer a: x <= 5\nminimize b: 0 * x\nminimize c: (x - y)^2 + free^2")

    assert found == ["W0423", "W0331"]
