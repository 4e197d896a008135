"""The text that a message offers is the user's own declaration, with bounds."""

import numpy as np
import pytest

import ebmlang


def bounded(text, question="integrable", **data):
    facts = ebmlang.loads(text).analyze({name: np.array(v) for name, v in data.items()})
    help_, *_ = getattr(facts.propriety, question).helps
    return help_.partition("`")[2].rstrip("`")


@pytest.mark.parametrize(
    ("declared", "offered"),
    [
        ("var x: real[K]", "var x: real[K] in [-10, 10]"),
        ("var x: real[K] in [0, inf]", "var x: real[K] in [0, 10]"),
        ("var x: real[K] in [20, inf]", "var x: real[K] in [20, 30]"),
        ("var x: positive[K]", "var x: real[K] in [0.01, 10]"),
    ],
)
def test_sizes_and_known_ends_stay_as_they_are_written(declared, offered):
    text = f"given y: real[K]\n{declared}\nprefer t: x - y >= 0"

    assert bounded(text, y=[1.0, 2.0]) == offered


def test_a_prior_stays_behind_the_bounds():
    text = (
        "var s: positive ~ half_normal(1)  # its scale\nprefer t: 1.5 ~ normal(2, s)\nvar m: real"
    )
    text = text.replace("normal(2, s)", "normal(m, s)")

    offered = bounded(text, "bounded_below")

    assert offered == "var s: real in [0.01, 10] ~ half_normal(1)"


def test_a_bound_that_the_energy_falls_towards_is_moved_inwards():
    text = "var x: real in [0, inf]\nminimize e: log(x)"

    assert bounded(text, "bounded_below") == "var x: real in [0.01, 10]"


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("var x: real\nvar y: real ~ normal(0, 1)\nprefer t: x >= y", "integrable"),
        ("var x: real in [0, inf]\nminimize e: log(x)", "bounded_below"),
        ("var x: positive\nprefer t: x >= 1", "integrable"),
    ],
)
def test_the_declaration_that_is_offered_mends_the_spec(text, question):
    rest = text.partition("\n")[2]
    mended = ebmlang.loads(f"{bounded(text, question)}\n{rest}")

    assert mended.analyze().propriety.integrable.answer.value == "proper"
