"""Forty smooth problems of Hock and Schittkowski, with one setting for all of them.

`hock_schittkowski/published.csv` has the optimum of each as published, and for comparison the best
that SciPy's SLSQP finds from sixty starts, on the same formulas in NumPy. Formulas are those of
the AMPL models of CUTE and of CUTEst's SIF files; optima are those of the book, with its closed
forms where it has them.

Source: Hock and Schittkowski, Test Examples for Nonlinear Programming Codes (1981).
"""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

import ebmlang
from ebmlang.api.compile import compile_model, lay_out
from ebmlang.solve import Solution, solve

FOLDER = Path(__file__).parent / "hock_schittkowski"

with (FOLDER / "published.csv").open() as table:
    PUBLISHED = {row["problem"]: float(row["published"]) for row in csv.DictReader(table)}

STARTS = 64

OPTIMUM = 1e-6
"""Error of the best energy, relative to its size or 1."""

FEASIBLE = 1e-8
"""Error of what is required; equalities are written with a tolerance of a tenth of it."""


def run(problem: str, seed: int = 0) -> Solution:
    module = compile_model(ebmlang.load(FOLDER / f"{problem}.ebm"))
    return solve(module.packed(), lay_out(module), seed=seed, starts=STARTS)


def test_there_are_forty() -> None:
    assert sorted(PUBLISHED) == sorted(path.stem for path in FOLDER.glob("*.ebm"))
    assert len(PUBLISHED) == 40


@pytest.mark.slow
@pytest.mark.parametrize("problem", PUBLISHED)
def test_the_published_optimum_is_reached_and_feasible(problem: str) -> None:
    found = run(problem)

    best = float(found.energies[0])
    published = PUBLISHED[problem]
    assert abs(best - published) <= OPTIMUM * max(1, abs(published))
    assert bool(found.feasible[0])
    assert bool(found.converged[0])


def test_an_equality_is_met_to_its_tolerance_by_its_two_sides() -> None:
    """Problem 14: x - 2 y = -1 and x^2 / 4 + y^2 <= 1, both active."""
    x, y = run("hs014").points[0].tolist()

    assert abs(x - 2 * y + 1) <= FEASIBLE
    assert x**2 / 4 + y**2 <= 1 + FEASIBLE
    np.testing.assert_allclose([x, y], [(7**0.5 - 1) / 2, (7**0.5 + 1) / 4], atol=1e-7)


OR_OF_EQUALITIES = """
var x: real[2] in [-5, 5]
require either: x[0] + x[1] == 3 within 1e-9 or (x[0] == -1 within 1e-9 and x[1] <= 1)
minimize far: (x[0] + 2)^2 + (x[1] - 4)^2
"""


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_equalities_inside_an_or_get_multipliers_too(seed: int) -> None:
    """The projection onto the line is at 1/2; that onto the half-line, (-1, 1), at 1 + 9."""
    module = compile_model(ebmlang.loads(OR_OF_EQUALITIES))

    found = solve(module.packed(), lay_out(module), seed=seed, starts=64)

    assert float(found.energies[0]) == pytest.approx(0.5, abs=1e-7)
    assert float(found.energies[1]) == pytest.approx(10, abs=1e-6)
    torch.testing.assert_close(
        found.points[1], torch.tensor([-1.0, 1.0]).double(), atol=1e-6, rtol=0
    )
