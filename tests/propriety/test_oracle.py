"""The oracles of this folder agree: exact arithmetic, rays, boxes, and the meaning of the texts.

What they say of a spec is the standard that the analysis is held to, so each is checked by
another that shares nothing with it.
"""

import numpy as np
import pytest

import ebmlang
from ebmlang.api.model import Model
from ebmlang.lower.reference import evaluate
from tests.propriety.divergence import find_divergence, find_fall
from tests.propriety.elimination import has_solution, row
from tests.propriety.exact import Truth, find_truth
from tests.propriety.formulas import Affine, Array, Atom, Shape
from tests.propriety.fragment import Density, Sketch, Term, Unknown
from tests.propriety.growth import shell_ratio, slopes_along_rays
from tests.propriety.sketches import draw_cases
from tests.propriety.wild import draw_wild, read_wild

CASES = 300

STEEPNESS = 1e-6
"""A slope of E along a ray that counts as none: slopes are multiples of 1/8, and rounded."""


def test_elimination_finds_a_solution_where_there_is_one():
    triangle = [row([1, 0]), row([0, 1]), row([-1, -1], 1)]

    assert has_solution(triangle)
    assert has_solution([*triangle, row([1, 1], -1)])
    assert not has_solution([*triangle, row([1, 1], -1, strict=True)])
    assert not has_solution([*triangle, row([1, 1], -2)])


def test_the_exact_oracle_tells_a_line_from_a_point():
    x_and_y = (Unknown("x"), Unknown("y"))
    sum_only = Sketch(
        logic="product",
        unknowns=x_and_y,
        head="",
        terms=(Term("prefer", Density("normal", Affine((1, 1)), (0, 1))),),
    )
    both = Sketch(
        logic="product",
        unknowns=x_and_y,
        head="",
        terms=(*sum_only.terms, Term("prefer", Density("normal", Affine((1, -1)), (0, 1)))),
    )

    assert sum_only.branches() == [(Atom(Shape.AWAY, Affine((1, 1))),)]
    assert find_truth(sum_only) == Truth(True, True, False)
    assert find_truth(both) == Truth(True, True, True)


@pytest.mark.slow
def test_random_specs_of_the_fragment_are_improper_about_half_of_the_time():
    improper = sum(not truth.integrable for _, _, truth in draw_cases(CASES))

    assert 0.4 * CASES <= improper <= 0.6 * CASES


@pytest.mark.slow
def test_exact_arithmetic_agrees_with_the_energy_along_rays():
    for seed, sketch, truth in draw_cases(CASES):
        least = slopes_along_rays(sketch).min()

        assert (least > STEEPNESS) == truth.integrable, (seed, least, sketch.text())
        assert (least >= -STEEPNESS) == truth.bounded_below, (seed, least, sketch.text())


@pytest.mark.slow
def test_exact_arithmetic_agrees_with_the_growth_of_the_integral_over_boxes():
    """Masses of shells, each twice as large: a tube to infinity doubles them."""
    looked_at = 0
    for seed, sketch, truth in draw_cases(CASES):
        if len(sketch.unknowns) <= 2:
            looked_at += 1
            ratio = shell_ratio(sketch)
            assert ratio < 0.5 if truth.integrable else ratio > 1.5, (seed, ratio, sketch.text())
    assert looked_at > CASES / 3


def by_oracle(model: Model, unknowns: tuple[Unknown, ...], column: Array) -> float:
    point: dict[str, Array] = {}
    for variable in model.interface()["variables"]:
        path = variable["path"]
        values = [
            value
            for unknown, value in zip(unknowns, column, strict=True)
            if unknown.name.partition("[")[0] == path
        ]
        point[path] = np.reshape(values, variable["shape"])
    found = evaluate(model.program, point=point)
    return found.total if found.feasible else np.inf


def inner_points(unknowns: tuple[Unknown, ...], seed: int) -> Array:
    """Return three points in the domains, as columns."""
    rng = np.random.default_rng(seed)
    rows = []
    for unknown in unknowns:
        low = (unknown.upper or 2) - 4.0 if unknown.lower is None else unknown.lower
        high = low + 4.0 if unknown.upper is None else unknown.upper
        rows.append(rng.uniform(low, high, 3))
    return np.stack(rows)


@pytest.mark.slow
def test_the_text_of_a_spec_of_the_fragment_means_its_energy():
    for seed, sketch, _ in draw_cases(CASES):
        model = ebmlang.loads(sketch.text())
        points = inner_points(sketch.unknowns, seed)
        expected = [by_oracle(model, sketch.unknowns, column) for column in points.T]

        np.testing.assert_allclose(
            sketch.energy(points), expected, rtol=1e-9, atol=1e-12, err_msg=sketch.text()
        )


@pytest.mark.slow
def test_the_text_of_a_wild_spec_means_its_energy():
    for seed in range(CASES):
        wild = draw_wild(seed)
        model = ebmlang.loads(wild.text)
        points = inner_points(wild.unknowns, seed)
        expected = [by_oracle(model, wild.unknowns, column) for column in points.T]

        np.testing.assert_allclose(
            wild.energy(points), expected, rtol=1e-9, atol=1e-12, err_msg=wild.text
        )


X, Y, S = Unknown("x"), Unknown("y"), Unknown("s", "positive", 0)


@pytest.mark.parametrize(
    ("unknowns", "energy", "diverges", "falls"),
    [
        ((X,), "x**2", False, False),
        ((X,), "softplus(x)", True, False),
        ((X,), "softplus(x) - x / 2", False, False),
        ((X,), "cauchy(x, 0, 1)", False, False),
        ((X,), "cauchy(x, 0, 1) / 2", True, False),
        ((X,), "x**2 - x**4", True, True),
        ((S,), "log(s)", True, True),
        ((S,), "s + log(s) / 2", False, True),
        ((X, Y), "abs(x - y)", True, False),
        ((X, Y), "(x * y - 1)**2", True, False),
        ((X, Y), "(x * y - 1)**2 + 0.01 * (x**2 + y**2)", False, False),
        ((X, Y), "2 * log(norm([x, y]))", True, True),
        ((X, Y), "norm([x, y]) - 1.5 * log(norm([x, y]))", False, False),
        ((X, S), "normal(x, 0, 1) + normal(x, 1, s)", True, True),
        ((X, S), "normal(x, 0, 1) + normal(x, 1, s) + exponential(s, 1)", False, True),
    ],
)
def test_the_search_for_divergence_finds_what_is_known(
    unknowns: tuple[Unknown, ...], energy: str, diverges: bool, falls: bool
):
    read = read_wild(unknowns, [energy], [])

    assert (find_divergence(read, unknowns) is not None) == diverges
    assert (find_fall(read, unknowns) is not None) == falls
