import json

import numpy as np
import pytest

from ebmlang.api.load import loads
from ebmlang.cli.tables import draw_designs
from ebmlang.plot.solved import read_designs, take_designs
from ebmlang.runs.plain import show_json

SPEC = """
var x: real[2] in [0, 1]
require low: x[0] <= 0.5
prefer high: x[1] >= 0.25 within 0.1
minimize cost: x[0]^2 + (x[1] - 0.1)^2
report both_path = [x, x]
"""


@pytest.fixture(scope="module")
def designs():
    return loads(SPEC, name="small.ebm").solve(starts=8, seed=0)


def test_what_was_written_is_what_is_read(designs):
    run = read_designs(json.loads(show_json(designs.describe())))

    assert run.count == len(designs)
    np.testing.assert_allclose(run.energies, [one.energy for one in designs])
    np.testing.assert_allclose(run.variables["x"], [one.variables["x"] for one in designs])
    np.testing.assert_allclose(run.margins["low"], [one.margins["low"] for one in designs])
    assert set(run.terms) == {"high", "cost"}
    assert run.reports["both_path"].shape == (len(designs), 2, 2)


def test_designs_of_this_process_are_read_as_those_of_a_file(designs):
    taken, read = take_designs(designs), read_designs(json.loads(show_json(designs.describe())))

    np.testing.assert_array_equal(taken.energies, read.energies)
    np.testing.assert_array_equal(taken.end_energies, read.end_energies)


def test_every_start_has_an_end_and_the_best_of_them_is_the_best_design(designs):
    run = take_designs(designs)

    assert len(run.end_energies) == len(run.end_feasible) == designs.starts
    assert run.end_energies[run.end_feasible].min() == pytest.approx(designs[0].energy, abs=1e-12)


def test_without_a_design_the_nearest_point_is_read():
    nearest = {"energy": 2.0, "margins": {"a": -1.0}, "variables": {"x": 3.0}}

    run = read_designs({"status": "infeasible", "designs": [], "nearest": nearest})

    assert run.nearest
    assert run.margins["a"].tolist() == [-1.0]


@pytest.mark.parametrize(
    "described",
    [{}, {"designs": 3}, {"designs": [1, 2]}, {"variables": {"x": [[1.0]]}}],
    ids=["empty", "a number", "numbers", "draws"],
)
def test_what_is_no_result_is_not_read_as_one(described):
    assert read_designs(described) is None


def test_what_is_not_of_one_form_at_all_designs_is_left_out():
    designs = [
        {"energy": None, "variables": {"x": [1, 2], "y": "word", "z": None}, "margins": 4},
        {"energy": 2.0, "variables": {"x": [1, None], "z": 1.0, "y": 2}, "margins": {"a": 1.0}},
    ]

    run = read_designs({"designs": designs, "ends": {"energies": [1, 2], "feasible": [True]}})

    assert set(run.variables) == {"x", "z"}
    assert np.isnan(run.energies[0])
    assert np.isnan(run.variables["x"][1, 1])
    assert run.margins == {}
    assert run.end_energies.tolist() == [1.0]


def test_tables_leave_curves_to_pictures(designs):
    titles = [column.header for column in draw_designs(designs).columns]

    assert titles == ["design", "energy", "x", "starts"]
