"""A term's energy taken apart: its value, and the weights that it is multiplied by."""

from ebmlang.graph import EnergyGraph


def strip_weight(graph: EnergyGraph, energy: int) -> int:
    """Return the value of a term whose energy, a root, is weighted."""
    node = graph.nodes[energy]
    if node.operator == "mul":
        for place, factor in enumerate(node.inputs):
            if _is_weight(graph, factor):
                return node.inputs[1 - place]
    return energy


def find_weight(graph: EnergyGraph, energy: int) -> int | None:
    """Return the node of the weight of a term, those of its parts multiplied in."""
    node = graph.nodes[energy]
    factors = node.inputs if node.operator == "mul" else ()
    return next((factor for factor in factors if _is_weight(graph, factor)), None)


def _is_weight(graph: EnergyGraph, number: int) -> bool:
    node = graph.nodes[number]
    if node.operator == "mul":
        return all(_is_weight(graph, factor) for factor in node.inputs)
    return node.operator == "weight"
