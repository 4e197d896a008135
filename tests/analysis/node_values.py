"""The value of every node of an analyzed graph at a point, by the operators' own definitions."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebmlang.analysis import GraphFacts, Inputs
from ebmlang.graph import EnergyGraph, Node
from ebmlang.graph.build import build_graph
from ebmlang.lang.table import OPERATORS
from ebmlang.passes import optimize
from ebmlang.passes.pipeline import ANALYZED
from tests.road import typed

Array = NDArray[Any]


def facts_of(
    text: str, sizes: Mapping[str, int] | None = None, data: Mapping[str, Any] | None = None
) -> GraphFacts:
    """Return the facts of a spec; givens that are not in the data have their default."""
    graph = optimize(build_graph(typed(text), sizes or {}), ANALYZED)
    givens = {g.path: g.default.array for g in graph.givens if g.default is not None}
    return GraphFacts(graph, Inputs(givens={**givens, **(data or {})}))


def node_of(facts: GraphFacts, path: str) -> int:
    """Return the number of a report."""
    return next(number for root, number in facts.graph.roots.items() if root.path == path)


def evaluate_nodes(graph: EnergyGraph, point: Mapping[str, Array], inputs: Inputs) -> list[Array]:
    """Return every node's array, in float64 (or int64, or bool)."""

    def leaf(node: Node) -> Array:
        match node.operator:
            case "constant":
                return node.option("value").array
            case "variable":
                return np.asarray(point[node.option("path")], dtype=np.float64)
            case "given":
                return np.asarray(inputs.givens[node.option("path")])
            case _:
                return np.asarray(node.option("value"), dtype=np.float64)

    with np.errstate(all="ignore"):
        return _evaluate(graph, leaf)


def _evaluate(graph: EnergyGraph, leaf: Any) -> list[Array]:
    values: list[Array] = []
    for node in graph.nodes:
        operands = [values[i] for i in node.inputs]
        if node.operator == "scan":
            values.append(_scan(node, operands))
        elif node.inputs:
            record = OPERATORS[node.operator]
            values.append(np.asarray(record.evaluate(*operands, **dict(node.options))))
        else:
            values.append(leaf(node))
    return values


def _scan(node: Node, operands: Sequence[Array]) -> Array:
    start, *others = operands
    ranks, rank = node.option("element_ranks"), node.option("rank")
    axis = len(node.shape) - rank - 1
    body = node.option("body")
    ((_, result),) = body.roots.items()
    state = np.broadcast_to(start, (*node.shape[:axis], *node.shape[axis + 1 :]))
    states = [state]
    for time in range(node.option("steps")):
        elements = [
            np.take(array, time, axis=array.ndim - own - 1)
            for array, own in zip(others, ranks, strict=False)
        ]
        parameters = [state, *elements, *others[len(ranks) :]]

        def leaf(inner: Node, parameters: Sequence[Array] = tuple(parameters)) -> Array:
            if inner.operator == "parameter":
                return parameters[inner.option("index")]
            return inner.option("value").array

        state = _evaluate(body, leaf)[result]
        states.append(np.broadcast_to(state, states[0].shape))
    return np.stack(states, axis=axis)
