"""`ebm solve`: how it searches, how long, and how sure it says it is."""

import json
from pathlib import Path

import pytest

from tests.cli.run import ebm

BOWL = "var x: real[2] in [-1, 1]\nminimize e: norm(x - 0.25)^2\n"
WELLS = "var x: real in [-2, 2]\nminimize e: (x^2 - 1)^2\n"


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "spec.ebm"
        path.write_text(text)
        return path

    return write


def test_a_proved_minimum_is_said_to_be_global(capsys, write) -> None:
    outcome = ebm(capsys, "solve", write(BOWL))

    assert outcome.code == 0
    assert "global minimum (convex; certificate" in outcome.out


def test_what_is_not_proved_says_how_many_starts_agree(capsys, write) -> None:
    outcome = ebm(capsys, "solve", write(WELLS), "--starts", 16)

    assert "the best energy was reached by 16 of 16 starts" in outcome.out


def test_certainty_is_part_of_the_json(capsys, write) -> None:
    result = json.loads(ebm(capsys, "solve", write(BOWL), "--json").out)

    assert result["starts"] == 1
    assert result["certainty"]["sureness"] == "global"
    assert 0 <= result["certainty"]["gap"] < 1e-6


def test_a_method_and_an_effort_can_be_asked_for(capsys, write) -> None:
    options = ("--method", "multistart", "--effort", "thorough", "--starts", 8, "--json")

    result = json.loads(ebm(capsys, "solve", write(WELLS), *options).out)

    assert result["certainty"]["rounds"] == 3
    assert result["starts"] == 24


@pytest.mark.parametrize("time", ["30s", "0.5m", "1h"])
def test_a_time_has_a_unit(capsys, write, time: str) -> None:
    assert ebm(capsys, "solve", write(BOWL), "--time", time).code == 0


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [
        ("--time", "30", "E0903"),
        ("--time", "soon", "E0903"),
        ("--time", "-1s", "E0903"),
        ("--effort", "heroic", "E0903"),
        ("--method", "guess", "E0907"),
        ("--method", "apart", "E0907"),
    ],
)
def test_what_cannot_be_is_refused(capsys, write, option: str, value: str, code: str) -> None:
    outcome = ebm(capsys, "solve", write(WELLS), f"{option}={value}")

    assert outcome.code == 2
    assert f"error[{code}" in outcome.err


def test_a_search_ends_when_its_time_is_spent(capsys, write) -> None:
    """A round of one start confirms nothing, so that only the time ends it before the last."""
    outcome = ebm(
        capsys, "solve", write(WELLS), "--method", "multistart", "--starts", 1, "--time", "1e-6s"
    )

    assert "the time is spent" in outcome.out


def test_the_plan_says_how_it_is_solved_and_why(capsys, write) -> None:
    outcome = ebm(capsys, "explain", write(WELLS))

    assert "multistart" in outcome.out
    assert "starts may end in different minima" in outcome.out
