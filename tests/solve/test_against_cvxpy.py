"""Convex specs against CVXPY: the same optimum, and the verdict that it is global."""

import pytest

from ebmlang.api.load import loads
from ebmlang.runs.certainty import Sureness
from tests.solve.convex_problems import FAMILIES, draw_numbers

SAME = 1e-6
"""Difference of the optima, relative to the larger of 1 and the optimum."""


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", FAMILIES)
def test_a_convex_spec_has_the_optimum_that_cvxpy_finds(name: str, seed: int) -> None:
    family, numbers = FAMILIES[name], draw_numbers(seed)
    expected = family.solve(numbers)

    found = loads(family.write(numbers)).solve(device="cpu")

    assert abs(found[0].energy - expected) <= SAME * max(abs(expected), 1)
    assert found.certainty is not None
    assert found.certainty.sureness is Sureness.GLOBAL
    assert "global minimum (convex" in found.certainty.words
    assert found[0].energy - expected <= found.certainty.gap + SAME * max(abs(expected), 1)
