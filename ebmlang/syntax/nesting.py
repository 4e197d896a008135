"""How deep a tree is: later phases walk it by recursion, so its depth is bounded here.

Long sums like `a + b + c + ...` are deep trees although no bracket is in sight, so depth
is measured on the tree itself, without recursion.
"""

from ebmlang.source import Diagnostic, Label, Span
from ebmlang.source.limits import NESTING
from ebmlang.syntax.outline import Branch, Node, outline


def check_nesting(node: Node) -> Diagnostic | None:
    """Return what there is to say about a tree that is nested too deep."""
    waiting: list[tuple[int, Branch]] = [(1, ("", node))]
    while waiting:
        level, (_, current) = waiting.pop()
        if level > NESTING:
            return say_too_deep(_leftmost(current).span)
        waiting.extend((level + 1, branch) for branch in outline(current).branches)
    return None


def say_too_deep(place: Span) -> Diagnostic:
    """Return the message that nesting passes the limit at a place."""
    return Diagnostic(
        code="E0105",
        headline=f"nested more than {NESTING} levels deep",
        primary=Label(place, "the limit is passed here"),
        helps=("name parts of it: `let inner = a + b`",),
    )


def _leftmost(node: Node) -> Node:
    while branches := outline(node).branches:
        node = branches[0][1]
    return node
