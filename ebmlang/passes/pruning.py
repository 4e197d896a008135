"""What no root of a run needs goes, and with it the roots that only analyses read."""

from dataclasses import replace

from ebmlang.graph import EnergyGraph, RootKind
from ebmlang.graph.integrands import keep_roots
from ebmlang.passes.rewrite import Pass, with_bodies

ANALYZED = frozenset({RootKind.DENSITY, RootKind.LEFT, RootKind.INTEGRAND})
"""Roots that a run does not need."""


def prune_unused(graph: EnergyGraph) -> EnergyGraph:
    """Return the graph with only the nodes that a root of a run depends on."""
    graph = with_bodies(graph, prune_unused)
    kept = keep_roots(
        graph, {root: n for root, n in graph.roots.items() if root.kind not in ANALYZED}
    )
    inputs = {node.option("path") for node in kept.nodes if node.operator == "given"}
    # Nobody hands these over: what no root needs is not estimated.
    givens = tuple(g for g in kept.givens if not g.estimated or g.path in inputs)
    return replace(kept, givens=givens)


PRUNING = Pass(
    name="pruning",
    needs=(),
    law="every root of a run keeps its value bit for bit",
    rewrite=prune_unused,
)
