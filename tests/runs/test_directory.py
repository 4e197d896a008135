"""The folder of a run says what it is, and what is wrong with it."""

import itertools
import json
import math

import numpy as np
import pytest

from ebmlang.runs import values
from ebmlang.runs.archive import write_archive
from ebmlang.runs.directory import (
    DATA,
    DIVERGENCES,
    VERDICT,
    RunDirectory,
    is_run,
    name_chunk,
    open_run,
    require_new_run,
)
from ebmlang.runs.manifest import NAME, SCHEMA, Manifest, Session, Settings, hash_arrays
from ebmlang.runs.overview import compare_runs, list_runs, look_at
from ebmlang.runs.plain import show_json
from ebmlang.runs.sink import create_run
from ebmlang.source import EbmError

SETTINGS = Settings(
    seed=1,
    chains=2,
    warmup=10,
    draws=5,
    thin=1,
    method="hmc",
    precision="float64",
    accept_unreliable=False,
)


def manifest(**changed):
    session = Session(iteration=0, device="cpu", versions={"torch": "2"})
    plain = {
        "spec": {"name": "a.ebm", "text": "", "constants": {}, "imports": []},
        "spec_hash": "aa",
        "data_hash": hash_arrays({}),
        "weights": {"low": 0.1},
        "functions": ("f",),
        "settings": SETTINGS,
        "sessions": (session,),
    }
    return Manifest(**(plain | changed))


def write_chunk(path, first, count):
    numbers = np.arange(first, first + count) * np.ones((2, 1))
    arrays = {
        "variables/x": np.stack([numbers, -numbers], axis=-1),
        "stats/energy": numbers,
        DIVERGENCES: np.zeros((1, 2)),
    }
    write_archive(path / name_chunk(first), arrays)


@pytest.fixture
def run(tmp_path):
    return create_run(tmp_path / "a.run", manifest(), {"y": np.array([1, 2])})


def refusal(call, *arguments):
    with pytest.raises(EbmError) as raised:
        call(*arguments)
    (diagnostic,) = raised.value.diagnostics
    return diagnostic.code, diagnostic.headline


def test_what_a_run_is_of_comes_back_as_it_was(run):
    assert open_run(run.path).manifest == manifest()
    np.testing.assert_array_equal(open_run(run.path).read_data()["y"], [1, 2])
    assert sorted(file.name for file in run.path.iterdir()) == [DATA, NAME]


def test_two_runs_of_the_same_have_the_same_manifest(run, tmp_path):
    create_run(tmp_path / "b.run", manifest(), {})

    assert (run.path / NAME).read_bytes() == (tmp_path / "b.run" / NAME).read_bytes()


@pytest.mark.parametrize("cuts", [(1, 6), (1, 4, 5, 6)])
def test_chunks_are_one_run_however_they_are_cut(run, cuts):
    for first, following in itertools.pairwise(cuts):
        write_chunk(run.path, first, following - first)

    stored = open_run(run.path).values

    assert open_run(run.path).draws == 5
    assert list(stored.quantities) == ["energy", "x"]
    np.testing.assert_array_equal(stored.stats["energy"], [[1, 2, 3, 4, 5]] * 2)
    np.testing.assert_array_equal(stored.variables["x"][:, :, 1], [[-1, -2, -3, -4, -5]] * 2)


def test_what_stands_after_a_gap_is_not_of_the_run(run):
    for first in (1, 3, 6):
        write_chunk(run.path, first, 2)

    assert open_run(run.path).draws == 4


def test_a_run_without_draws_is_empty(run):
    assert open_run(run.path).draws == 0
    assert list(open_run(run.path).values.variables) == []
    assert open_run(run.path).read_verdict() is None


def test_what_is_too_large_is_read_scalar_by_scalar(run, monkeypatch):
    write_chunk(run.path, 1, 3)
    write_chunk(run.path, 4, 2)
    whole = open_run(run.path).values.variables["x"]
    monkeypatch.setattr(values, "LARGEST_WHOLE", 10)

    quantities = open_run(run.path).values.quantities

    assert list(quantities) == ["energy", "x[0]", "x[1]"]
    for place in (0, 1):
        np.testing.assert_array_equal(quantities[f"x[{place}]"], whole[:, :, place])


def test_draws_are_mapped_and_not_read_where_they_are_in_one_piece(run):
    write_chunk(run.path, 1, 5)

    assert isinstance(open_run(run.path).values.variables["x"], np.memmap)


BROKEN = {
    "no folder": ("rmdir", "there is no such folder"),
    "nothing in it": ("", "there is no `run.json`"),
    "half a manifest": ('{"schema": 1, "spec"', "not what `ebm sample` has written"),
    "another file": ('{"schema": 1, "a": 2}', "not what `ebm sample` has written"),
    "a list": ("[]", "not what `ebm sample` has written"),
    "of the future": (json.dumps({"schema": SCHEMA + 1}), f"it is of form {SCHEMA + 1}"),
}


@pytest.mark.parametrize(("text", "words"), BROKEN.values(), ids=BROKEN)
def test_a_folder_that_is_no_run_is_refused(tmp_path, text, words):
    path = tmp_path / "a.run"
    if text != "rmdir":
        path.mkdir()
    if text not in ("rmdir", ""):
        (path / NAME).write_text(text)

    code, headline = refusal(open_run, path)

    assert code == "E0806"
    assert words in headline


@pytest.mark.parametrize(
    ("name", "read"),
    [
        (name_chunk(1), lambda run: run.draws),
        (DATA, RunDirectory.read_data),
        (VERDICT, RunDirectory.read_verdict),
    ],
)
def test_a_file_that_was_changed_is_named(run, name, read):
    (run.path / name).write_bytes(b"{")

    code, headline = refusal(read, open_run(run.path))

    assert code == "E0806"
    assert f"`{name}`" in headline


def test_a_new_run_takes_no_place_that_is_taken(run, tmp_path):
    (tmp_path / "other.run").mkdir()

    there = refusal(require_new_run, run.path)
    other = refusal(require_new_run, tmp_path / "other.run")
    nowhere = refusal(require_new_run, tmp_path / "nowhere" / "a.run")

    assert "there is a run in it already" in there[1]
    assert "no run" in other[1]
    assert "there is no folder" in nowhere[1]
    assert {there[0], other[0], nowhere[0]} == {"E0804"}


def test_asking_whether_a_run_can_be_made_leaves_nothing_behind(tmp_path):
    require_new_run(tmp_path / "a.run")

    assert list(tmp_path.iterdir()) == []


def test_a_run_is_known_by_its_name_or_by_what_is_in_it(run, tmp_path):
    run.path.rename(tmp_path / "moved")

    assert is_run(tmp_path / "moved")
    assert is_run(tmp_path / "nowhere.run")
    assert not is_run(tmp_path)


def test_data_of_another_kind_or_shape_has_another_hash():
    arrays = [
        {"y": np.zeros(2)},
        {"y": np.zeros((2, 1))},
        {"y": np.zeros(2, dtype=np.float32)},
        {"z": np.zeros(2)},
        {"y": np.array([0.0, -0.0])},
        {"y": np.zeros(2), "z": np.zeros(0)},
    ]

    assert len({hash_arrays(one) for one in arrays}) == len(arrays)
    assert hash_arrays({"a": np.ones(1), "b": np.zeros(1)}) == hash_arrays(
        {"b": np.zeros(1), "a": np.ones(1)}
    )


def write_verdict(run, mean, mcse, ess, seconds):
    row = {"name": "x", "mean": mean, "sd": 1.0, "mcse": mcse, "ess_bulk": ess}
    verdict = {"status": "trusted", "summary": [row], "seconds": {"warmup": 1, "draws": seconds}}
    (run.path / VERDICT).write_text(show_json(verdict))


def test_runs_are_listed_by_name_with_how_far_they_are(run, tmp_path):
    create_run(tmp_path / "b.run", manifest(), {})
    write_chunk(run.path, 1, 3)
    write_verdict(run, 1.0, 0.1, 100, 2)
    (tmp_path / "broken.run").mkdir()

    found = list_runs(tmp_path)

    assert [(one.path.name, one.draws, one.status) for one in found] == [
        ("a.run", 3, "trusted"),
        ("b.run", 0, "unfinished"),
    ]
    assert look_at(run).describe()["wanted"] == 5


def test_two_runs_are_compared_in_their_own_errors(run, tmp_path):
    other = create_run(tmp_path / "b.run", manifest(spec_hash="bb"), {})
    write_verdict(run, 1.0, 0.3, 100, 2)
    write_verdict(other, 2.0, 0.4, 400, 4)

    comparison = compare_runs(run, other)

    (one,) = comparison.quantities
    assert one.z == pytest.approx(1 / 0.5)
    assert one.efficiency == pytest.approx(math.log(2))
    assert comparison.differences == {"spec": ("a.ebm aa", "a.ebm bb")}


def test_a_quantity_without_an_error_has_no_score(run, tmp_path):
    other = create_run(tmp_path / "b.run", manifest(), {})
    for one in (run, other):
        write_verdict(one, 1.0, math.nan, math.nan, 1)

    (compared,) = compare_runs(run, other).quantities

    assert math.isnan(compared.z)
    assert math.isnan(compared.efficiency)


def test_a_run_without_a_verdict_is_not_compared(run, tmp_path):
    other = create_run(tmp_path / "b.run", manifest(), {})
    write_verdict(run, 1.0, 0.1, 100, 1)

    code, headline = refusal(compare_runs, run, other)

    assert code == "E0809"
    assert "0 of 5 draws" in headline
