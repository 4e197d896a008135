"""The geometry of the standard library against formulas of its own."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmlang.lower.module import compile_graph
from ebmlang.lower.reference import evaluate
from tests.road import optimized, typed

TEXT = """
import std.geometry
var p: real[2]
var a: real[2]
var b: real[2]
var u: real[3]
var v: real[3]
report distance = geometry.distance(p, a)
report squared = geometry.squared_distance(p, a)
report middle = geometry.midpoint(p, a)
report angle = geometry.angle(u, v)
report heading = geometry.heading(p)
report rotated = geometry.rotated(p, a[0])
report ahead = geometry.direction(a[0])
report line = geometry.line_distance(p, a, b)
report segment = geometry.segment_distance(p, a, b)
report outside = geometry.box_distance(p, [-1, -1], [1, 0.5])
prefer disc: geometry.inside_disc(p, a, 1, 0.5)
prefer box: geometry.inside_box(p, [-1, -1], [1, 0.5], 0.5)
"""

LAW = settings(max_examples=30, deadline=None)

COORDINATES = st.integers(-24, 24).map(lambda n: n / 8)


def points(size):
    return st.tuples(*[COORDINATES] * size).map(np.array)


APART = st.tuples(points(2), points(2)).filter(lambda ends: np.linalg.norm(ends[0] - ends[1]) > 0)
DIRECTION = points(3).filter(lambda v: np.linalg.norm(v) > 0)


@pytest.fixture(scope="module")
def road():
    return typed(TEXT), compile_graph(optimized(TEXT), dtype=torch.float64)


def both(road, **point):
    """Return reports and margins by the compiled road, once the oracle has agreed."""
    program, energy = road
    truth = evaluate(program, point=point)
    tensors = {path: torch.tensor(value[None]) for path, value in point.items()}
    reports = {path: value[0].numpy() for path, value in energy.reports(tensors).items()}
    margins = {path: value.item() for path, value in energy.terms(tensors).margins.items()}
    for path, value in truth.reports.items():
        np.testing.assert_allclose(reports[path], value, rtol=1e-12, atol=1e-12)
    return reports, margins


SOME = np.array([1.0, 0.0, 0.0])


@LAW
@given(p=points(2), ends=APART)
def test_distances_are_those_to_the_nearest_point(road, p, ends):
    a, b = ends
    found, _ = both(road, p=p, a=a, b=b, u=SOME, v=SOME)

    steps = np.linspace(0, 1, 2001)[:, None]
    nearest = np.linalg.norm(p - (a + steps * (b - a)), axis=1).min()
    normal = np.array([a[1] - b[1], b[0] - a[0]]) / np.linalg.norm(b - a)
    box = np.clip(p, [-1, -1], [1, 0.5])
    # Points of the segment are 1/2000 of at most 9 apart.
    assert found["segment"] == pytest.approx(nearest, abs=9 / 2000)
    assert found["line"] == pytest.approx(abs(normal @ (p - a)), abs=1e-12)
    assert found["outside"] == pytest.approx(math.dist(p, box), abs=1e-12)
    assert found["distance"] == pytest.approx(math.dist(p, a))
    assert found["squared"] == pytest.approx(math.dist(p, a) ** 2)
    np.testing.assert_array_equal(found["middle"], (p + a) / 2)


@LAW
@given(u=DIRECTION, v=DIRECTION)
def test_angles_are_those_between_unit_vectors(road, u, v):
    rest = dict.fromkeys("pab", np.array([1.0, 2.0]))

    found, _ = both(road, **{**rest, "b": np.zeros(2)}, u=u, v=v)

    sine = np.linalg.norm(np.cross(u, v))
    assert found["angle"] == pytest.approx(math.atan2(sine, u @ v), abs=1e-12)


@LAW
@given(p=points(2), turn=st.floats(-3, 3))
def test_turning_keeps_lengths_and_adds_angles(road, p, turn):
    found, _ = both(road, p=p, a=np.array([turn, 0.0]), b=np.array([9.0, 9.0]), u=SOME, v=SOME)

    expected = complex(*p) * complex(math.cos(turn), math.sin(turn))
    np.testing.assert_allclose(found["rotated"], [expected.real, expected.imag], atol=1e-12)
    np.testing.assert_allclose(found["ahead"], [math.cos(turn), math.sin(turn)])
    assert found["heading"] == pytest.approx(math.atan2(p[1], p[0]))


@LAW
@given(p=points(2), a=points(2))
def test_bodies_have_the_margin_of_their_nearest_side(road, p, a):
    _, margins = both(road, p=p, a=a, b=np.array([9.0, 9.0]), u=SOME, v=SOME)

    sides = [p[0] + 1, 1 - p[0], p[1] + 1, 0.5 - p[1]]
    assert margins["box"] == pytest.approx(min(sides) / 0.5)
    assert margins["disc"] == pytest.approx((1 - math.dist(p, a)) / 0.5)
