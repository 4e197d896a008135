"""Feasible sets of tiny volume are found, whatever the energy says of where to look."""

import numpy as np
import pytest

import ebmlang
from ebmlang.runs import Designs

SPECS = {
    "an annulus": """
var x: real[2] in [-10, 10]
require ring: 4 <= norm(x) <= 4.000001
minimize low: norm(x - [9, 9])
""",
    "an annulus in six dimensions": """
var x: real[6] in [-10, 10]
require ring: 25 <= sum(x^2) <= 25.00001
minimize low: sum((x - 9)^2)
""",
    "the crossing of two annuli": """
var x: real[2] in [-10, 10]
require first: abs(norm(x) - 5) <= 1e-5
require second: abs(norm(x - [6, 0]) - 5) <= 1e-5
minimize low: x[1]
""",
    "an OR of two slivers": """
var x: real[2] in [-10, 10]
require sliver: abs(x[0] - 7 - x[1] / 3) <= 1e-6 or abs(x[0] + 7 - x[1] / 5) <= 1e-6
minimize low: norm(x)
""",
    "an OR of slivers of which one is elsewhere forbidden": """
var x: real[2] in [-10, 10]
require sliver: x[0] == 8 within 1e-6 or x[1] == -8 within 1e-6
require left: x[0] <= 7
minimize low: sum((x - [7, 9])^2)
""",
    "a corner of a box": """
var x: real[5] in [0, 1]
require corner: sum(x) >= 4.99999
minimize low: sum(x)
""",
    "a spiral": """
var r: real in [0, 10]
var a: real in [0, 20]
require spiral: r * cos(a) == 0.5 * a * cos(a) within 1e-6
require same: r * sin(a) == 0.5 * a * sin(a) within 1e-6
require out: r >= 3
minimize low: (r * cos(a) - 6)^2
""",
    "a disc in the corner of a wide box": """
var x: real[2] in [-1000, 1000]
require disc: norm(x - [777, -333]) <= 0.01
minimize low: x[0]
""",
    "a point of a sphere": """
var u: unit[3]
require north: u[2] >= 0.999999
require east: u[0] >= 0.0005
minimize low: -u[1]
""",
    "a linear system": """
var x: real[4]
require first: x[0] + 2 * x[1] - x[2] == 1 within 1e-9
require second: x[1] - x[3] == 2 within 1e-9
require third: x[0] * x[3] == -1 within 1e-9
minimize low: sum(x^2)
""",
}


def solve(name: str) -> Designs:
    return ebmlang.loads(SPECS[name]).solve(seed=0, starts=32)


@pytest.mark.slow
@pytest.mark.parametrize("name", SPECS)
def test_a_point_of_a_tiny_set_is_found(name: str) -> None:
    found = solve(name)

    assert len(found) > 0
    for design in found:
        assert all(margin >= 0 for margin in design.margins.values())


def test_both_slivers_of_an_or_are_found_at_their_nearest_points() -> None:
    """The distances of the origin to the lines x - y / 3 = 7 and x - y / 5 = -7."""
    found = solve("an OR of two slivers")

    nearest = sorted(design.energy for design in found)[:2]
    np.testing.assert_allclose(
        nearest, [7 / (1 + 1 / 9) ** 0.5, 7 / (1 + 1 / 25) ** 0.5], atol=1e-4
    )
