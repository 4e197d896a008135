"""The passes, in order, as data."""

from collections.abc import Sequence

from ebmlang.graph import EnergyGraph
from ebmlang.graph.validate import validate_graph
from ebmlang.passes.batching import BATCHING
from ebmlang.passes.energies import ENERGIES
from ebmlang.passes.folding import FOLDING
from ebmlang.passes.negation import NEGATION
from ebmlang.passes.pruning import PRUNING
from ebmlang.passes.rewrite import Pass
from ebmlang.passes.sharing import SHARING

ANALYZED: tuple[Pass, ...] = (NEGATION, ENERGIES, FOLDING, SHARING)
"""From the graph as built to the graph that analyses read."""

PASSES: tuple[Pass, ...] = (*ANALYZED, PRUNING, BATCHING)
"""From the graph as built to the graph that is lowered."""


def optimize(graph: EnergyGraph, passes: Sequence[Pass] = PASSES) -> EnergyGraph:
    """Return the graph after all passes, and make sure that it is valid.

    Args:
        graph: A graph as built.
        passes: The passes to run, each after those it needs.
    """
    done: set[str] = set()
    for rewrite in passes:
        assert done.issuperset(rewrite.needs), f"{rewrite.name} runs too early"
        graph = rewrite.rewrite(graph)
        done.add(rewrite.name)
    validate_graph(graph)
    return graph
