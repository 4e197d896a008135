"""What depends on constants only is computed now, and neutral operands go."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ebmlang.graph import EnergyGraph, GraphBuilder, Kind, Node
from ebmlang.lang.table import OPERATORS
from ebmlang.passes.rewrite import Pass, Writer, rewrite_nodes, with_bodies

FOLDED_ELEMENTS = 1_000_000
"""Largest array that folding makes [elements]: past it, recomputing beats keeping."""

_NEUTRAL = {"add": 0.0, "sub": 0.0, "mul": 1.0, "div": 1.0, "pow": 1.0}
"""Operators whose right operand may be left out when it is this number."""


def fold_constants(graph: EnergyGraph) -> EnergyGraph:
    """Return the graph with constant nodes computed and neutral operands left out."""
    return rewrite_nodes(with_bodies(graph, fold_constants), _folded)


def _folded(builder: GraphBuilder, node: Node) -> int:
    inputs = [builder.nodes[i] for i in node.inputs]
    array = compute_constant(node, inputs)
    if array is not None:
        return builder.constant(array, node.origin)
    return _simplified(builder, node, inputs)


def compute_constant(node: Node, inputs: Sequence[Node]) -> Any:
    """Return the array of a node whose operands are constants; None for any other.

    None also where NumPy refuses, so that the run can say where, and for a very large array.
    """
    known = all(n.operator == "constant" for n in inputs) and node.operator in OPERATORS
    if not (inputs and known and np.prod(node.shape) <= FOLDED_ELEMENTS):
        return None
    arrays = [n.option("value").array for n in inputs]
    try:
        with np.errstate(all="ignore"):
            return np.asarray(OPERATORS[node.operator].evaluate(*arrays, **dict(node.options)))
    except np.linalg.LinAlgError:
        return None


def _simplified(builder: GraphBuilder, node: Node, inputs: list[Node]) -> int:
    left = node.inputs[0] if node.inputs else -1
    if len(inputs) == 2 and node.operator in _NEUTRAL:
        number = _single(inputs[1])
        keeps = inputs[0].shape == node.shape and inputs[0].kind is node.kind
        if keeps and number == _NEUTRAL[node.operator]:
            return left
        if node.operator == "pow" and number == 2:
            return Writer(builder, node.origin)("square", left)
    if len(inputs) == 2 and node.inputs[0] == node.inputs[1] and inputs[0].kind is Kind.REAL:
        # Analyses see more in a square than in a product of any two.
        write = Writer(builder, node.origin)
        if node.operator == "mul":
            return write("square", left)
        if node.operator == "dot":
            return write.apply("sum", [write("square", left)], {"axes": (-1,)})
    if node.operator == "neg" and inputs[0].operator == "neg":
        return inputs[0].inputs[0]
    if node.operator == "reshape" and inputs[0].operator == "reshape":
        return _reshaped(builder, node, inputs[0].inputs[0])
    if node.operator == "reshape" and inputs[0].shape == node.shape:
        return left
    return builder.add(node)


def _reshaped(builder: GraphBuilder, node: Node, source: int) -> int:
    """Return two reshapes as one; each takes all axes, so only the last shape counts."""
    rank = len(builder.nodes[source].shape)
    if builder.nodes[source].shape == node.shape:
        return source
    options = (("rank", rank), ("shape", node.shape))
    return builder.add(replace(node, inputs=(source,), options=options))


def _single(node: Node) -> float | None:
    """Return the number that a constant is throughout; None for anything else."""
    if node.operator != "constant":
        return None
    array = node.option("value").array
    if array.size == 0 or array.dtype == np.bool_ or not (array == array.flat[0]).all():
        return None
    return float(array.flat[0])


FOLDING = Pass(
    name="folding",
    needs=(),
    law="every root keeps its value to rounding",
    rewrite=fold_constants,
)
