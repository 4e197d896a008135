"""The list of bugs keeps up with the samplers; that the table sees them is a script's work."""

from pathlib import Path

import pytest

import ebmlang
from tests.sample.table.mutants import MUTANTS, Mutant

PACKAGE = Path(ebmlang.__file__).parent


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.bug)
def test_a_bug_still_has_its_place(mutant: Mutant) -> None:
    text = (PACKAGE / mutant.file).read_text()

    assert mutant.infect(text) != text


def test_no_bug_is_listed_twice() -> None:
    assert len({mutant.bug for mutant in MUTANTS}) == len(MUTANTS)
