"""What is said twice is found, whatever it is written like."""

import pytest

from tests.analysis.findings.road import codes, find, names

X = "var x: real in [0, 10]\nvar y: real in [0, 10]\n"

SAME = {
    "the same text": ("prefer a: x <= 5 within 0.5", "prefer b: x <= 5 within 0.5"),
    "turned round": ("prefer a: x <= 5 within 0.5", "prefer b: 5 >= x within 0.5"),
    "through a name": ("prefer a: x + y <= 5", "let d = y + x\nprefer b: d <= 5"),
    "by De Morgan": (
        "prefer a: not (x <= 5 and y <= 5)",
        "prefer b: x >= 5 or y >= 5",
    ),
    "of two weights": ("prefer a: x <= 5 weight 2", "prefer b: x <= 5 weight 3"),
    "a number": ("minimize a: x^2", "minimize b: x^2 + 0"),
    "a density": ("prefer a: x ~ normal(1, 2)", "prefer b: x ~ normal(1, 2)"),
    "two requirements": ("require a: x <= 5", "require b: x <= 5"),
    "required and preferred": ("require a: x <= 5", "prefer b: x <= 5"),
}


@pytest.mark.parametrize(("first", "second"), SAME.values(), ids=SAME)
def test_the_second_of_two_terms_that_say_the_same_is_told(first, second):
    (found,) = [d for d in find(f"{X}{first}\n{second}") if d.code == "W0425"]

    assert found.headline == "`b` is the same as `a`"


DIFFERENT = {
    "another limit": ("prefer a: x <= 5", "prefer b: x <= 6"),
    "another tolerance": ("prefer a: x <= 5 within 0.5", "prefer b: x <= 5 within 0.6"),
    "another variable": ("prefer a: x <= 5", "prefer b: y <= 5"),
    "the opposite": ("prefer a: x <= 5", "prefer b: not (x <= 5)"),
    "densities that share a parameter": (
        "prefer a: x ~ normal(y, 2)",
        "prefer b: x + 1 ~ normal(y, 2)",
    ),
    "two that always hold": ("prefer a: x <= 50", "prefer b: x <= 50"),
}


@pytest.mark.parametrize(("first", "second"), DIFFERENT.values(), ids=DIFFERENT)
def test_terms_that_differ_are_not_called_the_same(first, second):
    assert "W0425" not in codes(f"{X}{first}\n{second}")


def test_a_prior_that_is_written_once_more_is_told():
    text = "var x: real ~ normal(0, 1)\nprefer again: x ~ normal(0, 1)"

    assert names(text, "W0425") == ["again"]


def test_the_weight_that_a_message_offers_is_the_sum():
    text = f"{X}prefer a: x <= 5 weight 2\nprefer b: x <= 5 weight 3"
    (found,) = [d for d in find(text) if d.code == "W0425"]

    assert found.helps == ("leave `b` out; if it is to count twice, say so: `a` with `weight 5`",)


def test_a_term_of_a_spec_that_two_parts_repeat_is_told():
    text = f"spec low(k) {{ prefer low: k <= 5 }}\n{X}part p = low(x)\npart q = low(x)"

    assert names(text, "W0425") == ["q.low"]


EFFECTS = {
    ("product", "and"): "doubles its weight",
    ("product", "or"): "costs less than once",
    ("godel", "and"): "idempotent",
    ("godel", "or"): "idempotent",
}


@pytest.mark.parametrize(("logic", "word"), EFFECTS, ids=lambda word: word)
def test_a_repeated_operand_is_told_with_what_it_does_in_this_logic(logic, word):
    p = "x <= 5 within 0.5"
    text = f"logic {logic}\n{X}prefer a: {p} {word} y <= 3 {word} {p}"
    (found,) = [d for d in find(text) if d.code == "W0425"]

    assert found.headline == "a part of `a` is said twice"
    assert found.primary.text == f"`{p}` stands here twice"
    assert EFFECTS[logic, word] in found.notes[0]


def test_an_energy_joined_with_itself_is_told():
    density = "x ~ normal(0, 1)"

    assert names(f"{X}prefer a: {density} and {density}", "W0425") == ["a"]
    assert names(f"{X}prefer a: {density} and y ~ normal(0, 1)", "W0425") == []


def test_densities_that_share_a_part_of_their_formulas_are_not_called_the_same():
    text = f"{X}var s: positive\nprefer a: x ~ normal(0, s) and y ~ normal(0, s)"

    assert names(text, "W0425") == []


def test_a_term_that_two_parts_share_is_not_to_be_left_out():
    text = (
        "spec s(x: real) {\n  prefer a: x >= 1 within 1\n}\nvar x: real in [-5, 5]\n"
        "part p = s(x) weight 2\npart q = s(x) weight 3\n"
    )
    (found,) = [d for d in find(text) if d.code == "W0425"]

    assert found.helps == ()
    assert "up to their weights" in found.primary.text
