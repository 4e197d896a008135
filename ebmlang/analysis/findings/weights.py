"""W0426: weights that cannot matter."""

from collections.abc import Iterator

from ebmlang.analysis.findings.subject import Subject
from ebmlang.check.paths import iterate_bodies
from ebmlang.check.program import Body, Part, Role
from ebmlang.source import Diagnostic, Label, Span


def find_useless_weights(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a message for each weight of what costs nothing, or the same everywhere."""
    for path in subject.everywhere(subject.is_flat):
        term = subject.terms[path]
        if term.weight != 1:
            reason = "its energy is the same everywhere, with this weight and without"
            yield _useless(path, _weight(term.span), reason)
    for prefix, body in iterate_bodies(subject.program.body):
        for part in body.definitions:
            if isinstance(part, Part) and part.weight != 1 and not _is_soft(part.instance.body):
                reason = "nothing in it is soft: what is required has no weight"
                yield _useless(f"{prefix}{part.symbol.name}", _weight(part.span), reason)


def find_lone_weights(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a message for each weight that only `sample` feels: it scales all that is soft."""
    soft = [path for path, term in subject.terms.items() if term.role is not Role.REQUIRE]
    for block in subject.facts.blocks:
        (path, *others) = [path for path in block.terms if path in soft] or [""]
        if not path or others or subject.terms[path].weight == 1 or subject.is_flat(path):
            continue
        if sum(path in other.terms for other in subject.facts.blocks) > 1:
            continue
        diagnostic = "nothing else is soft here: it changes what `sample` draws, not the minimum"
        yield _useless(path, _weight(subject.terms[path].span), diagnostic)


def _is_soft(body: Body) -> bool:
    """Whether a body, or a part in it, has a term with a weight."""
    return any(
        term.role is not Role.REQUIRE for _, inner in iterate_bodies(body) for term in inner.terms
    )


def _useless(path: str, span: Span, reason: str) -> Diagnostic:
    return Diagnostic(
        code="W0426",
        headline=f"the weight of `{path}` does not matter",
        primary=Label(span, reason),
    )


def _weight(statement: Span) -> Span:
    """Return the text of a statement's weight: it comes last, and `weight` is no name."""
    place = statement.text.rfind("weight")
    return (
        statement if place < 0 else Span(statement.source, statement.start + place, statement.end)
    )
