"""Points come from data files, or from what `solve` has written."""

import json

import pytest

from ebmlang.api.points import read_point
from ebmlang.source import EbmError


def written(folder, content) -> str:
    file = folder / "p.json"
    file.write_text(json.dumps(content))
    return str(file)


def test_a_plain_file_holds_values_by_path(tmp_path):
    point = read_point(written(tmp_path, {"left": {"knee": [1, 2]}}))

    assert point["left.knee"].tolist() == [1, 2]


def test_of_a_result_the_best_design_is_taken_or_the_one_asked_for(tmp_path):
    file = written(tmp_path, {"designs": [{"variables": {"x": 1}}, {"variables": {"x": 2}}]})

    assert read_point(file) == {"x": 1}
    assert read_point(file, "2") == {"x": 2}


def test_of_an_infeasible_result_the_nearest_point_is_taken(tmp_path):
    file = written(tmp_path, {"designs": [], "nearest": {"variables": {"x": 3}}})

    assert read_point(file) == {"x": 3}


@pytest.mark.parametrize("design", ["0", "3", "-1", "one"])
def test_a_design_that_is_not_there_is_refused(tmp_path, design):
    file = written(tmp_path, {"designs": [{"variables": {"x": 1}}]})

    with pytest.raises(EbmError) as raised:
        read_point(file, design)

    assert raised.value.diagnostics[0].code == "E0710"
