"""Answers by row in files: whole lines only, whatever happens."""

import csv
import resource
import signal
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ebmlang.runs.answer_file import open_answers
from ebmlang.runs.answers import Answers, RowStatus
from ebmlang.source import EbmError


def make_answers(rows: int, first: int = 0) -> Answers:
    numbers = np.arange(first, first + rows, dtype=np.float64)
    return Answers(
        first=first,
        status=np.full(rows, RowStatus.SOLVED, dtype=np.uint8),
        energy=numbers / 3,
        feasible=np.ones(rows, dtype=np.bool_),
        converged=np.ones(rows, dtype=np.bool_),
        variables={"x": numbers, "y": np.stack([numbers, -numbers], 1)},
        reports={"m": np.zeros((rows, 1, 2))},
        reason="",
        interrupted=False,
        seed=0,
        starts=1,
        versions={},
    )


def test_a_table_grows_by_chunks_and_reads_back_bit_for_bit(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text("what was there before")
    file = open_answers(path)

    file.add(make_answers(3))
    after_one = path.read_text().splitlines()
    file.add(make_answers(2, first=3))

    with path.open(newline="") as text:
        rows = list(csv.DictReader(text))
    assert len(after_one) == 4
    assert list(rows[0]) == [
        *("row", "status", "energy", "feasible", "converged"),
        *("x", "y[0]", "y[1]", "m[0,0]", "m[0,1]"),
    ]
    assert [int(row["row"]) for row in rows] == [0, 1, 2, 3, 4]
    assert [float(row["energy"]) for row in rows] == [n / 3 for n in range(5)]
    assert [float(row["y[1]"]) for row in rows] == [0, -1, -2, -3, -4]
    assert {row["status"] for row in rows} == {"solved"}


def test_an_archive_holds_arrays_by_path(tmp_path):
    path = tmp_path / "answers.npz"
    whole = make_answers(4)

    file = open_answers(path)
    file.add(whole)
    file.close(whole)

    with np.load(path) as found:
        np.testing.assert_array_equal(found["y"], whole.variables["y"])
        assert found["status"].tolist() == ["solved"] * 4


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files as Linux does")
def test_a_full_disk_leaves_the_chunks_before_it_whole(tmp_path):
    path = tmp_path / "answers.csv"
    file = open_answers(path)
    file.add(make_answers(50))
    whole = path.read_bytes()
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 100, former[1]))

    try:
        with pytest.raises(EbmError) as raised:
            file.add(make_answers(50, first=50))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
        signal.signal(signal.SIGXFSZ, handler)

    assert raised.value.diagnostics[0].code == "E0805"
    assert "first 50 rows" in raised.value.diagnostics[0].notes[0]
    assert path.read_bytes() == whole


@pytest.mark.parametrize("name", ["answers.txt", "nowhere/answers.csv"])
def test_a_place_that_cannot_hold_a_table_is_refused(tmp_path, name):
    with pytest.raises(EbmError) as raised:
        open_answers(Path(tmp_path, name))

    assert raised.value.diagnostics[0].code == "E0804"


def test_outcomes_are_counted_and_found_by_the_numbers_of_rows():
    answers = make_answers(4, first=10)
    status = np.array(
        [RowStatus.SOLVED, RowStatus.BAD_DATA, RowStatus.SOLVED, RowStatus.INFEASIBLE],
        dtype=np.uint8,
    )

    answers = replace(answers, status=status)

    assert answers.count(RowStatus.SOLVED) == 2
    assert answers.find(RowStatus.BAD_DATA).tolist() == [11]
    assert answers.describe()["outcomes"] == {"solved": 2, "infeasible": 1, "bad data": 1}
