"""A requirement is called impossible where the bounds of its sides exclude it."""

import pytest

from tests.analysis.findings.road import codes, find

BOX = "var x: real in [0, 1]\nvar y: real in [0, 1]\nvar v: real[3] in [[0, 0, 0], [1, 1, 4]]\n"

IMPOSSIBLE = {
    "a lower limit above the range": ("x + y >= 3", "`x + y` lies in [0, 2]", "at least 3"),
    "an upper limit below the range": ("x - y <= -2", "`x - y` lies in [-1, 1]", "at most -2"),
    "two sides that move": ("x >= y + 4", "`x` is at most 1", "at least `y + 4`"),
    "an equality": ("x == 3 within 0.5", "`x` lies in [0, 1]", "within 0.5 of 3"),
    "a difference": ("x != 0.5 within 2", "`x` lies in [0, 1]", "at least 2 away from 0.5"),
    "a negation": ("not (x + y <= 4)", "`x + y` lies in [0, 2]", "at least 4"),
    "a comparison with zero": ("x + 1 <= 0", "`x + 1` lies in [1, 2]", "at most 0"),
    "one element of an array": ("v >= 2", "`v` lies in [0, 1]", "at least 2 (element [0])"),
    "an element of a quantifier": ("forall a in v: a >= 2", "`v` lies in [0, 1]", "(element [0])"),
    "every branch of an or": ("x >= 2 or y >= 3", "its margin is at most -1", "at least 0"),
    "a tolerance": ("x >= 3 within 0.1", "`x` lies in [0, 1]", "at least 3"),
}


@pytest.mark.parametrize(("formula", "is_now", "wanted"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_the_bounds_exclude_is_told_with_both_sides(formula, is_now, wanted):
    (found,) = [d for d in find(f"{BOX}require far: {formula}") if d.code == "E0411"]

    assert found.headline == "`far` can never hold"
    assert is_now in found.primary.text
    assert wanted in found.primary.text


POSSIBLE = [
    "x + y >= 1.9",
    "x >= y",
    "x == 1 within 0.5",
    "x != 0.5 within 0.4",
    "v >= 0.5",
    "x >= 2 or y >= 0.5",
    "exists a in v: a >= 3",
]


@pytest.mark.parametrize("formula", POSSIBLE)
def test_what_some_point_satisfies_is_not_called_impossible(formula):
    assert "E0411" not in codes(f"{BOX}require far: {formula}")


def test_of_an_and_only_the_conjunct_that_fails_is_pointed_at():
    (found,) = [d for d in find(f"{BOX}require both: x <= 0.5 and x + y >= 3") if d.code == "E0411"]

    assert found.primary.span.text == "x + y >= 3"


def test_a_relation_inside_a_function_is_pointed_at_with_the_term_beside():
    text = f"{BOX}fn high(a) = a >= 3\nrequire up: high(x)"
    (found,) = [d for d in find(text) if d.code == "E0411"]

    assert found.primary.span.text == "a >= 3"
    assert found.secondary[0].span.text == "require up: high(x)"


def test_the_limit_that_a_message_offers_is_possible():
    (found,) = [d for d in find(f"{BOX}require far: x + y >= 3") if d.code == "E0411"]
    offered = found.helps[0].split("`")[1]

    assert offered == "x + y >= 2"
    assert "E0411" not in codes(f"{BOX}require far: {offered}")


def test_a_given_is_any_number_until_it_has_a_value():
    import numpy as np

    text = f"{BOX}given k: real\nrequire far: x >= k"

    assert "E0411" not in codes(text)
    assert "E0411" in codes(text, givens={"k": np.array(3.0)})
    assert "E0411" not in codes(text, givens={"k": np.array(0.5)})


def test_a_requirement_of_a_part_is_named_by_its_path():
    text = "spec leg(a) { require up: a >= 3 }\nvar x: real in [0, 1]\npart left = leg(x)"
    (found,) = [d for d in find(text) if d.code == "E0411"]

    assert found.headline == "`left.up` can never hold"


INFINITE = {
    "an or of nothing": "var x: real in [0, 1]\nprefer like: exists i in 0..-1: x >= i",
    "data below the support": "var m: real ~ normal(0, 1)\nprefer like: -1 ~ lognormal(m, 1)",
    "data above the support": "var p: real in [0.1, 0.9]\nprefer like: 5 ~ binomial(3, p)",
}


@pytest.mark.parametrize("text", INFINITE.values(), ids=INFINITE)
def test_a_soft_term_that_is_infinite_everywhere_is_told_once(text):
    (found,) = [d for d in find(text) if d.code not in ("W0211", "W0331")]

    assert found.code == "E0411"
    assert found.headline == "the term `like` has infinite energy everywhere"
    outside = ("the data lies outside the support of the density",)
    assert found.notes == (outside if "~ lognormal" in text or "binomial" in text else ())


@pytest.mark.parametrize(
    "text",
    [
        "var m: real ~ normal(0, 1)\nprefer like: 1 ~ lognormal(m, 1)",
        "var x: real\nprefer like: x ~ lognormal(0, 1)",
        "var x: real in [0, 1]\nprefer like: exists i in 0..0: x >= i",
    ],
)
def test_a_soft_term_that_is_finite_somewhere_is_not_called_impossible(text):
    assert "E0411" not in codes(text)
