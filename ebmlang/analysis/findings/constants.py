"""W0331: a term that is the same for every point."""

from collections.abc import Iterator

from ebmlang.analysis.findings.subject import Subject, show_number
from ebmlang.graph import RootKind
from ebmlang.source import Diagnostic, Label


def find_constant_terms(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a message for each soft term whose energy does not move."""
    for path in subject.everywhere(subject.is_constant):
        number = subject.root(RootKind.ENERGY, path)
        assert number is not None
        if subject.graph.varying[number]:
            value = show_number(subject.range(number)[1])
            headline = f"the term `{path}` has the same energy everywhere"
            label = f"its energy is {value}, whatever the variables are"
        else:
            headline = f"the term `{path}` does not depend on any variable"
            label = "this is the same for every point"
        place = subject.terms[path].value.span
        yield Diagnostic(code="W0331", headline=headline, primary=Label(place, label))
