"""From a text to the facts of its graph, and from a graph to the values of its nodes."""

from collections.abc import Mapping

import numpy as np

from ebmlang.analysis import GraphFacts, Inputs
from ebmlang.graph import EnergyGraph, Root, RootKind
from ebmlang.lang.table import OPERATORS
from ebmlang.passes import ANALYZED, optimize
from tests.road import built


def facts_of(text: str, sizes: Mapping[str, int] | None = None, **inputs) -> GraphFacts:
    """Return the facts of a text; `inputs` are those of `Inputs`."""
    return GraphFacts(optimize(built(text, sizes), ANALYZED), Inputs(**inputs))


def energy_node(facts: GraphFacts, path: str) -> int:
    """Return the node of a soft term's energy."""
    return facts.graph.roots[Root(RootKind.ENERGY, path)]


def total_node(facts: GraphFacts) -> int:
    """Return the node of E."""
    return facts.graph.roots[Root(RootKind.TOTAL)]


def values_of(graph: EnergyGraph, point: Mapping[str, object]) -> list[np.ndarray]:
    """Return the value of every node at a point, in NumPy; there are no recurrences in it."""
    values: list[np.ndarray] = []
    for node in graph.nodes:
        match node.operator:
            case "variable":
                value = np.asarray(point[node.option("path")], dtype=np.float64)
            case "constant":
                value = node.option("value").array
            case "weight":
                value = np.asarray(node.option("value"))
            case operator:
                operands = [values[i] for i in node.inputs]
                with np.errstate(all="ignore"):
                    value = OPERATORS[operator].evaluate(*operands, **dict(node.options))
        values.append(np.asarray(value))
    return values


def random_point(facts: GraphFacts, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return a point of the domain, for boxes and half-lines alone."""
    point = {}
    for number, node in enumerate(facts.graph.nodes):
        if node.operator == "variable":
            bounds = facts.bounds[number].value
            lower, upper = np.maximum(bounds.lower, -4.0), np.minimum(bounds.upper, 4.0)
            point[node.option("path")] = rng.uniform(lower, upper, node.shape)
    return point
