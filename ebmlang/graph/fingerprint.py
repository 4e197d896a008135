"""A short name for what a graph computes: the same for the same, whatever it is called in the text.

Names of terms, places in the text and the order of nodes do not count. Names of variables and
inputs do.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from ebmlang.graph.graph import EnergyGraph
from ebmlang.graph.node import Constant, Node
from ebmlang.lang.table import OPERATORS


def fingerprint(
    graph: EnergyGraph, inputs: Mapping[str, NDArray[np.generic]], *more: object
) -> str:
    """Return the hash of what a graph computes, with the values of its inputs.

    Args:
        graph: The graph.
        inputs: A value for each of its givens.
        more: What else counts; anything whose `repr` says all of it.
    """
    values = [path + _hash(_array(inputs[path])) for path in sorted(inputs)]
    return _hash([_graph(graph), *values, *map(repr, more)])


def _graph(graph: EnergyGraph) -> str:
    nodes: list[str] = []
    for node in graph.nodes:
        nodes.append(_hash(_node(node, [nodes[i] for i in node.inputs])))
    roots = sorted(f"{root.kind.value} {root.size} {nodes[n]}" for root, n in graph.roots.items())
    variables = [f"{v.path} {v.domain.value} {v.shape}" for v in graph.variables]
    return _hash([*roots, *variables])


def _node(node: Node, inputs: list[str]) -> Iterator[str | bytes]:
    record = OPERATORS.get(node.operator)
    yield f"{node.operator} {node.kind.value} {node.shape}"
    # Their order is that of the numbers of the nodes.
    yield from sorted(inputs) if record is not None and record.commutative else inputs
    for name, value in node.options:
        yield name
        match value:
            case Constant(array=array):
                yield from _array(array)
            case EnergyGraph():
                yield _graph(value)
            case _:
                yield repr(value)


def _array(array: NDArray[np.generic]) -> Iterator[str | bytes]:
    yield f"{array.dtype.str} {array.shape}"
    yield np.ascontiguousarray(array).tobytes()


def _hash(pieces: Iterable[str | bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        encoded = piece if isinstance(piece, bytes) else piece.encode()
        # The length keeps neighbors apart.
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return digest.hexdigest()
