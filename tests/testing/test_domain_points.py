"""Points of every domain: inside it, up to its ends, and simple where they can be."""

import numpy as np
import pytest
from hypothesis import find, given, settings

import ebmlang
from ebmlang.testing import points, states
from ebmlang.testing.domain_points import REACH, corners, domains_of

ROUNDING = 1e-12
"""Of a handful of operations on numbers of size 1."""

INSIDE = {
    "real[2, 3] in [-1, 2]": lambda x: x.shape == (2, 3) and ((x >= -1) & (x <= 2)).all(),
    "real[2] in [[0, 10], [1, 20]]": lambda x: 0 <= x[0] <= 1 and 10 <= x[1] <= 20,
    "real": lambda x: x.shape == () and abs(x) <= REACH,
    "real in [3, inf]": lambda x: 3 <= x <= 3 + REACH,
    "real in [-inf, 3]": lambda x: 3 - REACH <= x <= 3,
    "positive[2]": lambda x: (x > 0).all(),
    "simplex[4]": lambda x: (x >= 0).all() and abs(x.sum() - 1) < ROUNDING,
    "unit[3]": lambda x: abs(np.linalg.norm(x) - 1) < ROUNDING,
    "array[2] of unit[3]": lambda x: (abs(np.linalg.norm(x, axis=1) - 1) < ROUNDING).all(),
    "rotation[3]": lambda x: (
        abs(x @ x.T - np.eye(3)).max() < ROUNDING and abs(np.linalg.det(x) - 1) < ROUNDING
    ),
    "array[2] of rotation[3]": lambda x: x.shape == (2, 3, 3),
    "ordered[4]": lambda x: (np.diff(x) > 0).all(),
    "array[2] of ordered[80]": lambda x: x.shape == (2, 80) and (np.diff(x) > 0).all(),
}


@pytest.mark.parametrize("domain", INSIDE)
def test_every_point_lies_in_its_domain(domain):
    @settings(max_examples=60, database=None)
    @given(states(domain))
    def law(x):
        assert x.dtype == np.float64
        assert INSIDE[domain](x)

    law()


COUNTED = {
    "int in 0..1": (np.int64, (), lambda x: 0 <= x <= 1),
    "int[2] in -3..5": (np.int64, (2,), lambda x: ((x >= -3) & (x <= 5)).all()),
    "int[0]": (np.int64, (0,), lambda x: True),
    "bool[2]": (np.bool_, (2,), lambda x: True),
}


@pytest.mark.parametrize("domain", COUNTED)
def test_whole_numbers_and_truth_values_are_points_too(domain):
    dtype, shape, inside = COUNTED[domain]

    @settings(max_examples=60, database=None)
    @given(states(domain))
    def law(x):
        assert (np.asarray(x).dtype, np.shape(x)) == (dtype, shape)
        assert inside(x)

    law()


SIMPLEST = [
    ("real[2] in [-1, 1]", lambda x: True, [0, 0]),
    ("real[2] in [-1, 1]", lambda x: x[1] > 0.25, [0, 1]),
    ("real in [2.5, 7]", lambda x: True, 3),
    ("simplex[2]", lambda x: True, [0.5, 0.5]),
    ("unit[3]", lambda x: True, [1, 0, 0]),
    ("rotation[3]", lambda x: True, np.eye(3).tolist()),
    ("ordered[3]", lambda x: True, [0, 1, 2]),
    ("ordered[3]", lambda x: x[2] > 5, [0, 1, 6]),
    ("ordered[2]", lambda x: x[1] - x[0] < 1e-3, [0, 1e-6]),
    ("ordered[2]", lambda x: x[1] - x[0] < 1e-9, [0, np.finfo(np.float64).tiny]),
    ("int in -2..9", lambda x: x > 3, 4),
    ("bool[2]", lambda x: x.any(), [False, True]),
]


@pytest.mark.parametrize(("domain", "condition", "expected"), SIMPLEST)
def test_points_shrink_to_simple_ones(domain, condition, expected):
    assert find(states(domain), condition, settings=settings(database=None)).tolist() == expected


@pytest.mark.parametrize("end", [-3.0, 4.5])
def test_the_ends_of_an_interval_are_drawn(end):
    drawn = settings(max_examples=2000, database=None)

    assert find(states("real in [-3, 4.5]"), lambda x: x == end, settings=drawn) == end


def test_corners_are_the_ends_of_a_box():
    domains = domains_of(ebmlang.loads("var x: real[2] in [[0, 1], [2, 3]]\nvar s: simplex[3]"))

    assert [corner.tolist() for corner in corners(domains["x"])] == [[0, 1], [2, 3]]
    assert corners(domains["s"]) == ()


@settings(max_examples=20, database=None)
@given(points(ebmlang.loads("given n: int\nvar x: real[2] in [0, n]"), {"n": 3}))
def test_points_of_a_model_have_a_value_for_every_variable(point):
    assert list(point) == ["x"]
    assert ((point["x"] >= 0) & (point["x"] <= 3)).all()


def test_a_domain_that_is_wrong_is_refused_as_in_a_spec():
    with pytest.raises(ebmlang.EbmError, match="E0318"):
        states("real in [2, 1]")


@pytest.mark.parametrize("domain", ["real[N]", "int[N]"])
def test_a_size_that_nothing_says_is_refused(domain):
    with pytest.raises(ebmlang.EbmError, match="no value is called `N`"):
        states(domain)


def test_a_domain_that_is_neither_text_nor_domain_is_refused_by_a_sentence():
    with pytest.raises(TypeError, match=r"a domain is a text such as .* not of type `int`"):
        states(3)
