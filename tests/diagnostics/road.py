"""What a user is told about a program, from its text to its graph."""

from pathlib import Path

from ebmlang.check import FolderLoader, check_file
from ebmlang.graph.build import build_graph
from ebmlang.source import Diagnostic, EbmError, Report, SourceText
from ebmlang.syntax import parse_file

SIZE = 3
"""What every size that only data would bind is taken to be."""


def find_diagnostics(path: Path) -> tuple[Diagnostic, ...]:
    """Return the messages about a file and the modules beside it."""
    text = path.read_text(encoding="utf-8")
    return find_in_text(text, path.name, FolderLoader(path, path.name))


def find_in_text(
    text: str, name: str = "test.ebm", loader: FolderLoader | None = None
) -> tuple[Diagnostic, ...]:
    """Return the messages about a text; its graph is built where the check finds no error."""
    report = Report()
    file = parse_file(SourceText(name, text), report)
    program = check_file(file, report, loader=loader)
    found = report.diagnostics
    if program is not None and not report.has_errors:
        try:
            build_graph(program, dict.fromkeys(program.sizes, SIZE))
        except EbmError as error:
            found = (*found, *error.diagnostics)
    return found
