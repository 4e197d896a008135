"""From a text to what is found in it."""

from ebmlang.analysis import GraphFacts
from ebmlang.analysis.findings import list_findings
from ebmlang.analysis.framework import Inputs
from ebmlang.graph.build import build_graph
from ebmlang.passes import ANALYZED, optimize
from ebmlang.source import Diagnostic
from tests.road import typed


def find(text: str, *, pedantic: bool = False, **inputs) -> tuple[Diagnostic, ...]:
    """Return the findings about a text; `inputs` are those of `Inputs`."""
    program = typed(text)
    graph = optimize(build_graph(program, {}), ANALYZED)
    return list_findings(GraphFacts(graph, Inputs(**inputs)), program, pedantic=pedantic)


def names(text: str, code: str, *, pedantic: bool = False, **inputs) -> list[str]:
    """Return the first name that each finding of one code speaks of, in the order of the text."""
    found = find(text, pedantic=pedantic, **inputs)
    return [d.headline.split("`")[1] for d in found if d.code == code]


def codes(text: str, *, pedantic: bool = False, **inputs) -> list[str]:
    """Return the codes of all findings, in the order of the text."""
    return [d.code for d in find(text, pedantic=pedantic, **inputs)]
