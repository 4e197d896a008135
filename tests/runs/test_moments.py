"""Moments as the draws come are those of all draws at once."""

import itertools

import numpy as np
import pytest

from ebmlang.runs.moments import NO_MOMENTS, add_draws
from ebmlang.runtime.checkpoint import flatten

ROUNDING = 1e-13
"""Relative error of a hundred sums in float64."""


@pytest.fixture
def values():
    rng = np.random.default_rng(0)
    return {"x": rng.normal(3, 2, size=(4, 50, 3)), "energy": 1e6 + rng.normal(size=(4, 50))}


def test_mean_and_spread_are_those_of_all_draws(values):
    moments = add_draws(NO_MOMENTS, values)

    for path, array in values.items():
        mean, sd = moments.pooled(path)
        np.testing.assert_allclose(mean, array.mean((0, 1)), rtol=ROUNDING)
        np.testing.assert_allclose(sd, array.std((0, 1)), rtol=1e-9)
    assert moments.count == 50


@pytest.mark.parametrize("cuts", [[1], [20, 21], [7, 30, 49]])
def test_portions_do_not_change_a_bit(values, cuts):
    edges = [0, *cuts, 50]
    moments = NO_MOMENTS
    for first, last in itertools.pairwise(edges):
        moments = add_draws(moments, {path: a[:, first:last] for path, a in values.items()})

    whole, portions = flatten(add_draws(NO_MOMENTS, values)), flatten(moments)
    assert whole.keys() == portions.keys()
    for name, array in whole.items():
        assert array.tobytes() == portions[name].tobytes()


def test_a_value_that_is_not_finite_is_not_hidden(values):
    values["x"][2, 10, 1] = np.nan

    mean, _ = add_draws(NO_MOMENTS, values).pooled("x")

    assert np.isnan(mean).tolist() == [False, True, False]
