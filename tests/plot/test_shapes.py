import numpy as np
import pytest

from ebmlang.plot.shapes import Form, find_shapes

AXIS = np.linspace(0, 1, 5)
CIRCLE = np.stack([np.cos(2 * np.pi * AXIS), np.sin(2 * np.pi * AXIS)], axis=-1)


def forms(variables=None, reports=None, wanted=()):
    found = find_shapes(variables or {}, reports or {}, wanted)
    return {shape.name: shape.form for shape in found}


def test_a_report_that_is_called_a_path_is_a_curve():
    assert forms(reports={"arm_path": CIRCLE[None]}) == {"arm_path": Form.CURVE}


def test_many_curves_of_one_report_are_lines_of_their_own():
    (shape,) = find_shapes({}, {"arm_path": np.stack([CIRCLE, 2 * CIRCLE])[None]})

    assert shape.lines.shape == (1, 2, 5, 2)


def test_a_report_of_pairs_that_is_no_path_is_points():
    assert forms(reports={"goals": CIRCLE[None]}) == {"goals": Form.POINTS}


def test_atoms_are_points_in_space():
    assert forms({"atoms": np.zeros((2, 7, 3))}) == {"atoms": Form.SPACE}


def test_a_path_of_single_numbers_is_a_graph_over_its_places():
    (shape,) = find_shapes({}, {"level_path": np.array([[3.0, 4.0, 5.0]])})

    assert shape.form is Form.GRAPH
    np.testing.assert_array_equal(shape.lines[0, 0], [[0, 3], [1, 4], [2, 5]])


def test_a_path_over_the_same_axis_at_all_designs_is_a_graph():
    first = np.stack([AXIS**2, AXIS], axis=-1)
    second = np.stack([AXIS**2, -AXIS], axis=-1)

    assert forms(reports={"gain_path": np.stack([first, second])}) == {"gain_path": Form.GRAPH}


@pytest.mark.parametrize(
    "lines",
    [
        [np.stack([AXIS, AXIS], axis=-1), np.stack([2 * AXIS, AXIS], axis=-1)],
        [np.stack([AXIS**2, AXIS], axis=-1)],
        [np.stack([-AXIS, AXIS], axis=-1)],
    ],
    ids=["its axis differs", "its one axis is uneven", "it goes backwards"],
)
def test_a_path_without_an_axis_of_its_own_is_a_curve(lines):
    assert forms(reports={"way_path": np.stack(lines)}) == {"way_path": Form.CURVE}


def test_reports_come_before_variables():
    variables, reports = {"at": np.zeros((2, 2))}, {"bond_path": np.stack([CIRCLE, CIRCLE])}

    assert set(forms(variables, reports)) == {"bond_path"}
    assert set(forms(variables)) == {"at"}


def test_a_pair_among_reports_is_two_numbers():
    """A pair of lengths is no point; among unknowns, a pair mostly is one."""
    assert forms(reports={"lengths": np.zeros((2, 2))}) == {}


def test_what_is_asked_for_is_drawn_beside_reports():
    variables, reports = {"at": np.zeros((2, 4, 2))}, {"bond_path": np.stack([CIRCLE, CIRCLE])}

    assert set(forms(variables, reports, ["at"])) == {"at"}


def test_what_is_nowhere_finite_has_no_shape():
    assert forms(reports={"arm_path": np.full((1, 5, 2), np.nan)}) == {}
