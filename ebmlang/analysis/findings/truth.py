"""W0423 and W0424: constraints that hold everywhere, and preferences that hold nowhere."""

from collections.abc import Iterator

from ebmlang.analysis.findings.sides import say_failure, say_truth
from ebmlang.analysis.findings.subject import Subject, show_number
from ebmlang.check.program import Role
from ebmlang.graph import RootKind
from ebmlang.source import Diagnostic, Label


def find_always_true(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a message for each constraint that the bounds of the variables imply."""
    for path in subject.everywhere(subject.is_always_true):
        term = subject.terms[path]
        margin = subject.root(RootKind.MARGIN, path)
        assert margin is not None
        if subject.range(margin)[0] >= 0:
            reason = say_truth(subject, margin, term.span.source)
        else:
            reason = "of a formula and its negation one holds"
        effect = "excludes nothing" if term.role is Role.REQUIRE else "costs nothing"
        yield Diagnostic(
            code="W0423",
            headline=f"`{path}` holds everywhere, so it {effect}",
            primary=Label(term.value.span, reason),
        )


def find_never_true(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a message for each `prefer` that no point of the domain satisfies."""
    for path in subject.everywhere(subject.is_never_true):
        term = subject.terms[path]
        margin = subject.root(RootKind.MARGIN, path)
        energy = subject.root(RootKind.ENERGY, path)
        assert margin is not None
        assert energy is not None
        reason, helps = say_failure(subject, margin, term.span.source)
        least = show_number(subject.range(energy)[0])
        yield Diagnostic(
            code="W0424",
            headline=f"`{path}` holds nowhere: it costs at least {least}",
            primary=Label(term.value.span, reason),
            helps=helps,
        )
