"""Each kind of bad input gives one clear message and the right exit code, and never a traceback."""

import json
import subprocess
import sys

import pytest

from ebmlang.cli import main as entry
from tests.cli.run import DESK, ebm

FIT = """
given y: real[N]
given k: real = 2
var mu: real ~ normal(0, 10)
prefer fit: y ~ normal(mu, k)
"""


@pytest.fixture
def fit(tmp_path):
    file = tmp_path / "fit.ebm"
    file.write_text(FIT)
    return file


USAGE = {
    "no data": (["solve", "FIT"], "E0701"),
    "data file not there": (["solve", "FIT", "nowhere.json"], "E0801"),
    "wrong shape": (["solve", "FIT", "--set", "y=[[1]]"], "E0702"),
    "wrong shape of a scalar": (["solve", "FIT", "--set", "y=[1]", "--set", "k=[1]"], "E0702"),
    "NaN in data": (["solve", "FIT", "--set", "y=[1, NaN]"], "E0703"),
    "infinite data": (["sample", "FIT", "--set", "y=[1]", "--set", "k=inf"], "E0703"),
    "unknown data": (["solve", "FIT", "--set", "y=[1]", "--set", "kk=1"], "E0705"),
    "text as data": (["solve", "FIT", "--set", 'y="a"'], "E0803"),
    "unknown data format": (["solve", "FIT", "--data", "DIR/data.txt"], "E0803"),
    "unknown weight": (["solve", DESK, "--weight", "clam=2"], "E0901"),
    "negative weight": (["solve", DESK, "--weight", "calm=-1"], "E0903"),
    "weight without a value": (["solve", DESK, "--weight", "calm"], "E0903"),
    "unknown constant": (["solve", DESK, "--const", "widht=2"], "E0902"),
    "constant that is no number": (["check", DESK, "--const", "width=[1]"], "E0903"),
    "value that is no value": (["solve", "FIT", "--set", "y=one"], "E0903"),
    "no such device": (["solve", DESK, "--device", "tpu"], "E0906"),
    "no such method": (["sample", DESK, "--method", "hcm"], "E0907"),
    "no such option": (["solve", DESK, "--sead", "1"], "E0904"),
    "no such command": (["slove", DESK], "E0904"),
    "no such stage": (["graph", DESK, "--stage", "assembler"], "E0904"),
    "no such warning": (["check", DESK, "--no-warn", "unused"], "E0903"),
    "no spec": (["solve"], "E0904"),
    "spec not there": (["check", "nowhere.ebm"], "E0801"),
    "a folder as spec": (["check", "DIR"], "E0802"),
    "output folder not there": (["solve", DESK, "--out", "DIR/nowhere/x.json"], "E0804"),
    "output is a folder": (["sample", DESK, "--out", "DIR"], "E0804"),
    "unknown output format": (["sample", DESK, "--out", "DIR/draws.txt"], "E0804"),
    "no starts": (["solve", DESK, "--starts", "0"], "E0903"),
    "more starts than any machine holds": (["solve", DESK, "--starts", "9" * 20], "E0903"),
    "half a design": (["solve", DESK, "--designs", "0.5"], "E0903"),
    "no time": (["solve", DESK, "--time", "0s"], "E0903"),
    "no width": (["solve", DESK, "--diverse", "--band", "x"], "E0903"),
    "a band of nothing": (["solve", DESK, "--band", "0.1"], "E0904"),
    "a front of one term": (["solve", DESK, "--pareto", "reach"], "E0903"),
    "a front of an unknown term": (["solve", DESK, "--pareto", "reach,clam"], "E0911"),
    "a front of a term twice": (["solve", DESK, "--pareto", "reach,reach"], "E0911"),
    "a front of a requirement": (["solve", DESK, "--pareto", "reach,apart"], "E0911"),
    "a band of a front": (["solve", DESK, "--pareto", "reach,calm", "--band", "1"], "E0904"),
    "a method of a front": (
        ["solve", DESK, "--pareto", "reach,calm", "--method", "annealing"],
        "E0904",
    ),
    "sensitivity in float32": (
        ["solve", DESK, "--sensitivity", "--precision", "float32"],
        "E0904",
    ),
    "no such code": (["explain", "E9999"], "E0905"),
    "two questions": (["explain", DESK, "--conflict", "--repair"], "E0904"),
    "half a point": (["explain", DESK, "--set", "lamp=[1, 2]"], "E0710"),
    "starter file there already": (["new", "FIT"], "E0804"),
}


@pytest.mark.parametrize(("arguments", "code"), USAGE.values(), ids=USAGE)
def test_wrong_usage_is_one_message_and_exit_code_2(capsys, fit, tmp_path, arguments, code):
    (tmp_path / "data.txt").write_text("1 2 3")
    arguments = [a.replace("FIT", str(fit)).replace("DIR", str(tmp_path)) for a in arguments]

    outcome = ebm(capsys, *arguments)

    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.count("error[") == 1
    assert outcome.err.startswith(f"error[{code} ")
    assert "Traceback" not in outcome.err


def test_a_wrong_spec_is_exit_code_1_with_all_its_errors(capsys, tmp_path):
    file = tmp_path / "wrong.ebm"
    file.write_text("var x: real\nminimize a: y\nminimize b: z\n")

    outcome = ebm(capsys, "check", file)

    assert outcome.code == 1
    assert outcome.err.count("error[E0201") == 2


NEVER = """
var x: real in [0, 1]
var y: real in [0, 1]
require big: x * y - x^2 - y^2 >= 0.9
minimize low: x
"""
"""A spec without a solution, the largest of its left side being 0; bounds do not see it."""


def test_a_spec_without_solution_is_exit_code_3_and_shows_the_nearest_point(capsys, tmp_path):
    file = tmp_path / "never.ebm"
    file.write_text(NEVER)

    outcome = ebm(capsys, "solve", file, "--starts", 4)

    assert outcome.code == 3
    assert "error[E0706 infeasible]" in outcome.err
    assert "`big` fails by 0.9" in outcome.err
    assert "big" in outcome.out


def test_an_infeasible_run_is_one_json_object(capsys, tmp_path):
    file = tmp_path / "never.ebm"
    file.write_text(NEVER)

    outcome = ebm(capsys, "solve", file, "--starts", 4, "--json")

    result = json.loads(outcome.out)
    assert outcome.code == 3
    assert result["status"] == "infeasible"
    assert result["designs"] == []
    assert result["nearest"]["satisfied"] == {"big": False}
    assert outcome.err == ""


def test_draws_that_must_not_be_trusted_are_exit_code_3(capsys):
    outcome = ebm(capsys, "sample", DESK, "--draws", 5, "--warmup", 5, "--chains", 4)

    assert outcome.code == 3
    assert "error[E0709 run-not-trusted]" in outcome.err


def test_an_energy_that_is_nowhere_finite_is_exit_code_3(capsys, tmp_path):
    file = tmp_path / "far.ebm"
    file.write_text("var x: real in [-2, -1]\nminimize low: log(x)\n")

    outcome = ebm(capsys, "solve", file, "--starts", 4)

    assert outcome.code == 3
    assert "error[E0707 energy-not-finite]" in outcome.err
    assert "log(x)" in outcome.err


def test_a_spec_without_unknowns_is_exit_code_3(capsys, tmp_path):
    file = tmp_path / "parts.ebm"
    file.write_text("fn twice(a: real) = 2 * a\n")

    outcome = ebm(capsys, "solve", file)

    assert outcome.code == 3
    assert "error[E0708 nothing-to-find]" in outcome.err


def test_errors_are_one_json_object_where_json_is_asked_for(capsys, fit):
    outcome = ebm(capsys, "solve", fit, "--json")

    result = json.loads(outcome.out)
    assert outcome.code == 2
    assert outcome.err == ""
    assert result["status"] == "error"
    assert [d["code"] for d in result["diagnostics"]] == ["E0701"]


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't")],
)
def test_a_run_beyond_all_memory_is_exit_code_3(capsys, monkeypatch, error):
    def exhaust(_arguments):
        raise error

    monkeypatch.setattr(entry, "_run", exhaust)

    outcome = ebm(capsys, "solve", DESK)

    assert outcome.code == 3
    assert outcome.err.startswith("error[E0711 out-of-memory]")


def _broken(_arguments):
    raise ZeroDivisionError("made for this test")


def test_a_bug_of_ours_is_exit_code_70_and_asks_for_a_report(capsys, monkeypatch):
    monkeypatch.setattr(entry, "_run", _broken)

    outcome = ebm(capsys, "check", DESK)

    assert outcome.code == 70
    assert outcome.err.startswith("internal error: ZeroDivisionError: made for this test\n")
    assert "report" in outcome.err


def test_a_bug_of_ours_shows_its_traceback_where_asked(monkeypatch):
    monkeypatch.setattr(entry, "_run", _broken)

    with pytest.raises(ZeroDivisionError):
        entry.main(["check", DESK, "--traceback"])


def test_the_process_ends_with_the_code_of_its_command_and_still_looks_for_garbage(tmp_path):
    wrong = tmp_path / "wrong.ebm"
    wrong.write_text("var x: real\nminimize y\n", encoding="utf-8")
    code = (
        "import gc, sys; from ebmlang.cli.main import run_process;"
        "code = run_process(); print(gc.isenabled()); sys.exit(code)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, "check", str(wrong)], capture_output=True, text=True
    )

    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "True"
