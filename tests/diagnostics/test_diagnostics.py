"""Each wrong program beside this file says what is wrong with it, as the text beside it has it.

After a wanted change of a message, `EBM_WRITE_GOLDENS=1 pytest tests/diagnostics` writes the
texts again; then read what has changed as the user who wrote the program would.
"""

import os
from pathlib import Path

import pytest

from ebmlang.source.draw import draw_diagnostics
from tests.diagnostics.road import find_diagnostics

HERE = Path(__file__).parent
PROGRAMS = sorted(HERE.glob("*/*.ebm"))
WRITE = "EBM_WRITE_GOLDENS"


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_wrong_program_gives_the_messages_beside_it(path):
    golden = path.with_suffix(".txt")

    drawn = draw_diagnostics(find_diagnostics(path)) + "\n"

    if os.environ.get(WRITE):
        golden.write_text(drawn, encoding="utf-8")
    assert drawn == golden.read_text(encoding="utf-8")


def test_no_message_stands_beside_a_program_that_is_gone():
    orphans = [p.name for p in HERE.glob("*/*.txt") if not p.with_suffix(".ebm").exists()]

    assert not orphans
