"""What the command says of `normalize` and of branches."""

import json

import pytest

from ebmlang.api import normalizers
from tests.api.test_normalizers import answer
from tests.cli.run import EXAMPLES, ebm

TARGET = EXAMPLES / "target.ebm"


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setattr(normalizers, "cache_folder", lambda: tmp_path)


def answering(monkeypatch, *reasons):
    def estimate(density, *, seed):
        return answer(3.25, reasons)

    monkeypatch.setattr(normalizers, "estimate_log_partition", estimate)


def test_the_page_of_a_spec_shows_what_was_estimated_and_its_error(capsys, monkeypatch):
    answering(monkeypatch)

    out = ebm(capsys, "explain", TARGET).out

    assert "log Z of what is normalized" in out
    assert "3.250 ± 0.010" in out
    assert "unreliable" not in out


def test_the_page_says_why_an_estimate_is_unreliable(capsys, monkeypatch):
    answering(monkeypatch, "the islands' own values spread by 3 nats")

    outcome = ebm(capsys, "explain", TARGET)

    assert outcome.code == 0
    assert "unreliable" in outcome.out
    assert "the islands' own values spread by 3 nats" in outcome.out


def test_the_page_shows_the_branches_with_their_shares(capsys, monkeypatch):
    answering(monkeypatch)

    lines = ebm(capsys, "explain", TARGET).out.splitlines()

    (ring,) = (line for line in lines if line.startswith("  hit[0]"))
    assert "0.75, `normalize(ring(radius))`" in ring


def test_a_page_without_a_normalize_says_nothing_of_integrals(capsys):
    assert "log Z" not in ebm(capsys, "explain", EXAMPLES / "desk.ebm").out


@pytest.mark.parametrize("verb", ["solve", "sample"])
def test_an_unreliable_integral_is_exit_code_3(capsys, monkeypatch, verb):
    answering(monkeypatch, "a few weights carry the mean: k-hat is 0.93")

    outcome = ebm(capsys, verb, TARGET)

    assert outcome.code == 3
    assert "error[E0715 integral-unreliable]" in outcome.err
    assert "k-hat is 0.93" in outcome.err
    assert "--accept-unreliable" in outcome.err


def test_an_unreliable_integral_can_be_accepted(capsys, monkeypatch):
    answering(monkeypatch, "a few weights carry the mean: k-hat is 0.93")

    outcome = ebm(capsys, "solve", TARGET, "--starts", 4, "--accept-unreliable", "--json")

    assert outcome.code == 0
    assert json.loads(outcome.out)["status"] == "solved"
