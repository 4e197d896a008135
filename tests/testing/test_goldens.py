"""Goldens: compared, shown where they differ, and written when that is asked for."""

import pytest

from ebmlang.testing import assert_golden
from ebmlang.testing.goldens import WRITE


@pytest.fixture(autouse=True)
def _compare(monkeypatch):
    monkeypatch.delenv(WRITE, raising=False)


def test_the_same_text_passes(tmp_path):
    (tmp_path / "a.txt").write_text("one\ntwo\n")

    assert_golden(tmp_path / "a.txt", "one\ntwo\n")


@pytest.mark.parametrize(
    ("text", "shown"), [("one\nthree\n", "+three"), ("one\ntwo", "line breaks")]
)
def test_another_text_fails_and_the_difference_is_shown(tmp_path, text, shown):
    (tmp_path / "a.txt").write_text("one\ntwo\n")

    with pytest.raises(AssertionError) as failure:
        assert_golden(tmp_path / "a.txt", text)

    assert shown in str(failure.value)
    assert WRITE in str(failure.value)


def test_a_golden_that_is_missing_is_empty(tmp_path):
    with pytest.raises(AssertionError, match=r"\+one"):
        assert_golden(tmp_path / "new" / "a.txt", "one")


def test_goldens_are_written_when_that_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv(WRITE, "1")

    assert_golden(tmp_path / "new" / "a.txt", "one")

    assert (tmp_path / "new" / "a.txt").read_text() == "one"
