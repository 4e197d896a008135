"""The layout of a spec says nothing: the formatted text is the same program and the same graph."""

from pathlib import Path

import pytest

from ebmlang.check import FolderLoader, check_file, show_program
from ebmlang.check.program import Program
from ebmlang.graph.build import build_graph
from ebmlang.source import Report, SourceText
from ebmlang.syntax import format_file, parse_file
from tests.examples.folder import FILES

CRAMPED = """
logic godel const n=3 var x:real[n]in[0,1]
fn f(a,b)=a*(b+(-a))^2 spec s(c){var y:real prefer p:(y<=c)and not(y>=-c)weight(2)}
part q=s((1))weight 3 prefer r:forall i in 0..n-1 where i%2==0:x[i]<=(f(x[i],1)) within(0.5+0)
"""


def _program(text: str, path: Path) -> Program:
    report = Report()
    file = parse_file(SourceText(path.name, text), report)
    program = check_file(file, report, loader=FolderLoader(path, path.name))
    report.raise_if_errors()
    assert program is not None
    return program


def _formatted(text: str) -> str:
    return format_file(parse_file(SourceText("written.ebm", text), Report()))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_formatted_file_is_the_same_program_and_the_same_graph(path):
    text = path.read_text()
    wild = text.replace("\n", "\n  ").replace(", ", " ,\n")

    programs = [_program(version, path) for version in (text, _formatted(text), _formatted(wild))]

    assert len({show_program(program) for program in programs}) == 1
    graphs = [build_graph(program, dict.fromkeys(program.sizes, 8)) for program in programs]
    assert graphs[0] == graphs[1] == graphs[2]


def test_a_cramped_file_keeps_its_meaning():
    path = Path("cramped.ebm")

    before, after = _program(CRAMPED, path), _program(_formatted(CRAMPED), path)

    assert show_program(before) == show_program(after)
    assert build_graph(before, {}) == build_graph(after, {})
