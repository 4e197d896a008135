"""What passes are made of: the record of a pass, and tools to write one graph from another."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from ebmlang.graph import EnergyGraph, GraphBuilder, Node, Origin
from ebmlang.graph.values import result_kind
from ebmlang.lang.operator import infer_shape
from ebmlang.lang.table import OPERATORS

_NONE: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A rewrite from graph to graph.

    Attributes:
        name: For people and for `--stage`.
        needs: Names of passes that must have run before.
        law: What stays equal, tested against the oracle.
        rewrite: The function; pure.
    """

    name: str
    needs: tuple[str, ...]
    law: str
    rewrite: Callable[[EnergyGraph], EnergyGraph]


def draft_node(
    nodes: Sequence[Node],
    operator: str,
    inputs: Sequence[int],
    options: Mapping[str, object],
    origin: Origin,
) -> Node:
    """Return a node of an operator of the table, with its kind and shape inferred."""
    record = OPERATORS[operator]
    operands = [nodes[i] for i in inputs]
    shape = infer_shape(record, tuple(node.shape for node in operands), options)
    return Node(
        operator=operator,
        inputs=tuple(inputs),
        options=tuple(sorted(options.items())),
        kind=result_kind(record.result, operator, operands),
        shape=tuple(int(dim) for dim in shape if isinstance(dim, int)),
        origin=origin,
    )


@dataclass(frozen=True, slots=True)
class Writer:
    """Adds nodes with inferred kind and shape, all with one origin and of one rank.

    It is the algebra of `lang.logics` on node numbers: `number` makes a constant that broadcasts
    with arrays of `rank` axes.
    """

    builder: GraphBuilder
    origin: Origin
    rank: int = 0

    def __call__(self, operator: str, *inputs: int) -> int:
        """Return the node of an operator without options."""
        return self.apply(operator, inputs)

    def number(self, value: float) -> int:
        """Return a constant with `rank` axes of size 1."""
        array = np.asarray(value).reshape((1,) * self.rank)
        return self.builder.constant(array, self.origin)

    def apply(
        self, operator: str, inputs: Sequence[int], options: Mapping[str, object] = _NONE
    ) -> int:
        """Return the node of an operator of the table."""
        return self.builder.add(
            draft_node(self.builder.nodes, operator, inputs, options, self.origin)
        )

    def reshape(self, number: int, shape: tuple[int, ...]) -> int:
        """Return a node under another shape."""
        old = self.builder.nodes[number].shape
        if old == shape:
            return number
        return self.apply("reshape", (number,), {"rank": len(old), "shape": shape})

    def flat(self, number: int) -> int:
        """Return a node as a vector."""
        return self.reshape(number, (math.prod(self.builder.nodes[number].shape),))

    def join(self, reduction: str, numbers: Sequence[int]) -> int:
        """Return the reduction of nodes of equal rank, elementwise with broadcasting."""
        if len(numbers) == 1:
            return numbers[0]
        binary = {"sum": "add", "min": "minimum", "max": "maximum"}.get(reduction)
        if len(numbers) == 2 and binary is not None:
            return self.apply(binary, numbers)
        shape = np.broadcast_shapes(*(self.builder.nodes[n].shape for n in numbers))
        wide = [
            n
            if self.builder.nodes[n].shape == shape
            else self.apply("expand", (n,), {"shape": shape})
            for n in numbers
        ]
        stacked = self.apply("stack", wide, {"axis": -1})
        return self.apply(reduction, (stacked,), {"axes": (-1,)})


def rewrite_nodes(graph: EnergyGraph, rewrite: Callable[[GraphBuilder, Node], int]) -> EnergyGraph:
    """Return a graph with every node replaced, first to last.

    Args:
        graph: The graph.
        rewrite: Gets the new graph's builder and a node whose inputs are numbers there already;
            returns the number that stands for it.
    """
    builder = GraphBuilder()
    numbers: list[int] = []
    for node in graph.nodes:
        inputs = tuple(numbers[i] for i in node.inputs)
        numbers.append(rewrite(builder, node.reading(inputs)))
    roots = {root: numbers[number] for root, number in graph.roots.items()}
    return replace(graph, nodes=tuple(builder.nodes), roots=roots)


def with_bodies(graph: EnergyGraph, rewrite: Callable[[EnergyGraph], EnergyGraph]) -> EnergyGraph:
    """Return a graph with the body of every recurrence rewritten."""
    if all(node.operator != "scan" for node in graph.nodes):
        return graph
    return replace(graph, nodes=tuple(_with_body(node, rewrite) for node in graph.nodes))


def _with_body(node: Node, rewrite: Callable[[EnergyGraph], EnergyGraph]) -> Node:
    if node.operator != "scan":
        return node
    options = dict(node.options)
    options["body"] = rewrite(options["body"])
    return replace(node, options=tuple(sorted(options.items())))
