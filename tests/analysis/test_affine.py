"""Rows of coefficients against differences of the energy that they are rows of."""

import numpy as np
import pytest

import ebmlang
from ebmlang.analysis.affine import combine
from tests.analysis.propriety.road import forms_of, total_of

AFFINE = {
    "sums": "var x: real[3]\nminimize e: 2 * sum(x) - x[1] + 4",
    "a mean": "var x: real[4]\nminimize e: mean(x) - mean(x[0..1])",
    "a matrix": "const m = [[1, 2, 0], [0, -1, 3]]\nvar x: real[3]\nminimize e: sum(m @ x)",
    "a row of a matrix": "var x: real[2, 3]\nminimize e: sum(x[1]) - 3 * x[0, 2]",
    "an inner product": "var x: real[3]\nminimize e: dot([1, -2, 0.5], x)",
    "running sums": "var x: real[3]\nminimize e: cumsum(x)[2] + cumsum(x)[1]",
    "a solution": "var x: real[2]\nminimize e: solve([[2, 1], [0, 4]], x)[0]",
    "neighbours": "var x: real[4]\nminimize e: sum a, b in adjacent(x): 2 * b - a",
    "what joins": "var x: real\nvar y: real[2]\nminimize e: sum(concat([x], y)) + [x, y[1]][1]",
    "the log of an exp": "var x: real\nvar y: real\nminimize e: log(3 * exp(x - y)) + y / 2",
    "a condition that is known": "const k = true\nvar x: real\nminimize e: if k then x else 2 * x",
}


@pytest.mark.parametrize("text", AFFINE.values(), ids=list(AFFINE))
def test_a_row_is_the_gradient_of_an_affine_energy(text):
    forms = forms_of(text)
    model = ebmlang.loads(text)
    shapes = {info.path: info.shape for info in forms.elements.facts.graph.variables}

    affine = forms.of((total_of(forms), 0))

    assert affine is not None
    origin = {path: np.zeros(shape) for path, shape in shapes.items()}
    assert affine.low - 1e-9 <= float(model.energy(origin)) <= affine.high + 1e-9
    for j, at in enumerate(forms.coordinates):
        moved = {path: value.copy() for path, value in origin.items()}
        moved[at.path][at.place] = 1.0
        slope = float(model.energy(moved)) - float(model.energy(origin))
        assert slope == pytest.approx(affine.row.get(j, 0.0))


def test_what_bends_is_not_affine():
    forms = forms_of("var x: real\nvar y: real\nminimize e: x * y")

    assert forms.of((total_of(forms), 0)) is None


def test_what_is_bounded_is_affine_but_for_that():
    forms = forms_of("var x: real\nminimize e: 2 * x + sin(x)")

    affine = forms.of((total_of(forms), 0))

    assert affine is not None
    assert affine.row == {0: 2.0}
    assert (affine.low, affine.high) == pytest.approx((-1.0, 1.0))


def test_data_that_is_missing_is_an_unknown_constant():
    forms = forms_of("given k: real\nvar x: real\nminimize e: x + k")

    affine = forms.of((total_of(forms), 0))

    assert affine is not None
    assert affine.row == {0: 1.0}
    assert (affine.low, affine.high) == (-np.inf, np.inf)


def test_coefficients_that_cancel_leave_no_rounding():
    thirds = [({0: 1 / 3}, 1.0)] * 3

    assert combine([*thirds, ({0: 1.0}, -1.0)]) == {}


def test_a_bound_that_only_data_tells_is_a_bound():
    forms = forms_of("given w: real\nvar x: real in [0, w]\nvar y: real in [0, inf]\nminimize e: x")

    assert [at.name for at in forms.coordinates if at.unbounded] == ["y"]
