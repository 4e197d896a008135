"""W0211: variables, and elements of variables, that no term depends on."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from ebmlang.analysis.findings.subject import Subject
from ebmlang.analysis.findings.tracing import Mask, trace_needs
from ebmlang.graph import RootKind
from ebmlang.graph.graph import VariableInfo
from ebmlang.lang.types import DomainKind
from ebmlang.source import Diagnostic, Label, Span

SHOWN = 4
"""Elements that a message names."""

ALONE = (DomainKind.REAL, DomainKind.POSITIVE)
"""Domains whose elements are independent; in others, one that is untouched moves with the rest."""


def find_untouched(subject: Subject) -> Iterator[Diagnostic]:
    """Yield a message for each variable of which some value is decided by nothing."""
    graph = subject.graph
    roots = {r: n for r, n in graph.roots.items() if r.kind in (RootKind.ENERGY, RootKind.HARD)}
    needed = dict(trace_needs(subject.facts, roots.values()))
    for root, number in roots.items():
        if subject.is_flat(root.path):
            # That the term says nothing is the cause, and has its own message.
            needed |= dict.fromkeys(subject.facts.dependence[number].value, True)
    together: dict[Span, list[VariableInfo]] = {}
    for variable in graph.variables:
        if variable.span is not None:
            together.setdefault(variable.span, []).append(variable)
    for span, variables in together.items():
        idle = [_idle(variable, needed) for variable in variables]
        first = variables[0]
        # Of a spec with several parts, only what is idle in all of them speaks against its text.
        if all(mask.shape == idle[0].shape for mask in idle):
            mask = np.logical_and.reduce(idle)
            if mask.size and mask.any():
                yield _describe(first, span, mask)


def _idle(variable: VariableInfo, needed: Mapping[str, Mask]) -> NDArray[np.bool_]:
    """Return which elements of a variable nothing needs."""
    mask = np.broadcast_to(~np.asarray(needed.get(variable.path, False)), variable.shape)
    if variable.domain in ALONE or mask.all():
        return mask
    return np.zeros(variable.shape, dtype=np.bool_)


def _describe(variable: VariableInfo, span: Span, idle: NDArray[np.bool_]) -> Diagnostic:
    name = variable.path
    if idle.all():
        return Diagnostic(
            code="W0211",
            headline=f"no term depends on the variable `{name}`",
            primary=Label(span, "nothing decides its value"),
        )
    places = np.argwhere(idle)
    names = [f"`{name}[{', '.join(map(str, place))}]`" for place in places[:SHOWN]]
    if len(places) > SHOWN:
        names.append(f"{len(places) - SHOWN} more")
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    label = "nothing decides its value" if len(names) == 1 else "nothing decides their values"
    return Diagnostic(
        code="W0211",
        headline=f"no term depends on {listed}",
        primary=Label(span, label),
    )
