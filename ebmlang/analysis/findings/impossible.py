"""E0411: a requirement that the bounds of the variables exclude."""

from collections.abc import Iterator

from ebmlang.analysis.findings.sides import say_failure
from ebmlang.analysis.findings.subject import Subject
from ebmlang.graph import RootKind
from ebmlang.source import Diagnostic, Label


def find_impossible(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a message for each conjunct of a `require` that holds nowhere."""
    for root, number in subject.graph.roots_of(RootKind.HARD):
        term = subject.terms[root.path]
        for margin in _conjuncts(subject, number):
            bounds = subject.facts.bounds[margin].value
            # Where there is no value at all, the fault is another one.
            if not ((bounds.lower <= bounds.upper) & (bounds.upper < 0)).any():
                continue
            place = subject.place(margin, root.path)
            label, helps = say_failure(subject, margin, term.span.source)
            yield Diagnostic(
                code="E0411",
                headline=f"`{root.path}` can never hold",
                primary=Label(place, label),
                secondary=() if term.span.covers(place) else (Label(term.span, "required here"),),
                helps=helps,
            )


def _conjuncts(subject: Subject, number: int) -> tuple[int, ...]:
    """Return the margins that a HARD root was joined of."""
    nodes = subject.graph.nodes
    pieces = nodes[number].inputs if nodes[number].operator == "concat" else (number,)
    flat = (nodes[i].inputs[0] if nodes[i].operator == "reshape" else i for i in pieces)
    return tuple(dict.fromkeys(flat))
