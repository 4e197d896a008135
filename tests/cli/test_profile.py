"""`ebm profile` and `ebm explain --cost`: what they print, and their exit codes."""

import json
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from tests.cli.run import DESK, EXAMPLES, ROOT, ebm

SMALL = ("--chains", 8, "--rounds", 1)
SCHOOLS = (EXAMPLES / "eight_schools.ebm", EXAMPLES / "eight_schools.json")


def test_the_profile_has_a_row_for_each_term(capsys):
    outcome = ebm(capsys, "profile", DESK, *SMALL)

    assert outcome.code == 0
    for path in ("apart", "side", "calm", "reach", "adding up"):
        assert path in outcome.out


def test_terms_of_a_profile_add_up(capsys):
    found = json.loads(ebm(capsys, "profile", DESK, *SMALL, "--json").out)

    soft = [term for term in found["terms"] if not term["required"]]
    seconds = sum(term["gradient_seconds"] for term in soft)
    assert seconds == pytest.approx(found["seconds"])
    assert sum(term["share"] for term in soft) == pytest.approx(1.0)
    assert found["call_seconds"] > 0


def test_a_profile_takes_data(capsys):
    outcome = ebm(capsys, "profile", *SCHOOLS, *SMALL, "--json")

    paths = [term["path"] for term in json.loads(outcome.out)["terms"]]
    assert paths == ["mu", "tau", "raw", "effects", ""]


def test_a_flame_graph_is_a_picture_whose_bars_add_up(capsys, tmp_path):
    out = tmp_path / "desk.svg"

    outcome = ebm(capsys, "profile", DESK, *SMALL, "--flame", out)

    assert outcome.code == 0
    assert str(out) in outcome.out
    bars = [bar.attrib for bar in ElementTree.parse(out).iter() if bar.tag.endswith("rect")]
    floor = max(float(bar["y"]) for bar in bars)
    second = [bar for bar in bars if float(bar["y"]) == floor - 18]
    assert sum(float(bar["width"]) for bar in second) == pytest.approx(1200, abs=1)


def test_a_flame_graph_opens_in_speedscope(capsys, tmp_path):
    out = tmp_path / "desk.json"

    ebm(capsys, "profile", DESK, *SMALL, "--flame", out)

    written = json.loads(out.read_text())
    (profile,) = written["profiles"]
    assert len(profile["samples"]) == len(profile["weights"])
    assert sum(profile["weights"]) == pytest.approx(profile["endValue"])
    frames = written["shared"]["frames"]
    used = {frames[place]["name"] for sample in profile["samples"] for place in sample}
    assert {"energy and gradient", "side", "margins and gradient"} <= used


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--flame", "desk.png"), "E0904"),
        (("--chains", "0"), "E0903"),
        (("--rounds", "none"), "E0903"),
    ],
)
def test_a_wrong_option_is_refused(capsys, tmp_path, monkeypatch, options, code):
    monkeypatch.chdir(tmp_path)

    outcome = ebm(capsys, "profile", DESK, *options)

    assert outcome.code == 2
    assert code in outcome.err


def test_missing_data_is_refused(capsys):
    assert ebm(capsys, "profile", SCHOOLS[0]).code == 2
    assert ebm(capsys, "explain", SCHOOLS[0], "--cost").code == 2


def test_the_cost_of_a_spec_is_shown_by_term(capsys):
    outcome = ebm(capsys, "explain", DESK, "--cost")

    assert outcome.code == 0
    for words in ("side", "E and its gradient", "predicted", "chains/s, straight"):
        assert words in outcome.out
    assert max(len(line.rstrip()) for line in outcome.out.splitlines()) <= 160


def test_the_cost_as_json_has_the_rates(capsys):
    found = json.loads(ebm(capsys, "explain", DESK, "--cost", "--json").out)

    soft = [term for term in found["terms"] if not term["required"]]
    assert sum(term["share"] for term in soft) == pytest.approx(1.0)
    for rate in found["rates"]:
        assert rate["tier"] in rate["seconds"]
        for tier, seconds in rate["seconds"].items():
            rate_of_tier = rate["gradients_per_second"][tier]
            assert rate["chains"] / seconds == pytest.approx(rate_of_tier)


def test_without_a_compiler_there_is_no_native_tier(capsys, monkeypatch):
    monkeypatch.setenv("CC", "no-such-compiler")

    found = json.loads(ebm(capsys, "explain", DESK, "--cost", "--json").out)

    assert "no C compiler" in found["native"]
    assert [list(rate["seconds"]) for rate in found["rates"]] == [["straight"]] * 4


def test_large_work_takes_the_native_tier(capsys, monkeypatch):
    monkeypatch.delenv("EBM_TIER")

    found = json.loads(ebm(capsys, "explain", DESK, "--cost", "--json").out)

    if found["native"] is None:
        assert found["rates"][-1]["tier"] == "native"
    else:
        assert "compiler" in found["native"]


@pytest.mark.slow
def test_the_cost_is_counted_without_torch():
    code = (
        "import sys; from ebmlang.cli.main import main; "
        f"main(['explain', {DESK!r}, '--cost', '--quiet']); "
        "sys.exit('torch' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT)

    assert done.returncode == 0


def test_the_cost_is_a_question_of_its_own(capsys):
    assert ebm(capsys, "explain", DESK, "--cost", "--conflict").code == 2
    assert ebm(capsys, "explain", DESK, "--cost", "--svg", "out.svg").code == 2


PAIRS = """var p: real[1100, 2] in [-10, 10]
minimize near: sum a, b in pairs(p): norm(a - b)
"""

RUNNING = PAIRS + "minimize s: sum(cumsum([norm(a - b) for a, b in pairs(p)]))\n"


def test_the_costs_say_what_is_computed_in_blocks_and_what_is_not(capsys, tmp_path):
    for name, text in (("pairs", PAIRS), ("running", RUNNING)):
        (tmp_path / f"{name}.ebm").write_text(text, encoding="utf-8")

    pairs = ebm(capsys, "explain", tmp_path / "pairs.ebm", "--cost").out
    running = ebm(capsys, "explain", tmp_path / "running.ebm", "--cost").out
    desk = ebm(capsys, "explain", DESK, "--cost").out

    assert "along 604,450 places in blocks" in pairs
    assert "not in blocks" not in pairs
    assert "not in blocks: `cumsum` of `s`" in running
    assert "in blocks" not in desk
