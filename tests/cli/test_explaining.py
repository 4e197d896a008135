"""`ebm explain` on points and runs, `--conflict`, `--repair` and `--vacuous`: what is printed."""

import json

import numpy as np
import pytest

from tests.cli.run import DESK, ebm

CONFLICT = """
var x: real in [0, 10]
var y: real in [0, 10]
require total: x + y >= 12
require x_low: x <= 5
require y_low: y <= 5
require other: x >= 1
"""


@pytest.fixture
def conflict(tmp_path):
    file = tmp_path / "conflict.ebm"
    file.write_text(CONFLICT)
    return file


@pytest.fixture
def designs(tmp_path):
    """A result of `solve` with two designs, near the lamp's two places."""
    file = tmp_path / "designs.json"
    points = [{"lamp": [5, 30], "cup": [60, 0]}, {"lamp": [114, 30], "cup": [60, 5]}]
    file.write_text(json.dumps({"designs": [{"variables": point} for point in points]}))
    return file


def test_a_point_is_shown_with_the_branches_of_an_or(capsys):
    out = ebm(capsys, "explain", DESK, "--set", "lamp=[5, 30]", "--set", "cup=[60, 0]").out

    (line,) = [line for line in out.splitlines() if "├ near(lamp, [0, 30])" in line]
    assert line.split()[-5:] == ["0", "2.5", "yes", "0", "1.000"]
    assert max(map(len, out.splitlines())) <= 100


def test_a_point_outside_of_its_domain_is_noted(capsys):
    point = ["--set", "lamp=[5, 30]", "--set", "cup=[60, -1]"]

    shown = ebm(capsys, "explain", DESK, *point).out
    described = json.loads(ebm(capsys, "explain", DESK, *point, "--json").out)

    assert "`cup[1]` is -1, below its lower bound 0" in shown
    assert [one["path"] for one in described["outside"]] == ["cup"]


def test_the_json_of_a_point_has_the_tree_beside_what_a_design_has(capsys):
    point = ["--set", "lamp=[5, 30]", "--set", "cup=[60, 0]"]

    described = json.loads(ebm(capsys, "explain", DESK, *point, "--json").out)

    tree = {term["name"]: term for term in described["explanation"]}
    assert described["energy"] == described["terms"]["side"] + described["terms"]["calm"]
    assert [part["responsibility"] for part in tree["side"]["parts"]] == [1, 0]
    assert tree["side"]["joint"] == "noisy_or"


def test_a_run_shows_shares_of_its_points(capsys, designs):
    outcome = ebm(capsys, "explain", DESK, "--run", designs)
    described = json.loads(ebm(capsys, "explain", DESK, "--run", designs, "--json").out)

    tree = {term["name"]: term for term in described["terms"]}
    assert outcome.code == 0
    assert "everything required holds in 100.0% of 2 designs" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 100
    assert (described["kind"], described["points"]) == ("designs", 2)
    assert [part["satisfied"] for part in tree["side"]["parts"]] == [0.5, 0.5]


def test_a_run_and_a_point_are_two_questions(capsys, designs):
    outcome = ebm(capsys, "explain", DESK, "--run", designs, "--at", designs)

    assert outcome.code == 2
    assert "two questions" in outcome.err


def test_a_conflict_is_drawn_where_it_stands(capsys, conflict):
    outcome = ebm(capsys, "explain", conflict, "--conflict")

    assert outcome.code == 3
    assert "these 3 requirements cannot hold together" in outcome.err
    assert "without any one of them, the others can hold" in outcome.err
    for text in ("x + y >= 12", "x <= 5", "y <= 5"):
        assert text in outcome.out
    assert "x >= 1" not in outcome.out


def test_the_json_of_a_conflict_has_a_point_without_each_member(capsys, conflict):
    outcome = ebm(capsys, "explain", conflict, "--conflict", "--json")

    described = json.loads(outcome.out)
    assert outcome.code == 3
    assert (described["status"], described["proved"]) == ("conflict", True)
    assert {member["path"] for member in described["members"]} == {"total", "x_low", "y_low"}
    for member in described["members"]:
        x, y = member["without"]["x"], member["without"]["y"]
        holds = {"total": x + y >= 12, "x_low": x <= 5, "y_low": y <= 5}
        assert all(ok for path, ok in holds.items() if path != member["path"])


def test_a_spec_without_conflict_shows_a_point(capsys):
    outcome = ebm(capsys, "explain", DESK, "--conflict")
    described = json.loads(ebm(capsys, "explain", DESK, "--conflict", "--json").out)

    variables = described["point"]["variables"]
    assert outcome.code == 0
    assert "everything required can hold together" in outcome.out
    assert np.linalg.norm(np.subtract(variables["lamp"], variables["cup"])) >= 30


def test_a_spec_that_requires_nothing_has_nothing_to_conflict(capsys, tmp_path):
    file = tmp_path / "free.ebm"
    file.write_text("var x: real in [0, 1]\nminimize low: x\n")

    outcome = ebm(capsys, "explain", file, "--conflict")

    assert outcome.code == 3
    assert "the spec requires nothing" in outcome.err


@pytest.mark.slow
def test_a_repair_is_text_to_paste(capsys, conflict):
    outcome = ebm(capsys, "explain", conflict, "--repair")

    assert outcome.code == 3
    assert "the smallest change:" in outcome.out
    assert "`total`: `x + y >= 9.99` instead of `x + y >= 12`" in outcome.out


def test_what_never_acts_is_listed_with_its_place(capsys, tmp_path):
    spec, run = tmp_path / "a.ebm", tmp_path / "run.json"
    spec.write_text("var x: real\nprefer near: x <= 100\nprefer right: x >= 0\n")
    run.write_text(json.dumps({"energies": [[0, 0]], "variables": {"x": [[-1.0, 1.0]]}}))

    shown = ebm(capsys, "explain", spec, "--vacuous", "--run", run)
    described = json.loads(ebm(capsys, "explain", spec, "--vacuous", "--run", run, "--json").out)

    assert shown.code == 0
    assert "a.ebm:2:1: `near` never acts: its least margin is 99 tolerances in 2 draws" in shown.out
    assert [one["path"] for one in described["idle"]] == ["near"]


def test_without_a_run_nothing_can_be_called_idle(capsys):
    outcome = ebm(capsys, "explain", DESK, "--vacuous")

    assert outcome.code == 2
    assert "there is no run to look at" in outcome.err


@pytest.fixture
def run(tmp_path):
    file = tmp_path / "run.json"
    file.write_text(json.dumps({"energies": [[1.3, 4.7]], "variables": {"x": [[1.3, 4.7]]}}))
    return file


@pytest.mark.parametrize(("weight", "stale"), [(1, False), (1.1, True)])
@pytest.mark.parametrize("view", [[], ["--vacuous"]])
def test_a_run_of_another_spec_is_noted(capsys, tmp_path, run, weight, stale, view):
    spec = tmp_path / "a.ebm"
    spec.write_text(f"var x: real\nminimize low: x weight {weight}\n")

    outcome = ebm(capsys, "explain", spec, "--run", run, *view)
    described = json.loads(ebm(capsys, "explain", spec, "--run", run, *view, "--json").out)

    assert described["stale"] is stale
    note = "note: the run was made with another spec, other data or other weights: its energies"
    assert (note in outcome.err) is stale
    assert outcome.code == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--at", "designs", "--conflict"], "`--conflict` and `--at` are two questions"),
        (["--run", "designs", "--repair"], "`--repair` and `--run` are two questions"),
        (["--conflict", "--repair"], "`--conflict` and `--repair` are two questions"),
        (["--design", "2"], "there is no `--at`"),
    ],
)
def test_options_that_would_not_count_are_refused(capsys, designs, options, words):
    given = [str(designs) if option == "designs" else option for option in options]

    outcome = ebm(capsys, "explain", DESK, *given)

    assert outcome.code == 2
    assert "E0904" in outcome.err
    assert words in outcome.err


def test_a_code_takes_no_point(capsys, designs):
    outcome = ebm(capsys, "explain", "E0302", "--at", designs)

    assert (outcome.code, "`E0302` and `--at` are two questions" in outcome.err) == (2, True)


@pytest.mark.parametrize("option", ["--at", "--run"])
def test_a_file_that_is_not_there_is_said_to_be_missing(capsys, option):
    outcome = ebm(capsys, "explain", DESK, option, "nofile")

    assert "E0801" in outcome.err


def test_a_point_that_is_not_a_number_is_refused(capsys, tmp_path):
    spec, point = tmp_path / "a.ebm", tmp_path / "point.json"
    spec.write_text("var x: real in [0, 1]\nminimize low: x\n")
    point.write_text('{"x": NaN}')

    outcome = ebm(capsys, "explain", spec, "--at", point)

    assert "E0710" in outcome.err
    assert "`x` of the point is not a number" in outcome.err


def test_a_requirement_that_bounds_exclude_is_the_conflict_alone(capsys, tmp_path):
    file = tmp_path / "far.ebm"
    file.write_text(CONFLICT + "require far: x >= 11 or x^2 >= 144\n")

    described = json.loads(ebm(capsys, "explain", file, "--conflict", "--json").out)

    assert [member["path"] for member in described["members"]] == ["far"]
    assert described["reason"] == "proved: the bounds of the variables alone exclude it"
    assert described["bounds"] == ["x"]
