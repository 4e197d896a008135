"""The road from text to graph in one call, for tests: any error is raised."""

from collections.abc import Mapping

from ebmlang.check import check_file
from ebmlang.check.program import Program
from ebmlang.graph import EnergyGraph
from ebmlang.graph.build import build_graph
from ebmlang.passes import optimize
from ebmlang.source import Report, SourceText
from ebmlang.syntax import parse_file


def typed(text: str, **constants: float) -> Program:
    report = Report()
    file = parse_file(SourceText("test.ebm", text), report)
    report.raise_if_errors()
    program = check_file(file, report, constants=constants)
    report.raise_if_errors()
    assert program is not None
    return program


def built(text: str, sizes: Mapping[str, int] | None = None, **constants: float) -> EnergyGraph:
    return build_graph(typed(text, **constants), sizes or {})


def optimized(text: str, sizes: Mapping[str, int] | None = None, **constants: float) -> EnergyGraph:
    return optimize(built(text, sizes, **constants))
