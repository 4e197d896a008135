"""A node about to be added, and what rules may ask of the graph around it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from ebmlang.graph import GraphBuilder, Kind, Node
from ebmlang.passes.rewrite import draft_node

LARGEST = 3e38
"""Stands for infinity where a difference of two of them must stay a number; a float32 too."""


@dataclass(frozen=True, slots=True)
class Site:
    """A node about to be added, and the graph it is added to.

    Attributes:
        builder: The graph so far.
        node: The node; its operands are in the graph.
        rows: Paths of the data by row.
        fixed: By node, whether no unknown and no row decides it; filled in as asked.
        shorten: Adds what stands for a site's node, and returns its number.
    """

    builder: GraphBuilder
    node: Node
    rows: frozenset[str]
    fixed: dict[int, bool]
    shorten: "Callable[[Site], int]"

    def of(self, number: int) -> Node:
        """Return a node of the graph."""
        return self.builder.nodes[number]

    def is_fixed(self, number: int) -> bool:
        """Whether a node is known before the unknowns are: it costs nothing per chain."""
        for i in range(len(self.fixed), number + 1):
            node = self.of(i)
            leaf = node.operator in ("variable", "parameter") or (
                node.operator == "given" and node.option("path") in self.rows
            )
            self.fixed[i] = not leaf and all(self.fixed[source] for source in node.inputs)
        return self.fixed[number]

    def make(self, operator: str, *inputs: int, **options: object) -> int:
        """Return another node, short."""
        node = draft_node(self.builder.nodes, operator, inputs, options, self.node.origin)
        return self.shorten(replace(self, node=node))

    def reshape(self, number: int, shape: Sequence[int]) -> int:
        """Return a node under another shape."""
        found = self.of(number).shape
        if found == tuple(shape):
            return number
        return self.make("reshape", number, rank=len(found), shape=tuple(shape))

    def single(self, number: int) -> float | None:
        """Return the number that a constant is throughout; None for anything else."""
        node = self.of(number)
        if node.operator != "constant" or node.kind is Kind.BOOL:
            return None
        array = node.option("value").array
        if array.size == 0 or not (array == array.flat[0]).all():
            return None
        return float(array.flat[0])

    def keeps(self, number: int) -> bool:
        """Whether an operand has the shape and the kind of the node."""
        found = self.of(number)
        return found.shape == self.node.shape and found.kind is self.node.kind

    def number(self, value: float, rank: int) -> int:
        """Return a number with so many axes of size 1."""
        return self.builder.constant(np.full((1,) * rank, value), self.node.origin)

    def is_scalar(self, number: int) -> bool:
        """Whether a node is one number, known before the unknowns are: a weight, a constant."""
        return math.prod(self.of(number).shape) == 1 and self.is_fixed(number)

    def split(self, number: int) -> tuple[int, int] | None:
        """Return x and n where a node is x * n or n * x with one fixed number n."""
        node = self.of(number)
        if node.operator != "mul" or self.is_fixed(number):
            return None
        for x, n in (node.inputs, node.inputs[::-1]):
            if self.is_scalar(n) and self.of(x).shape == node.shape:
                return x, n
        return None

    def rank(self, number: int, rank: int) -> int:
        """Return one number under another rank."""
        return self.reshape(number, (1,) * rank)


Rule: TypeAlias = Callable[[Site], int | None]
"""Returns what stands for a node, None where the rule does not apply."""
