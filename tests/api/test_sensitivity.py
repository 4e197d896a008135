"""Derivatives of the lowest energy, against differences of energies that were solved for again."""

import numpy as np
import pytest

import ebmlang
from ebmlang.api.load import build_model
from ebmlang.source import EbmError, SourceText

STEP = 1e-4
"""Of a central difference: its error is some STEP^2, and that of the solved energies, some 1e-9
where something is required, over STEP."""

ACCURACY = 1e-4

HELD = """
given k: real = 1.5
given goal: real[2] = [3, -1]
given low: real = 0.5
var x: real[2] in [low, 2]
var z: real[2] in [-3, 3]
minimize cost: k * sum((x - goal)^2) weight 2
prefer near: norm(z - x) <= 0.5 within 0.5
require disc: z[0]^2 + z[1]^2 <= k within 0.3
minimize tie: sum((x - z)^2)
"""
"""The minimum has x[0] at its upper bound, x[1] at its lower one, and z on the disc."""


def build(text: str) -> ebmlang.Model:
    return build_model(SourceText("held.ebm", text))


def lowest(model: ebmlang.Model, data=None, weights=None) -> float:
    return model.solve(data, weights, starts=8, designs=1)[0].energy


def difference(value) -> float:
    return (value(STEP) - value(-STEP)) / (2 * STEP)


@pytest.mark.slow
def test_it_agrees_with_differences_of_solved_optima_for_inputs_bounds_and_weights():
    model = build(HELD)
    best = model.solve(starts=8)[0]

    found = model.sensitivity(best.variables)

    assert found.reliable
    assert best.variables["x"].tolist() == [2, 0.5]
    assert best.margins["disc"] == pytest.approx(0, abs=1e-6)
    assert float(found.givens["k"]) == pytest.approx(
        difference(lambda h: lowest(model, {"k": 1.5 + h})), rel=ACCURACY
    )
    # Through a bound that is met, and only through it.
    assert float(found.givens["low"]) == pytest.approx(
        difference(lambda h: lowest(model, {"low": 0.5 + h})), rel=ACCURACY
    )
    assert float(found.givens["low"]) == pytest.approx(float(found.lower["x"].sum()))
    for i, goal in enumerate(found.givens["goal"]):
        side = np.eye(2)[i]
        moved = difference(lambda h, side=side: lowest(model, {"goal": [3, -1] + h * side}))
        assert goal == pytest.approx(moved, rel=ACCURACY)
    for path, weight in {"cost": 2.0, "near": 1.0, "tie": 1.0}.items():
        moved = difference(lambda h, p=path, w=weight: lowest(model, weights={p: w + h}))
        assert found.weights[path] == pytest.approx(moved, rel=ACCURACY)
        assert found.weights[path] == pytest.approx(best.terms[path] / weight)


@pytest.mark.slow
def test_it_says_what_a_bound_and_a_requirement_cost():
    """The same spec with other numbers in their places, solved again."""
    model = build(HELD)

    found = model.sensitivity(model.solve(starts=8)[0].variables)

    wider = difference(lambda h: lowest(build(HELD.replace("[low, 2]", f"[low, [{2 + h!r}, 2]]"))))
    assert found.upper["x"] == pytest.approx([wider, 0], rel=ACCURACY)
    # To ask for a margin of h tolerances more, or less.
    asked = difference(
        lambda h: lowest(build(HELD.replace("<= k within", f"<= k - {0.3 * h!r} within")))
    )
    assert found.requirements["disc"] == pytest.approx(asked, rel=ACCURACY)


def test_a_point_that_is_not_at_rest_is_not_relied_on():
    found = build(HELD).sensitivity({"x": [1.5, 1.0], "z": [0.0, 0.0]})

    assert not found.reliable
    assert found.leftover > 0.1


def test_multipliers_that_are_not_unique_are_not_relied_on():
    """Two requirements ask for the same: which of them holds the point is anybody's guess."""
    text = """
    var x: real in [-5, 5]
    require first: x >= 1
    require second: 2 * x >= 2
    minimize cost: x^2
    """
    found = build(text).sensitivity({"x": 1.0})

    assert found.leftover < 1e-9
    assert not found.reliable


def test_a_minimum_in_the_open_hangs_on_nothing_but_its_terms():
    """E* = min (x - a)^2 + (x + a)^2 / 2 = 4 a^2 / 3, at x = a / 3."""
    text = """
    given a: real = 1.5
    given unused: real = 2
    var x: real in [-5, 5]
    minimize up: (x - a)^2
    minimize down: (x + a)^2 weight 0.5
    report twice = 2 * unused
    """
    found = build(text).sensitivity({"x": 0.5})

    assert found.reliable
    assert float(found.givens["a"]) == pytest.approx(8 * 1.5 / 3)
    assert float(found.givens["unused"]) == 0
    assert found.weights == pytest.approx({"up": 1.0, "down": 4.0})
    assert not found.lower["x"].any()
    assert not found.upper["x"].any()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("var x: real in [0, 1]\nminimize a: x\nminimize b: -x\npriority a > b\n", "E0731"),
        ("var x: real\nprefer a: normalize(energy(x^4))\n", "E0732"),
    ],
)
def test_what_it_cannot_say_it_says(text, code):
    with pytest.raises(EbmError) as caught:
        build(text).sensitivity({"x": 0.5})

    assert [d.code for d in caught.value.diagnostics] == [code]
