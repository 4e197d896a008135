"""The printed form of typed programs: text that people read, one file for each program."""

import os
from pathlib import Path

import pytest

from ebmlang.check import show_program
from tests.check.road import accept

GOLDEN = Path(__file__).parent.parent / "golden" / "typed"
PROGRAMS = sorted(GOLDEN.glob("*.ebm"))
WRITE = "EBM_WRITE_GOLDENS"


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_a_typed_program_reads_as_the_text_beside_it(path):
    golden = path.with_suffix(".txt")

    shown = show_program(accept(path.read_text(encoding="utf-8"), name=path.name))

    if os.environ.get(WRITE):
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text(encoding="utf-8")


def test_the_same_text_is_shown_the_same():
    text = PROGRAMS[0].read_text(encoding="utf-8")

    assert show_program(accept(text)) == show_program(accept(text))


def test_instances_of_one_function_are_told_apart():
    text = "fn f(a) = sum(a)\nvar x: real[2]\nvar y: real[3]\nminimize t: f(x) + f(y)"

    shown = show_program(accept(text))

    assert "fn f(a: real[2]) -> real" in shown
    assert "fn f#2(a: real[3]) -> real" in shown
    assert "f(x) + f#2(y)" in shown
