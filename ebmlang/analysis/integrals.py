"""What is normalized must have a finite integral over its own variables.

`normalize(A)` promises a density. Where a direction proves that exp(-A) has no finite integral, no
estimate could be right, and the spec is refused, whatever else of it holds these variables.
"""

from collections.abc import Iterator

from ebmlang.analysis.facts import GraphFacts
from ebmlang.analysis.framework import Inputs
from ebmlang.analysis.propriety.message import show_reason
from ebmlang.analysis.verdict import Answer, Verdict
from ebmlang.graph.integrands import extract_integrand, list_integrands
from ebmlang.source import Diagnostic, Label, Span

SHOWN = 40
"""Longest energy that a help repeats [characters]."""

_SAID = {
    Answer.IMPROPER: (
        "E0418",
        "what is normalized here has no finite integral",
        "exp of minus this does not integrate over {}",
    ),
    Answer.UNKNOWN: (
        "W0422",
        "nothing proves that what is normalized here has a finite integral",
        "integrated over {}",
    ),
}


def integral_diagnostics(facts: GraphFacts) -> Iterator[Diagnostic]:
    """Yield E0418 for each `normalize` that cannot be one, W0422 where nothing is proved of it."""
    for integral in list_integrands(facts.graph):
        graph = extract_integrand(facts.graph, integral)
        paths = {given.path for given in graph.givens}
        known = {path: value for path, value in facts.inputs.givens.items() if path in paths}
        verdict = GraphFacts(graph, Inputs(givens=known)).propriety.integrable
        if verdict.answer is Answer.PROPER:
            continue
        assert integral.span is not None
        code, headline, label = _SAID[verdict.answer]
        over = " and ".join(f"`{variable.path}`" for variable in graph.variables)
        yield Diagnostic(
            code=code,
            headline=headline,
            primary=Label(integral.span, label.format(over)),
            because=tuple(map(show_reason, verdict.because)),
            helps=tuple(_suggest(verdict, integral.span)),
        )


def _suggest(verdict: Verdict, span: Span) -> Iterator[str]:
    """Yield what mends it; a term beside the `normalize` would not."""
    yield from verdict.helps[:1]
    if verdict.direction is not None and verdict.direction.log_rate >= 0:
        inside = span.text.partition("(")[2].removesuffix(")")
        inside = inside if len(inside) <= SHOWN and "\n" not in inside else "..."
        yield f"or hold it inside: `normalize({inside} and {verdict.variables[0]} ~ normal(0, 10))`"
