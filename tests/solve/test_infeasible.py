"""Specs that nothing satisfies: exit code 3, the conflict by name, and the nearest point."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

import ebmlang.cli.solve
from tests.cli.run import ebm


@dataclass(frozen=True)
class Infeasible:
    """A spec with a planted conflict.

    Attributes:
        text: The spec.
        conflict: The requirements of the only smallest conflict.
        nearest: The largest violation where the sum of their squares is least, in tolerances.
    """

    text: str
    conflict: set[str]
    nearest: float


SPECS = {
    "a plane between two half-planes": Infeasible(
        """
var x: real[2] in [-10, 10]
require right: x[0] + x[1] >= 3
require left: x[0] + x[1] <= 1
require idle: x[0] <= 9
minimize low: x[0]^2
""",
        {"right", "left"},
        1.0,
    ),
    "two discs apart": Infeasible(
        """
var p: real[2] in [-5, 5]
require here: norm(p - [0, 0]) <= 1
require there: norm(p - [4, 0]) <= 1
require idle: p[1] <= 4
minimize low: p[1]^2
""",
        {"here", "there"},
        1.0,
    ),
    "points that do not fit into an interval": Infeasible(
        """
var x: real[3] in [0, 1]
require spread: forall a, b in pairs(x): abs(a - b) >= 0.6
require idle: x[0] <= 2
minimize low: x[0]
""",
        {"spread"},
        0.1,
    ),
    "an equality that a wave does not reach": Infeasible(
        """
var x: real[2] in [0, 1]
# The sine of 4 (x[0] + x[1]).
require total: sin(4 * x[0]) * cos(4 * x[1]) + cos(4 * x[0]) * sin(4 * x[1]) == 2 within 0.1
require idle: x[1] >= x[0] - 1
minimize low: x[1]
""",
        {"total"},
        (2 - 1) / 0.1 - 1,
    ),
    "two equalities": Infeasible(
        """
var x: real
var y: real
require first: x - y == 1 within 0.25
require second: x - y == 2 within 0.25
require idle: x + y >= -1
minimize low: x^2 + y^2
""",
        {"first", "second"},
        1.0,
    ),
    "a triangle of three": Infeasible(
        """
var x: real[3]
require ab: x[1] >= x[0] + 1
require bc: x[2] >= x[1] + 1
require ca: x[0] >= x[2] + 1
require idle: x[0] <= 100
minimize low: sum(x^2)
""",
        {"ab", "bc", "ca"},
        1.0,
    ),
    "both branches of an OR excluded": Infeasible(
        """
var x: real in [-10, 10]
require side: x <= -2 or x >= 2
require middle: abs(x) <= 1
require idle: x >= -9
minimize low: x^2
""",
        {"side", "middle"},
        0.5,
    ),
    "an implication and its opposite": Infeasible(
        """
var x: real in [-10, 10]
var y: real in [-10, 10]
require rule: x >= 0 implies y >= 4
require high: x >= 1
require flat: y <= 2
minimize low: x^2
""",
        {"rule", "high", "flat"},
        0.5,
    ),
    "a product that is too large for its sum": Infeasible(
        """
var x: real in [0, 10]
var y: real in [0, 10]
require product: x * y >= 4
require total: x + y <= 3
minimize low: x
""",
        {"product", "total"},
        2 * float(np.roots([1, 0, -2, -3])[0].real) - 3,
    ),
    "a point of a sphere above it": Infeasible(
        """
var u: unit[3]
require high: u[2] >= 0.9
require east: u[0] >= 0.9
require idle: u[1] <= 2
minimize low: u[1]
""",
        {"high", "east"},
        0.9 - 0.5**0.5,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SPECS)
def test_the_conflict_is_named_and_the_nearest_point_shown(capsys, tmp_path, monkeypatch, name):
    # However busy the machine is that the tests run on.
    monkeypatch.setattr(ebmlang.cli.solve, "CONFLICT_SECONDS", 300.0)
    planted = SPECS[name]
    file = tmp_path / "never.ebm"
    file.write_text(planted.text)

    outcome = ebm(capsys, "solve", file, "--starts", 16, "--json")

    assert outcome.code == 3, outcome.err
    found = json.loads(outcome.out)
    assert found["status"] == "infeasible"
    assert {member["path"] for member in found["conflict"]["members"]} == planted.conflict
    margins = found["nearest"]["margins"]
    assert -min(margins.values()) == pytest.approx(planted.nearest, rel=0.02)
