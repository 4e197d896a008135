"""Weights that change nothing, or only what is drawn."""

import pytest

from tests.analysis.findings.road import find, names

X = "var x: real in [0, 1]\nvar y: real in [0, 1]\n"

USELESS = {
    "of what always holds": "prefer a: x <= 5 weight 3",
    "of a constant": "minimize a: 0 * x weight 3",
    "of a part that only requires": "spec leg(k) { require up: k >= 0.5 }\n"
    "part a = leg(x) weight 3",
}


@pytest.mark.parametrize("text", USELESS.values(), ids=USELESS)
def test_a_weight_of_what_costs_nothing_is_told_at_the_weight(text):
    (found,) = [d for d in find(f"{X}{text}") if d.code == "W0426"]

    assert found.headline == "the weight of `a` does not matter"
    assert found.primary.span.text == "weight 3"


USEFUL = {
    "no weight on a constant": "minimize a: 0 * x",
    "a constraint that can be violated": "prefer a: x <= 0.5 weight 3",
    "a part with a preference": "spec leg(k) { prefer up: k >= 0.5 }\npart a = leg(x) weight 3",
    "a part of a part with a preference": "spec toe(k) { prefer up: k >= 0.5 }\n"
    "spec leg(k) { part t = toe(k) }\npart a = leg(x) weight 3",
}


@pytest.mark.parametrize("text", USEFUL.values(), ids=USEFUL)
def test_a_weight_that_scales_something_is_not_told(text):
    assert names(f"{X}{text}", "W0426") == []


ALONE = {
    "the only term": ("minimize a: x^2 weight 3", ["a"]),
    "the only term of its variables": (
        "minimize a: x^2 weight 3\nminimize b: y^2\nminimize c: y",
        ["a"],
    ),
    "beside a requirement": ("minimize a: x^2 weight 3\nrequire b: x >= 0.5", ["a"]),
    "one of two": ("minimize a: x^2 weight 3\nminimize b: (x - y)^2", []),
    "without a weight": ("minimize a: x^2", []),
}


@pytest.mark.parametrize(("text", "expected"), ALONE.values(), ids=ALONE)
def test_a_weight_that_scales_all_there_is_is_told_to_the_pedantic(text, expected):
    assert names(f"{X}{text}", "W0426", pedantic=True) == expected
    assert names(f"{X}{text}", "W0426") == []
