"""Which steps serve nothing but one operand of a choice, and what they are there.

Gradients are stopped where they leave the branch of a choice that was not taken, and for that the
branch has to be visible in the graph: steps between the choice and what it reads, used by nothing
else. Batched steps keep it visible if each axis holds exactly one step of every choice. So two
steps inside branches are of one shape only if they are used in the same way, by steps of one shape.
"""

from collections.abc import Sequence

from ebmlang.graph import EnergyGraph
from ebmlang.lang.operator import Family
from ebmlang.lang.table import OPERATORS

CHOICES = {"where": (1, 2), "supported": (3,)}
"""For operators that choose, the places of the operands that they choose from."""

OUTSIDE = 0
"""The mark of what is in no branch."""


def mark_branches(
    graph: EnergyGraph, operands: Sequence[tuple[int, ...]], sorts: Sequence[int]
) -> list[int]:
    """Return one number per node: the same for steps used in the same way inside of branches.

    Args:
        graph: The graph.
        operands: The inputs of each node, in the order in which they count.
        sorts: One number per node, the same for nodes so far taken to be of one shape.
    """
    marks = [OUTSIDE] * len(graph.nodes)
    if not any(node.operator in CHOICES for node in graph.nodes):
        return marks
    around: list[tuple[tuple[int, int], ...] | None] = [None] * len(graph.nodes)
    uses: list[list[tuple[int, int, int]]] = [[] for _ in graph.nodes]
    for number in graph.roots.values():
        around[number] = ()
    known: dict[frozenset[tuple[int, int, int]], int] = {}
    for number in range(len(graph.nodes) - 1, -1, -1):
        node = graph.nodes[number]
        inside = around[number]
        record = OPERATORS.get(node.operator)
        if inside and record is not None and record.family is Family.ELEMENTWISE:
            marks[number] = known.setdefault(frozenset(uses[number]), len(known) + 1)
        else:
            inside = ()
        for place, source in enumerate(operands[number]):
            chosen = CHOICES.get(node.operator, ())
            edge = (*inside, (number, place)) if place in chosen else inside
            before = around[source]
            around[source] = edge if before is None else _shared(before, edge)
            uses[source].append((sorts[number], marks[number], place))
    return marks


def _shared(
    one: tuple[tuple[int, int], ...], other: tuple[tuple[int, int], ...]
) -> tuple[tuple[int, int], ...]:
    """Return the choices around both, outermost first."""
    count = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        count += 1
    return one[:count]
