"""Fronts of terms, against fronts that are known in closed form."""

import numpy as np
import pytest

import ebmlang
from ebmlang.api.load import build_model
from ebmlang.source import EbmError, SourceText

FONSECA = """
var x: real[3] in [-4, 4]
const r = 1 / sqrt(3)
minimize near: 1 - exp(-(sum a in x: (a - r)^2))
minimize far: 1 - exp(-(sum a in x: (a + r)^2))
"""
"""Its front is concave: no weighted sum has a minimum in its middle."""


def build(text: str) -> ebmlang.Model:
    return build_model(SourceText("front.ebm", text))


@pytest.mark.slow
def test_a_concave_front_is_met_all_along():
    """Fonseca and Fleming (1995): the front is x_1 = x_2 = x_3 between both goals."""
    front = build(FONSECA).pareto(["near", "far"], designs=12, starts=64)

    points = np.array([design.variables["x"] for design in front.designs]) * np.sqrt(3)
    assert len(front) == 12
    np.testing.assert_allclose(points, points[:, :1] + np.zeros(3), atol=1e-3)
    assert np.abs(points).max() <= 1 + 1e-3
    values = np.array(front.values)
    expected = 1 - np.exp(-((points[:, :1] - [1, -1]) ** 2))
    np.testing.assert_allclose(values, expected, atol=1e-3)
    # From corner to corner, by the first term, without a gap wider than a fifth of the front.
    assert (np.diff(values[:, 0]) > 0).all()
    assert (np.diff(values[:, 1]) < 0).all()
    assert values[0, 0] < 1e-3
    assert values[-1, 1] < 1e-3
    assert np.linalg.norm(np.diff(values, axis=0), axis=1).max() < np.sqrt(2) / 5


@pytest.mark.slow
def test_a_front_of_three_terms_spans_the_triangle_of_their_minima():
    """Squared distances from three points are traded exactly inside of their triangle."""
    text = """
    var x: real[2] in [-1, 2]
    minimize a: x[0]^2 + x[1]^2
    minimize b: (x[0] - 1)^2 + x[1]^2
    minimize c: x[0]^2 + (x[1] - 1)^2
    """
    front = build(text).pareto(["a", "b", "c"], designs=10, starts=64)

    points = np.array([design.variables["x"] for design in front.designs])
    assert len(front) == 10
    assert points.min() >= -1e-3
    assert points.sum(1).max() <= 1 + 1e-3
    for corner in ([0, 0], [1, 0], [0, 1]):
        assert np.linalg.norm(points - corner, axis=1).min() < 1e-2


@pytest.mark.slow
def test_what_is_required_holds_on_the_front_and_other_terms_decide_among_equals():
    """Under x + y >= 1 the front of x^2 and y^2 is the segment x + y = 1; z is left to `calm`."""
    text = """
    var x: real in [0, 2]
    var y: real in [0, 2]
    var z: real in [-5, 5]
    require enough: x + y >= 1
    minimize first: x^2
    minimize second: y^2
    minimize calm: (z - 3)^2
    """
    front = build(text).pareto(["first", "second"], designs=6, starts=32)

    at = {name: np.array([d.variables[name] for d in front.designs]) for name in ("x", "y", "z")}
    assert front.untraded == ("calm",)
    np.testing.assert_allclose(at["x"] + at["y"], 1, atol=2e-3)
    assert (at["x"] + at["y"] >= 1).all()
    np.testing.assert_allclose(at["z"], 3, atol=1e-2)
    assert front.ideal == pytest.approx((0, 0), abs=1e-5)
    assert front.worst == pytest.approx((1, 1), abs=5e-3)


def test_an_order_of_terms_has_no_front():
    with pytest.raises(EbmError) as caught:
        build(FONSECA + "priority near > far\n").pareto(["near", "far"])

    assert [d.code for d in caught.value.diagnostics] == ["E0731"]
