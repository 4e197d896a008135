"""Advice on tolerances and scales, which only the pedantic get."""

import pytest

from tests.analysis.findings.road import find, names

DEFAULT = {
    "a range of 1": ("var x: real in [0, 1]", "prefer a: x <= 0.5", ["x <= 0.5"]),
    "a range of 9.9": ("var x: real in [0, 9.9]", "prefer a: x <= 0.5", ["x <= 0.5"]),
    "a range of 10.1": ("var x: real in [0, 10.1]", "prefer a: x <= 0.5", []),
    "a range past a million": ("var x: real in [0, 2e6]", "prefer a: x <= 0.5", ["x <= 0.5"]),
    "no bounds": ("var x: real", "prefer a: x <= 0.5", []),
    "a comparison with zero": ("var x: real in [-1, 1]", "prefer a: x >= 0", ["x >= 0"]),
    "one that is written": ("var x: real in [0, 1]", "prefer a: x <= 0.5 within 1", []),
    "one of the file": ("default within 1\nvar x: real in [0, 1]", "prefer a: x <= 0.5", []),
    "a requirement": ("var x: real in [0, 1]", "require a: x <= 0.5", []),
    "inside a function": (
        "var x: real in [0, 1]\nfn low(a) = a <= 0.5",
        "prefer a: low(x)",
        ["a <= 0.5"],
    ),
    "inside a spec": (
        "var x: real in [0, 1]\nspec low(a) { prefer low: a <= 0.5 }",
        "part p = low(x)",
        ["a <= 0.5"],
    ),
    "under a quantifier": (
        "var v: real[3] in [0, 1]",
        "prefer a: forall b in v: b <= 0.5",
        ["b <= 0.5"],
    ),
}


@pytest.mark.parametrize(("variable", "term", "expected"), DEFAULT.values(), ids=DEFAULT)
def test_a_scale_that_nobody_wrote_is_held_against_the_range(variable, term, expected):
    assert names(f"{variable}\n{term}", "W0427", pedantic=True) == expected


def test_the_tolerance_that_a_message_offers_is_accepted():
    (found,) = find("var x: real in [0, 1]\nprefer a: x <= 0.5", pedantic=True)
    relation, default = (text.split("`")[1] for text in found.helps)

    assert relation == "x <= 0.5 within 0.01"
    assert find(f"var x: real in [0, 1]\nprefer a: {relation}", pedantic=True) == ()
    assert find(f"{default}\nvar x: real in [0, 1]\nprefer a: x <= 0.5", pedantic=True) == ()


SCALES = {
    "a wide domain": ("var x: real in [0, 2000]\nminimize a: x^2", ["x"]),
    "a narrow domain": ("var x: real in [0, 0.0005]\nminimize a: x^2", ["x"]),
    "a domain of practice": ("var x: real in [0, 120]\nminimize a: x^2", []),
    "no domain": ("var x: real\nminimize a: x^2", []),
    "terms a million apart": (
        "var x: real in [0, 1]\nminimize a: x\nminimize b: 2e6 * x^2",
        ["b"],
    ),
    "terms a thousand apart": (
        "var x: real in [0, 1]\nminimize a: x\nminimize b: 1e3 * x^2",
        [],
    ),
    "terms of two weights": (
        "var x: real in [0, 1]\nminimize a: x\nminimize b: 2e6 * x^2 weight 1e-6",
        [],
    ),
    "a tiny tolerance": (
        "var x: real in [0, 1]\nprefer a: x <= 0.5 within 1e-8",
        ["x <= 0.5 within 1e-8"],
    ),
    "a fine tolerance": ("var x: real in [0, 1]\nprefer a: x <= 0.5 within 1e-3", []),
}


@pytest.mark.parametrize(("text", "expected"), SCALES.values(), ids=SCALES)
def test_sizes_far_from_one_or_from_each_other_are_told(text, expected):
    found = find(text, pedantic=True)

    assert [d.headline.split("`")[1] for d in found if d.code == "W0428"] == expected
