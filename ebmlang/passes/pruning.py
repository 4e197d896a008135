"""What no root of a run needs goes, and with it the roots that only analyses read."""

from dataclasses import replace

from ebmlang.graph import EnergyGraph, RootKind
from ebmlang.passes.rewrite import Pass, with_bodies

ANALYZED = frozenset({RootKind.DENSITY, RootKind.LEFT})
"""Roots that a run does not need."""


def prune_unused(graph: EnergyGraph) -> EnergyGraph:
    """Return the graph with only the nodes that a root of a run depends on."""
    graph = with_bodies(graph, prune_unused)
    roots = {root: number for root, number in graph.roots.items() if root.kind not in ANALYZED}
    needed = set(roots.values())
    for number in range(len(graph.nodes) - 1, -1, -1):
        if number in needed:
            needed.update(graph.nodes[number].inputs)
    numbers = {old: new for new, old in enumerate(sorted(needed))}
    nodes = tuple(
        replace(graph.nodes[old], inputs=tuple(numbers[i] for i in graph.nodes[old].inputs))
        for old in sorted(needed)
    )
    return replace(graph, nodes=nodes, roots={root: numbers[old] for root, old in roots.items()})


PRUNING = Pass(
    name="pruning",
    needs=(),
    law="every root of a run keeps its value bit for bit",
    rewrite=prune_unused,
)
