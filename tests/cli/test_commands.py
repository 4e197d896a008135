"""What each command prints and writes."""

import json

import numpy as np
import pytest

from ebmlang import __version__
from ebmlang.source import CODES
from tests.cli.run import DESK, EXAMPLES, ebm

COMMANDS = (
    "check",
    "fmt",
    "test",
    "graph",
    "solve",
    "sample",
    "runs",
    "profile",
    "explain",
    "new",
    "interface",
)


def test_without_arguments_the_commands_are_listed(capsys):
    outcome = ebm(capsys)

    assert outcome.code == 0
    for command in COMMANDS:
        assert f"\n  {command} " in outcome.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(capsys, command):
    outcome = ebm(capsys, command, "--help")

    assert outcome.code == 0
    assert outcome.out.startswith(f"usage: ebm {command}")


def test_the_version_is_that_of_the_package(capsys):
    project = (EXAMPLES.parent / "pyproject.toml").read_text()

    assert ebm(capsys, "--version").out == f"ebm {__version__}\n"
    assert f'\nversion = "{__version__}"\n' in project


def test_fmt_lays_a_file_out_in_place_and_then_finds_nothing_to_do(capsys, tmp_path):
    file = tmp_path / "a.ebm"
    file.write_bytes(b"var   x:real in [ 0,1 ]\r\nminimize low :x # small\r\n")

    first = ebm(capsys, "fmt", file)

    assert first.code == 0
    assert file.read_bytes() == b"var x: real in [0, 1]\nminimize low: x  # small\n"
    assert ebm(capsys, "fmt", "--check", file).code == 0


def test_fmt_check_and_diff_change_nothing(capsys, tmp_path):
    file = tmp_path / "a.ebm"
    file.write_text("var   x: real\n")

    check, diff = ebm(capsys, "fmt", "--check", file), ebm(capsys, "fmt", "--diff", file)

    assert check.code == 1
    assert diff.code == 0
    assert "-var   x: real\n+var x: real\n" in diff.out
    assert file.read_text() == "var   x: real\n"


def test_fmt_leaves_a_file_alone_that_it_cannot_read(capsys, tmp_path):
    file = tmp_path / "a.ebm"
    file.write_text("var   x: real\nminimize\n")

    outcome = ebm(capsys, "fmt", file)

    assert outcome.code == 1
    assert file.read_text() == "var   x: real\nminimize\n"


@pytest.mark.parametrize("stage", ["ast", "typed", "graph", "optimized", "code", "gradient"])
def test_graph_prints_each_stage(capsys, stage):
    outcome = ebm(capsys, "graph", DESK, "--stage", stage)

    assert outcome.code == 0
    assert "reach" in outcome.out
    assert outcome.out.endswith("\n")


def test_graph_prints_the_tree_of_a_spec_that_makes_no_sense(capsys, tmp_path):
    file = tmp_path / "a.ebm"
    file.write_text("minimize a: unknown\n")

    assert ebm(capsys, "graph", file, "--stage", "ast").code == 0


def test_interface_lists_inputs_variables_and_terms(capsys):
    text = ebm(capsys, "interface", EXAMPLES / "eight_schools.ebm").out
    plain = json.loads(ebm(capsys, "interface", EXAMPLES / "eight_schools.ebm", "--json").out)

    assert {"inputs", "sizes", "variables", "terms", "reports"} <= set(plain)
    for item in plain["inputs"]:
        assert f"\n  {item['path']}" in text


def test_solve_prints_a_table_of_designs(capsys):
    outcome = ebm(capsys, "solve", DESK, "--starts", 16, "--designs", 2)

    assert outcome.code == 0
    assert outcome.err == ""
    assert " design " in outcome.out
    assert " apart " in outcome.out


def test_solve_as_json_is_one_object(capsys):
    outcome = ebm(capsys, "solve", DESK, "--starts", 16, "--designs", 2, "--seed", 7, "--json")

    result = json.loads(outcome.out)
    assert result["status"] == "solved"
    assert result["seed"] == 7
    assert {"ebmlang", "torch", "python"} <= set(result["versions"])
    assert len(result["designs"]) == 2
    for design in result["designs"]:
        assert {"energy", "terms", "margins", "satisfied", "variables"} <= set(design)
        assert set(design["terms"]) == {"side", "calm", "reach"}
        assert set(design["satisfied"]) == {"apart", "side", "calm"}
        distance = np.hypot(*np.subtract(design["variables"]["lamp"], design["variables"]["cup"]))
        assert distance >= 30
        assert design["margins"]["apart"] == pytest.approx(distance - 30)


def test_what_solve_writes_can_be_explained(capsys, tmp_path):
    file = tmp_path / "desk.json"
    solved = ebm(capsys, "solve", DESK, "--starts", 16, "--out", file)

    explained = json.loads(ebm(capsys, "explain", DESK, "--at", file, "--json").out)

    best = json.loads(file.read_text())["designs"][0]
    assert solved.code == 0
    assert explained["variables"] == best["variables"]
    assert explained["energy"] == pytest.approx(best["energy"], abs=1e-12)
    assert explained["satisfied"] == best["satisfied"]


def test_explain_shows_each_term_of_a_point_given_by_hand(capsys):
    outcome = ebm(capsys, "explain", DESK, "--set", "lamp=[0, 0]", "--set", "cup=[3, 4]")

    rows = {line.split()[0]: line.split()[1:] for line in outcome.out.splitlines() if line.split()}
    assert outcome.code == 0
    assert rows["apart"] == ["(required)", f"{25**2 / 2:.5g}", "-25", "no", f"{25 * 2**0.5:.5g}"]
    assert rows["reach"][0] == f"{np.hypot(57, 4) / 100:.5g}"
    assert rows["energy"] == ["inf"]


def test_explain_takes_data_beside_the_point(capsys, tmp_path):
    spec = tmp_path / "a.ebm"
    spec.write_text("given k: real\nvar x: real\nminimize low: k * x\n")

    outcome = ebm(capsys, "explain", spec, "--set", "k=3", "--set", "x=2", "--json")

    assert json.loads(outcome.out)["energy"] == 6


@pytest.mark.parametrize("code", CODES)
def test_explain_prints_the_page_of_every_code(capsys, code):
    outcome = ebm(capsys, "explain", code.lower())

    assert outcome.code == 0
    assert outcome.out.startswith(f"# {code} {CODES[code].slug}")


def test_options_may_stand_between_spec_and_data(capsys, tmp_path):
    (tmp_path / "d.json").write_text('{"y": [1, 3]}')
    (tmp_path / "e.csv").write_text("s\n1\n1\n")
    spec = tmp_path / "fit.ebm"
    spec.write_text("given y: real[N]\ngiven s: real[N]\nvar m: real\nprefer f: y ~ normal(m, s)\n")

    outcome = ebm(
        capsys, "solve", spec, "--json", tmp_path / "d.json", "--starts", 4, tmp_path / "e.csv"
    )

    assert outcome.code == 0
    assert json.loads(outcome.out)["designs"][0]["variables"]["m"] == pytest.approx(2)


def test_a_later_source_of_data_wins(capsys, tmp_path):
    (tmp_path / "d.json").write_text('{"y": 1}')
    spec = tmp_path / "fit.ebm"
    spec.write_text("given y: real\nvar m: real\nprefer f: y ~ normal(m, 1)\n")

    outcome = ebm(
        capsys, "solve", spec, tmp_path / "d.json", "--set", "y=5", "--starts", 2, "--json"
    )

    assert json.loads(outcome.out)["designs"][0]["variables"]["m"] == pytest.approx(5)


def test_new_writes_a_file_that_is_fine_and_laid_out(capsys, tmp_path):
    written = ebm(capsys, "new", tmp_path / "first")

    file = tmp_path / "first.ebm"
    assert written.code == 0
    assert ebm(capsys, "check", file).err == ""
    assert ebm(capsys, "fmt", "--check", file).code == 0
    assert ebm(capsys, "solve", file, "--starts", 16, "--quiet").code == 0


def test_sample_writes_draws_and_prints_a_summary(capsys, tmp_path):
    spec = tmp_path / "bell.ebm"
    spec.write_text("var x: real ~ normal(1, 2)\n")

    outcome = ebm(
        capsys, "sample", spec, "--out", tmp_path / "d.npz", "--draws", 200, "--warmup", 200
    )

    draws = np.load(tmp_path / "d.npz")["x"]
    assert outcome.code == 0
    assert "nothing speaks against these draws" in outcome.out
    assert draws.shape == (16, 200)


def test_sample_as_json_has_a_status_and_a_summary(capsys, tmp_path):
    spec = tmp_path / "bell.ebm"
    spec.write_text("var x: real ~ normal(1, 2)\n")

    outcome = ebm(capsys, "sample", spec, "--json", "--draws", 200, "--warmup", 200)

    result = json.loads(outcome.out)
    assert result["status"] == "trusted"
    assert {row["name"] for row in result["summary"]} == {"energy", "x"}
