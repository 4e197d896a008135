"""`ebm runs` and `ebm sample --resume`, as they are typed."""

import json
import os
import signal
import sys
import time

import numpy as np
import pytest

from ebmlang.runs.directory import VERDICT, open_run
from tests.cli.run import ebm, start

SPEC = "given m: real\nvar x: real[2] ~ normal(m, 1)\nreport gap = x[0] - x[1]\n"
FEW = ("--chains", "4", "--draws", "40", "--warmup", "40", "--method", "hmc")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a spec and two runs of it."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "bell.ebm").write_text(SPEC)
    from ebmlang.cli.main import main

    for seed, name in enumerate(("a.run", "b.run")):
        out = ("--out", str(folder / name), "--seed", str(seed))
        assert main(
            ["sample", str(folder / "bell.ebm"), "--set", "m=2", *FEW, *out, "--quiet"]
        ) in (
            0,
            3,
        )
    return folder


def test_runs_of_a_folder_are_listed(capsys, folder):
    outcome = ebm(capsys, "runs", folder)
    plain = json.loads(ebm(capsys, "runs", folder, "--json").out)

    assert outcome.code == 0
    assert " a.run " in outcome.out
    assert "40 of 40" in outcome.out
    assert [run["seed"] for run in plain["runs"]] == [0, 1]


def test_a_folder_without_runs_says_so(capsys, tmp_path):
    assert "no runs" in ebm(capsys, "runs", tmp_path).out


def test_a_run_is_shown_with_its_quantities(capsys, folder):
    outcome = ebm(capsys, "runs", "show", folder / "a.run")
    plain = json.loads(ebm(capsys, "runs", "show", folder / "a.run", "--json").out)

    assert outcome.code == 0
    for name in ("energy", "x[0]", "x[1]", "gap"):
        assert f" {name} " in outcome.out
    assert plain["draws"] == 40
    assert {row["name"] for row in plain["summary"]} == {"energy", "x[0]", "x[1]", "gap"}


def test_a_run_that_has_not_ended_shows_its_means_so_far(capsys, folder):
    ended = json.loads(ebm(capsys, "runs", "show", folder / "b.run", "--json").out)
    verdict = folder / "b.run" / VERDICT
    kept = verdict.read_bytes()
    verdict.unlink()

    plain = json.loads(ebm(capsys, "runs", "show", folder / "b.run", "--json").out)
    verdict.write_bytes(kept)

    assert plain["status"] == "unfinished"
    means, wanted = (
        {row["name"]: (row["mean"], row["sd"]) for row in shown["summary"]}
        for shown in (plain, ended)
    )
    assert means.keys() == wanted.keys()
    for name, pair in means.items():
        assert pair == pytest.approx(wanted[name], rel=1e-9)


def test_two_runs_stand_side_by_side(capsys, folder):
    outcome = ebm(capsys, "runs", "compare", folder / "a.run", folder / "b.run")
    plain = json.loads(
        ebm(capsys, "runs", "compare", folder / "a.run", folder / "b.run", "--json").out
    )

    assert outcome.code == 0
    assert list(plain["differences"]) == ["seed"]
    assert {one["name"] for one in plain["quantities"]} == {"energy", "x[0]", "x[1]", "gap"}
    for one in plain["quantities"]:
        assert one["z"] == pytest.approx(
            (one["means"][1] - one["means"][0]) / np.hypot(*one["errors"])
        )


@pytest.mark.parametrize("ending", ["nc", "npz", "json", "zarr"])
def test_a_run_is_written_in_every_other_format(capsys, folder, tmp_path, ending):
    out = tmp_path / f"a.{ending}"

    outcome = ebm(capsys, "runs", "export", folder / "a.run", out)

    assert outcome.code == 0
    assert out.exists()
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_points_of_a_run_are_explained_from_its_folder(capsys, folder):
    outcome = ebm(
        capsys, "explain", folder / "bell.ebm", "--set", "m=2", "--run", folder / "a.run", "--json"
    )

    assert outcome.code == 0
    assert json.loads(outcome.out)["points"] == 160
    assert json.loads(outcome.out)["stale"] is False


WRONG = {
    "one run to compare": (["runs", "compare", "A"], "E0904"),
    "no such verb": (["runs", "frob", "A"], "E0904"),
    "no such folder": (["runs", "nowhere"], "E0801"),
    "no such run": (["runs", "show", "nowhere.run"], "E0806"),
    "a run there already": (["sample", "SPEC", "--set", "m=2", "--out", "A"], "E0804"),
    "nothing to do": (["sample"], "E0904"),
    "another seed": (["sample", "--resume", "A", "--seed", "7"], "E0904"),
    "data without a spec": (["sample", "--resume", "A", "--set", "m=2"], "E0904"),
    "a run into another": (["sample", "--resume", "A", "--out", "DIR/c.run"], "E0904"),
    "other data": (["sample", "SPEC", "--set", "m=3", "--resume", "A"], "E0807"),
    "fewer draws": (["sample", "--resume", "A", "--draws", "7"], "E0903"),
    "a file as a run": (["sample", "--resume", "SPEC"], "E0806"),
}


@pytest.mark.parametrize(("arguments", "code"), WRONG.values(), ids=WRONG)
def test_wrong_usage_is_one_message(capsys, folder, tmp_path, arguments, code):
    names = {"A": folder / "a.run", "SPEC": folder / "bell.ebm", "DIR/c.run": tmp_path / "c.run"}

    outcome = ebm(capsys, *(names.get(word, word) for word in arguments))

    assert outcome.code == 2
    assert outcome.err.startswith(f"error[{code} ")
    assert outcome.err.count("error[") == 1
    assert outcome.out == ""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_command_that_was_killed_goes_on_where_it_was(capsys, tmp_path):
    (tmp_path / "bell.ebm").write_text(SPEC)
    sample = ("sample", tmp_path / "bell.ebm", "--set", "m=2", "--method", "hmc", "--json")
    long = (*sample, "--chains", "4", "--draws", "1000", "--warmup", "100")
    process = start(*long, "--out", tmp_path / "killed.run")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not list(tmp_path.glob("killed.run/state-*")):
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()

    resumed = ebm(capsys, "sample", "--resume", tmp_path / "killed.run", "--json")
    whole = ebm(capsys, *long, "--out", tmp_path / "whole.run")

    assert process.returncode == -signal.SIGKILL
    assert json.loads(resumed.out) == json.loads(whole.out)
    killed, uninterrupted = (
        open_run(tmp_path / name).values for name in ("killed.run", "whole.run")
    )
    for name, values in uninterrupted.quantities.items():
        assert killed.quantities[name].tobytes() == values.tobytes()
