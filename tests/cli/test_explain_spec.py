"""`ebm explain SPEC`: the page of what is known before anything runs."""

import json
import os
import subprocess
import sys

import pytest

from tests.cli.run import DESK, EXAMPLES, ROOT, ebm


@pytest.mark.parametrize(
    "name", ["arm", "cloud", "cluster", "desk", "eight_schools", "mixture", "thin_film"]
)
def test_every_example_has_a_page(capsys, name):
    data = [EXAMPLES / "eight_schools.json"] if name == "eight_schools" else []

    outcome = ebm(capsys, "explain", EXAMPLES / f"{name}.ebm", *data)

    assert outcome.code == 0
    for title in ("terms", "is it proper?", "plan", "solve", "sample", "because"):
        assert title in outcome.out
    assert outcome.err == ""


def test_the_page_is_narrow(capsys):
    outcome = ebm(capsys, "explain", DESK)

    assert max(len(line.rstrip()) for line in outcome.out.splitlines()) <= 100


def test_the_page_shows_the_facts_of_each_term(capsys):
    lines = ebm(capsys, "explain", DESK).out.splitlines()

    (side,) = (line.split() for line in lines if line.startswith(" side "))
    assert side[1] == "prefer"
    assert side[-3:] == ["unknown", "C1", "lamp"]


def test_the_page_says_where_a_rule_broke(capsys):
    out = ebm(capsys, "explain", DESK).out

    assert "curvature: `dist(a, b) <= 10 within 2` at" in out
    assert "desk.ebm:11:35" in out


def test_the_page_as_json_has_the_same(capsys):
    outcome = ebm(capsys, "explain", DESK, "--json")

    found = json.loads(outcome.out)
    assert [term["path"] for term in found["terms"]] == ["apart", "side", "calm", "reach"]
    assert found["propriety"]["integrable"]["answer"] == "proper"
    assert found["blocks"][0]["solve"]["runs"]


def test_missing_data_is_named_and_the_interface_shown(capsys):
    outcome = ebm(capsys, "explain", EXAMPLES / "eight_schools.ebm")

    assert outcome.code == 0
    assert "there is no data for `y`" in outcome.out
    assert "variables: mu, tau, raw" in outcome.out


def test_a_given_that_is_set_is_data_and_no_point(capsys, tmp_path):
    spec = tmp_path / "pull.ebm"
    spec.write_text("given k: real\nvar x: real\nminimize e: k * x^2\n")

    outcome = ebm(capsys, "explain", spec, "--set", "k=2", "--json")

    assert json.loads(outcome.out)["terms"][0]["curvature"] == "convex"


def test_an_improper_spec_shows_the_numbered_trace_and_help(capsys, tmp_path):
    spec = tmp_path / "open.ebm"
    spec.write_text("var x: real\nvar y: real\nminimize e: (x - y)^2\n")

    out = ebm(capsys, "explain", spec).out

    assert "is exp(-E) integrable? improper" in out
    assert "because  1. " in out
    assert "help" in out


@pytest.mark.slow
def test_the_page_needs_no_torch():
    code = (
        "import sys; from ebmlang.cli.main import main; "
        f"main(['explain', {DESK!r}]); sys.exit('torch' in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False
    )

    assert done.returncode == 0
