"""`repel(A, k)` is allowed only where exp(-E) provably keeps a finite integral.

Its share -k A falls without bound wherever A grows, so that only bounds, or the rest of the spec,
can hold what it pushes. What is not proved is refused, for `solve` too: where E falls without
bound there is nothing to find.
"""

import numpy as np

from ebmlang.analysis.facts import GraphFacts
from ebmlang.analysis.propriety.message import show_reason
from ebmlang.analysis.verdict import Answer, Verdict
from ebmlang.check.formulas import Apply
from ebmlang.check.program import Program
from ebmlang.check.walk import reach_expressions
from ebmlang.source import Diagnostic, Label, Span

_HEADLINES = {
    Answer.IMPROPER: "with this `repel`, `exp(-E)` has no finite integral",
    Answer.UNKNOWN: "nothing proves that `exp(-E)` has a finite integral with this `repel`",
}


def repel_diagnostics(program: Program, facts: GraphFacts) -> tuple[Diagnostic, ...]:
    """Return the error about a `repel` that no proof allows, if there is one (E0414).

    Data that is still missing may be what a proof needs: then nothing is said yet.

    Args:
        program: The typed program, which knows where `repel` is written.
        facts: Those of its graph, with the data that there is.
    """
    calls = _find_calls(program)
    if not calls:
        return ()
    verdict = facts.propriety.integrable
    data = [given.path for given in facts.graph.givens if not given.estimated]
    missing = any(path not in facts.inputs.givens for path in data)
    if verdict.answer is Answer.PROPER or (verdict.answer is Answer.UNKNOWN and missing):
        return ()
    first, *others = calls
    return (
        Diagnostic(
            code="E0414",
            headline=_HEADLINES[verdict.answer],
            primary=Label(first, "this falls without bound where nothing holds it"),
            secondary=tuple(Label(span, "and this") for span in others),
            because=tuple(map(show_reason, verdict.because)),
            helps=_ask_for_bounds(verdict, facts),
        ),
    )


def _find_calls(program: Program) -> list[Span]:
    """Return where `repel` is called in what the terms depend on, in the order of the text."""
    spans = {
        expression.span
        for expression in reach_expressions(program.body)
        if isinstance(expression, Apply) and expression.operator == "repel"
    }
    return sorted(spans, key=lambda span: (span.source.name, span.start))


def _ask_for_bounds(verdict: Verdict, facts: GraphFacts) -> tuple[str, ...]:
    """Return the help that always helps, if any of the variables in question has no bounds.

    Not that of the verdict: a term that holds a plain energy need not hold what is repelled.
    """
    unbounded = [
        node.option("path")
        for node, bounds in zip(facts.graph.nodes, facts.bounds, strict=True)
        if node.operator == "variable" and np.isinf([bounds.value.lower, bounds.value.upper]).any()
    ]
    asked = [f"`{path}`" for path in unbounded if path in (verdict.variables or unbounded)]
    if not asked:
        return ()
    listed = " and ".join(filter(None, (", ".join(asked[:-1]), asked[-1])))
    return (f"give {listed} bounds, such as `in [-10, 10]`",)
