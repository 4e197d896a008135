"""A result is written whole, or not at all, and that it cannot be is found out first."""

import json

import numpy as np
import pytest

from ebmlang.runs.plain import make_plain, show_json
from ebmlang.runs.store import require_writable, write_atomically
from ebmlang.source import EbmError


def test_a_file_is_there_only_once_it_is_whole(tmp_path):
    file = tmp_path / "out.json"
    file.write_text("before")

    def write(path):
        path.write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_atomically(file, write)

    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]


def test_a_written_file_replaces_the_one_before(tmp_path):
    file = tmp_path / "out.json"
    file.write_text("before")

    write_atomically(file, lambda path: path.write_text("after") and None)

    assert file.read_text() == "after"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("place", ["", "nowhere/out.json", "file/out.json"])
def test_a_place_that_cannot_be_written_is_refused_beforehand(tmp_path, place):
    (tmp_path / "file").touch()

    with pytest.raises(EbmError) as raised:
        require_writable(tmp_path / place)

    assert raised.value.diagnostics[0].code == "E0804"
    assert raised.value.exit_code == 2


def test_asking_leaves_nothing_behind(tmp_path):
    require_writable(tmp_path / "out.json")

    assert list(tmp_path.iterdir()) == []


def test_numbers_that_json_does_not_know_become_null():
    value = {"a": np.array([1.0, np.nan, np.inf]), "b": -np.inf, "c": np.float32(0.5), "d": (True,)}

    assert make_plain(value) == {"a": [1.0, None, None], "b": None, "c": 0.5, "d": [True]}
    assert json.loads(show_json(value)) == make_plain(value)
