"""Facts in the words of the spec: which of its text a fact is about, and what to call it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ebmlang.analysis.spots import Spot
from ebmlang.graph import Origin, Root, RootKind
from ebmlang.lang.facts import Curvature
from ebmlang.source import Span

if TYPE_CHECKING:
    from ebmlang.analysis.facts import GraphFacts

LONGEST_TEXT = 40
"""Characters of a piece of the spec that are shown inside a sentence."""


def find_energy(facts: "GraphFacts", path: str) -> int:
    """Return the node of a soft term's share of E; -1 for a `require`."""
    return facts.graph.roots.get(Root(RootKind.ENERGY, path), -1)


def find_span(
    facts: "GraphFacts", path: str, number: int, origin: Origin | None = None
) -> Span | None:
    """Return where in the reader's text a message about a node of a term should point.

    That is the node's own place, unless it is in another file, or in another term that has the
    same node: then it is that of the nearest node that uses it. What a library function does
    inside is not the reader's text.

    Args:
        facts: Facts of the graph.
        path: Path of the term.
        number: The node.
        origin: Where the message is about, if it is not the node's own place.
    """
    own = next((term.span for term in facts.graph.terms if term.path == path), None)
    if own is None:
        return None
    others = [term.span for term in facts.graph.terms if term.path != path]
    first = facts.graph.nodes[number].origin if origin is None else origin
    if first.span is not None and _is_own(first.span, own, others):
        return first.span
    inside = set(_iterate_term(facts, path))
    reached = {number}
    for user in range(number + 1, len(facts.graph)):
        node = facts.graph.nodes[user]
        if user in inside and not reached.isdisjoint(node.inputs):
            span = node.origin.span
            if span is not None and _is_own(span, own, others):
                return span
            reached.add(user)
    return own


def _is_own(span: Span, own: Span, others: list[Span | None]) -> bool:
    """Whether a place is in a term's own file, and in no other term."""
    return span.source == own.source and not any(
        other is not None
        and other != own
        and other.source == span.source
        and other.start <= span.start
        and span.end <= other.end
        for other in others
    )


def _iterate_term(facts: "GraphFacts", path: str) -> Iterator[int]:
    """Yield the numbers of all nodes that a term is made of."""
    for kind in (RootKind.ENERGY, RootKind.HARD, RootKind.MARGIN):
        number = facts.graph.roots.get(Root(kind, path))
        if number is not None:
            yield number
            yield from facts.graph.ancestors(number)


def find_culprit(facts: "GraphFacts", number: int) -> int:
    """Return the node that broke the rule, inside of one whose curvature is unknown."""
    while True:
        because = facts.curvature[number].because
        worse = [i for i in because if facts.curvature[i].value is Curvature.UNKNOWN]
        if not worse:
            return number
        number = worse[0]


def show_spot(facts: "GraphFacts", path: str, spot: Spot) -> str:
    """Return in a few words where a term is not smooth."""
    span = find_span(facts, path, spot.node, spot.origin)
    return f"`{path}`: {spot.kind.value}" + ("" if span is None else f" of {show_place(span)}")


def show_place(span: Span) -> str:
    """Return a span as text and place; of a long text, its beginning.

    >>> from ebmlang.source import SourceText
    >>> show_place(SourceText("a.ebm", "minimize far: abs(x)").span(14, 20))
    '`abs(x)` at 1:15'
    """
    text = " ".join(span.text.split())
    shown = text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT].rstrip()}…"
    line, column = span.source.position(span.start)
    return f"`{shown}` at {line}:{column}"


def show_obstacle(facts: "GraphFacts", path: str, number: int) -> str:
    """Return in a few words why a term, or its margin, is not proved to bend as it should."""
    what = f"the margin of `{path}`" if find_energy(facts, path) < 0 else f"`{path}`"
    curvature = facts.curvature[number].value
    if curvature is Curvature.UNKNOWN:
        return f"{what} is of unknown curvature"
    return f"{what} is {curvature.value}"
