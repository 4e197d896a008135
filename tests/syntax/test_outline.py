"""The printable tree: `ebm graph --stage ast`."""

from pathlib import Path

import pytest
from hypothesis import given

from ebmlang.source import Report, SourceText
from ebmlang.syntax import format_file, parse_file, show_tree
from tests.syntax.reading import parse_well
from tests.syntax.trees import files, patient

GOLDEN = Path(__file__).parents[1] / "golden" / "ast"


@pytest.mark.slow
@patient
@given(files)
def test_the_printed_tree_depends_on_nothing_but_the_tree(file):
    assert show_tree(parse_well(format_file(file))) == show_tree(file)


@pytest.mark.parametrize("case", sorted(GOLDEN.glob("*.ebm")), ids=lambda path: path.stem)
def test_golden_trees(case):
    report = Report()
    file = parse_file(SourceText(case.name, case.read_text(encoding="utf-8")), report)

    assert show_tree(file) == case.with_suffix(".ast").read_text(encoding="utf-8")
    assert report.diagnostics == ()
