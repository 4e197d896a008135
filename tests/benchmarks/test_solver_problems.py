"""What peers of `ebm solve` get is what the specs say."""

import numpy as np
import pytest
import torch
from scipy.optimize import approx_fprime

import ebmlang
from benchmarks.solver_problems import BOXES, PROBLEMS

POINTS = 20


def _points(problem):
    rng = np.random.default_rng(1)
    return rng.uniform(problem.lower, problem.upper, (POINTS, len(problem.lower)))


def test_the_boxes_by_hand_are_the_boxes_of_the_spec():
    problem = PROBLEMS["boxes 12"]()
    points = _points(problem)

    energy = ebmlang.loads(BOXES).compile().packed().energy(torch.tensor(points))

    expected = energy.numpy()
    assert np.allclose([problem.value(x) for x in points], expected, rtol=1e-9)
    assert np.allclose(problem.batch(torch.tensor(points)).numpy(), expected, rtol=1e-9)


@pytest.mark.parametrize("name", PROBLEMS)
def test_slopes_by_hand_are_those_of_differences(name):
    problem = PROBLEMS[name]()
    # Inside, and for clusters with no two atoms on top of each other.
    points = [x for x in _points(problem) if problem.value(x) < 1e4][:3] or _points(problem)[:1]

    for x in points:
        differences = approx_fprime(x, problem.value, 1e-7 * np.maximum(1.0, np.abs(x)))
        scale = np.abs(differences).max() + 1.0
        assert np.abs(problem.slope(x) - differences).max() < 1e-4 * scale
