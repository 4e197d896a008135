"""What no root needs goes."""

from dataclasses import replace

from ebmlang.graph import EnergyGraph
from ebmlang.passes.rewrite import Pass, with_bodies


def prune_unused(graph: EnergyGraph) -> EnergyGraph:
    """Return the graph with only the nodes that a root depends on."""
    graph = with_bodies(graph, prune_unused)
    needed = set(graph.roots.values())
    for number in range(len(graph.nodes) - 1, -1, -1):
        if number in needed:
            needed.update(graph.nodes[number].inputs)
    numbers = {old: new for new, old in enumerate(sorted(needed))}
    nodes = tuple(
        replace(graph.nodes[old], inputs=tuple(numbers[i] for i in graph.nodes[old].inputs))
        for old in sorted(needed)
    )
    return replace(
        graph, nodes=nodes, roots={root: numbers[old] for root, old in graph.roots.items()}
    )


PRUNING = Pass(
    name="pruning",
    needs=(),
    law="every root keeps its value bit for bit",
    rewrite=prune_unused,
)
