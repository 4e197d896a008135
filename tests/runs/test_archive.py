"""Archives keep every bit, are the same whenever they are written, and are read in parts."""

import time

import numpy as np
import pytest

from ebmlang.runs.archive import map_archive, write_archive

ARRAYS = {
    "file": np.arange(12, dtype=np.float32).reshape(3, 4).T,
    "stats/left.x": np.array([np.nan, -0.0, np.inf]),
    "count": np.array(3),
    "nothing": np.empty((2, 0, 3)),
    "flags": np.array([[True, False]]),
}


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "a.npz"
    write_archive(path, ARRAYS)
    return path


def test_every_bit_comes_back_under_every_name(archive):
    found = map_archive(archive)

    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes()


def test_numpy_reads_it_too(archive):
    with np.load(archive) as found:
        np.testing.assert_array_equal(found["file"], ARRAYS["file"])


def test_the_bytes_do_not_depend_on_the_time(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 2e9)
    write_archive(tmp_path / "b.npz", ARRAYS)

    assert archive.read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.99])
def test_an_archive_that_was_cut_short_is_not_read(archive, share):
    data = archive.read_bytes()
    archive.write_bytes(data[: int(share * len(data))])

    with pytest.raises(ValueError):  # noqa: PT011  the words are those of zipfile
        map_archive(archive)


def test_a_pickle_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="Object arrays"):
        write_archive(tmp_path / "a.npz", {"x": np.array([{}], dtype=object)})
