"""W0428: variables, terms and tolerances of sizes so far apart that a search suffers."""

import math
from collections.abc import Iterator

import numpy as np

from ebmlang.analysis.findings.subject import Subject, show_number, show_range
from ebmlang.analysis.findings.tolerances import (
    TINY,
    find_margin_range,
    find_preferred_relations,
    is_default,
)
from ebmlang.analysis.findings.weighing import find_weight
from ebmlang.check.formulas import Relation
from ebmlang.graph import RootKind
from ebmlang.source import Diagnostic, Label

LONG, SHORT = 1e3, 1e-3
"""Widths of a domain beyond which its unit is a poor one."""

APART = 1e6
"""Ratio of the ranges of two terms from which on the smaller one is not felt."""


def find_far_scales(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a message for each variable, pair of terms or tolerance that is out of scale."""
    yield from _find_variables(subject)
    yield from _find_terms(subject)
    for relation in find_preferred_relations(subject).values():
        yield from _find_tolerance(subject, relation)


def _find_variables(subject: Subject) -> Iterator[Diagnostic]:
    seen = set()
    for variable in subject.graph.variables:
        lower = subject.root(RootKind.LOWER, variable.path)
        upper = subject.root(RootKind.UPPER, variable.path)
        if lower is None or upper is None or variable.span is None or variable.span in seen:
            continue
        low = subject.facts.bounds[lower].value.lower
        widths = subject.facts.bounds[upper].value.upper - low
        widths = widths[np.isfinite(widths) & (widths > 0)]
        if widths.size == 0 or (widths.max() <= LONG and widths.min() >= SHORT):
            continue
        seen.add(variable.span)
        width = float(widths.max() if widths.max() > LONG else widths.min())
        unit = "larger" if width > LONG else "smaller"
        yield Diagnostic(
            code="W0428",
            headline=f"the domain of `{variable.path}` is {show_number(width)} wide",
            primary=Label(variable.span, "its values are far from 1"),
            helps=(f"measure it in a {unit} unit, so that it moves by about 1",),
        )


def _find_terms(subject: Subject) -> Iterator[Diagnostic]:
    """Of the terms of each weight, the one with the widest range of energies and the narrowest."""
    groups: dict[float, list[tuple[float, str]]] = {}
    for root, number in subject.graph.roots_of(RootKind.ENERGY):
        low, high = subject.range(number)
        if math.isfinite(high - low) and high > low:
            weight = find_weight(subject.graph, number)
            size = 1.0 if weight is None else subject.range(weight)[1]
            groups.setdefault(size, []).append((high - low, root.path))
    for ranges in groups.values():
        (narrow, quiet), (wide, loud) = min(ranges), max(ranges)
        if wide > APART * narrow:
            yield Diagnostic(
                code="W0428",
                headline=f"next to `{loud}`, nothing of `{quiet}` is felt: their weights are equal",
                primary=Label(
                    subject.terms[loud].value.span,
                    f"its energy varies by up to {show_number(wide)}",
                ),
                secondary=(
                    Label(
                        subject.terms[quiet].value.span,
                        f"and this by {show_number(narrow)} at most",
                    ),
                ),
                helps=("give them weights, or tolerances, so that both count",),
            )


def _find_tolerance(subject: Subject, relation: Relation) -> Iterator[Diagnostic]:
    low, high = find_margin_range(subject, relation.span)
    if relation.tolerance is None or is_default(relation) or not math.isfinite(high - low):
        return
    if (high - low) * TINY > 1:
        text = " ".join(relation.span.text.split())
        yield Diagnostic(
            code="W0428",
            headline=f"the tolerance of `{text}` is less than a millionth of its range",
            primary=Label(
                relation.tolerance.span, f"in tolerances, its margin {show_range(low, high)}"
            ),
            helps=("a wall is a `require`; a `prefer` needs a slope that can be felt",),
        )
