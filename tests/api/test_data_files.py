"""Data files give arrays by name, or say what is wrong with them."""

import json

import numpy as np
import pytest

from ebmlang.api.data_files import read_data
from ebmlang.source import EbmError


def written(folder, name: str, content: str | bytes):
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def test_json_gives_arrays_by_name_and_nested_objects_give_paths(tmp_path):
    file = written(tmp_path, "d.json", '{"y": [[1, 2], [3, 4.5]], "left": {"k": 2}, "on": true}')

    data = read_data(file)

    np.testing.assert_array_equal(data["y"], [[1, 2], [3, 4.5]])
    assert data["left.k"] == 2
    assert data["on"].dtype == bool


def test_npz_gives_its_arrays(tmp_path):
    np.savez(tmp_path / "d.npz", y=np.arange(3), k=2.5)

    data = read_data(tmp_path / "d.npz")

    np.testing.assert_array_equal(data["y"], [0, 1, 2])
    assert data["k"] == 2.5


def test_csv_gives_a_column_for_each_name_of_its_header(tmp_path):
    data = read_data(written(tmp_path, "d.csv", "y, group\r\n1.5,0\r\n2,1\r\n\r\n"))

    np.testing.assert_array_equal(data["y"], [1.5, 2])
    assert data["group"].dtype.kind == "i"


def test_an_empty_cell_is_a_missing_number(tmp_path):
    data = read_data(written(tmp_path, "d.csv", "y,z\n1,\n"))

    assert np.isnan(data["z"]).all()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("d.txt", "1 2 3"),
        ("d.json", "{"),
        ("d.json", "[1, 2]"),
        ("d.json", '{"y": [1, [2, 3]]}'),
        ("d.json", '{"y": "three"}'),
        ("d.json", '{"y": [1, null]}'),
        ("d.json", '{"y": ' + "[" * 100_000 + "1" + "]" * 100_000 + "}"),
        ("d.json", b"\xff\xfe\x00"),
        ("d.npz", b"PK not an archive"),
        ("d.csv", ""),
        ("d.csv", "1,2\n3,4\n"),
        ("d.csv", "y,y\n1,2\n"),
        ("d.csv", "y,z\n1\n"),
        ("d.csv", "y\nthree\n"),
        ("d.csv", b"y\n\xff\n"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(tmp_path, name, content):
    with pytest.raises(EbmError) as raised:
        read_data(written(tmp_path, name, content))

    assert raised.value.diagnostics[0].code == "E0803"
    assert raised.value.exit_code == 2


def test_a_pickle_in_an_archive_is_never_opened(tmp_path):
    np.savez(tmp_path / "d.npz", y=np.array([{"a": 1}], dtype=object))

    with pytest.raises(EbmError) as raised:
        read_data(tmp_path / "d.npz")

    assert raised.value.diagnostics[0].code == "E0803"


def test_a_missing_data_file_is_reported(tmp_path):
    with pytest.raises(EbmError) as raised:
        read_data(tmp_path / "d.json")

    assert raised.value.diagnostics[0].code == "E0801"


def test_what_json_holds_is_what_comes_out(tmp_path):
    values = {"a": [1.5, -2.0], "b": [[1, 2], [3, 4]]}

    data = read_data(written(tmp_path, "d.json", json.dumps(values)))

    assert {name: array.tolist() for name, array in data.items()} == values
