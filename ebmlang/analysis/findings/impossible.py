"""E0411: what the bounds of the variables, or the data, exclude everywhere."""

from collections.abc import Iterator

import numpy as np

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


def find_infinite(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a message for each soft term that has infinite energy at every point."""
    for root, number in subject.graph.roots_of(RootKind.ENERGY):
        if not subject.is_infinite(root.path):
            continue
        term = subject.terms[root.path]
        outside = _excludes_data(subject, number)
        yield Diagnostic(
            code="E0411",
            headline=f"the term `{root.path}` has infinite energy everywhere",
            primary=Label(term.value.span, "this has probability 0 at every point"),
            notes=("the data lies outside the support of the density",) if outside else (),
        )


def _excludes_data(subject: Subject, energy: int) -> bool:
    """Whether a density in a term is that of data, all bounds of its support known, outside it."""
    graph, bounds = subject.graph, subject.facts.bounds
    for number in (energy, *graph.ancestors(energy)):
        node = graph.nodes[number]
        if node.operator != "supported" or graph.varying[node.inputs[0]]:
            continue
        value, lower, upper = (bounds[i].value for i in node.inputs[:3])
        if np.any((value.upper < lower.lower) | (value.lower > upper.upper)):
            return True
    return False


def _conjuncts(subject: Subject, number: int) -> tuple[int, ...]:
    """Return the margins that a HARD root was joined of."""
    nodes = subject.graph.nodes
    pieces = nodes[number].inputs if nodes[number].operator == "concat" else (number,)
    flat = (nodes[i].inputs[0] if nodes[i].operator == "reshape" else i for i in pieces)
    return tuple(dict.fromkeys(flat))
