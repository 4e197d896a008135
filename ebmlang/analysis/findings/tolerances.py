"""W0427: preferences measured by the scale 1, which nobody wrote, where it does not fit."""

import math
from collections.abc import Iterator
from dataclasses import replace

from ebmlang.analysis.findings.subject import Subject, show_number, show_range
from ebmlang.check.formulas import Literal, Relation
from ebmlang.check.paths import iterate_bodies
from ebmlang.check.program import Body, Let, Role
from ebmlang.check.walk import reach_expressions
from ebmlang.source import Diagnostic, Label, Span

WIDE = 0.1
"""Part of the range from which on a tolerance blurs all of it."""

TINY = 1e-6
"""Part of the range below which a tolerance makes a wall."""

PROPOSED = 0.01
"""Part of the range that a message proposes."""


def find_default_tolerances(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a message for each relation of a `prefer` whose scale 1 is far from its range."""
    for relation in find_preferred_relations(subject).values():
        if not is_default(relation):
            continue
        low, high = find_margin_range(subject, relation.span)
        width = high - low
        if not (math.isfinite(width) and width > 0):
            continue
        if width * WIDE < 1:
            fault = "more than a tenth of its range"
        elif width * TINY > 1:
            fault = "less than a millionth of its range"
        else:
            continue
        text = " ".join(relation.span.text.split())
        proposed = show_number(_round(width * PROPOSED))
        yield Diagnostic(
            code="W0427",
            headline=f"the tolerance of `{text}` is 1 where none is written, {fault}",
            primary=Label(relation.span, f"right side minus left {show_range(low, high)}")
            if relation.operator.value in ("<=", "<")
            else Label(relation.span, f"left side minus right {show_range(low, high)}"),
            helps=(
                f"`{text} within {proposed}`",
                f"for the whole file: `default within {proposed}`",
            ),
        )


def find_preferred_relations(subject: Subject) -> dict[Span, Relation]:
    """Return the relations that a `prefer` depends on, by place, in the files of the terms."""
    found: dict[Span, Relation] = {}
    sources = {id(term.span.source) for term in subject.terms.values()}
    for _, body in iterate_bodies(subject.program.body):
        for expression in reach_expressions(_preferences(body)):
            if isinstance(expression, Relation) and id(expression.span.source) in sources:
                found.setdefault(expression.span, expression)
    return found


def find_margin_range(subject: Subject, relation: Span) -> tuple[float, float]:
    """Return what the margins of all uses of a relation lie between."""
    ranges = [subject.range(number) for number, span in subject.shortfalls if span == relation]
    lows, highs = zip(*ranges, strict=True) if ranges else ((-math.inf,), (math.inf,))
    return -max(highs), -min(lows)


def is_default(relation: Relation) -> bool:
    """Whether a relation on reals has no `within` and no default of its file.

    The checker puts the number 1 there, at the place of the relation itself.
    """
    tolerance = relation.tolerance
    return isinstance(tolerance, Literal) and tolerance.span == relation.span


def _preferences(body: Body) -> Body:
    """Return a body with its preferences only; its parts are bodies of their own."""
    lets = tuple(definition for definition in body.definitions if isinstance(definition, Let))
    terms = tuple(term for term in body.terms if term.role is Role.PREFER)
    return replace(body, definitions=lets, terms=terms)


def _round(value: float) -> float:
    """Return the next lower number of 1, 2, 5, 10, 20, ..."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (5, 2, 1) if step * power <= value * (1 + 1e-9))
