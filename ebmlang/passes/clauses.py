"""What is required, as margins that a solver can follow: smooth, one by one, in normal form.

The margin of a requirement is built by `min` and `abs` as much as by its own functions, and a
solver cannot give a multiplier to what bends there. So each requirement is written as clauses that
hold together exactly where it does:

| written | clauses |
| --- | --- |
| `a == b within s` | `1 - (a - b) / s` and `1 - (b - a) / s` |
| `A and B`, `forall` | those of both, of every element |
| `A or B` | the larger of each clause of A and each of B |

The smallest clause is the margin. An OR of many clauses stays one: each pair would be one more.
"""

import itertools
import math
from collections.abc import Mapping, Sequence

from ebmlang.graph import EnergyGraph, GraphBuilder, Node, Root, RootKind
from ebmlang.lang.logics import RELATIONS
from ebmlang.passes.rewrite import Writer

MOST = 64
"""Clauses that an OR is written as, at most, per element of the quantifiers around it."""


def write_clauses(
    builder: GraphBuilder,
    graph: EnergyGraph,
    margins: Mapping[int, int],
    plain: Mapping[int, int],
    number: int,
) -> int:
    """Write the clauses of a requirement as one vector, and return its node.

    Args:
        builder: The new graph.
        graph: The graph with the requirement, a constraint.
        margins: By constraint, its margin in the new graph.
        plain: By any other node, what it became there.
        number: The requirement.
    """
    writing = _Writing(builder, graph, margins, plain)
    write = Writer(builder, graph.nodes[number].origin, 1)
    pieces = [write.flat(clause) for clause in writing.together(number)]
    return pieces[0] if len(pieces) == 1 else write.apply("concat", pieces, {"axis": -1})


def list_required(graph: EnergyGraph) -> list[tuple[Root, int]]:
    """Return the vectors that `requirements` returns side by side, one per `require`."""
    clauses = {root.path: (root, n) for root, n in graph.roots_of(RootKind.CLAUSES)}
    return [clauses.get(root.path, (root, n)) for root, n in graph.roots_of(RootKind.HARD)]


class _Writing:
    def __init__(
        self,
        builder: GraphBuilder,
        graph: EnergyGraph,
        margins: Mapping[int, int],
        plain: Mapping[int, int],
    ) -> None:
        self.builder = builder
        self.graph = graph
        self.margins = margins
        self.plain = plain

    def together(self, number: int) -> list[int]:
        """Return the clauses of a constraint, of any shapes: all elements have to hold."""
        node = self.graph.nodes[number]
        if node.operator in ("and", "all", "scale", "reshape", "expand"):
            return [c for i in self._constraints(node) for c in self.together(i)]
        return self.apart(number)

    def apart(self, number: int) -> list[int]:
        """Return the clauses of a constraint, each with its shape, or one that broadcasts to it."""
        node = self.graph.nodes[number]
        write = Writer(self.builder, node.origin, len(node.shape))
        options = dict(node.options)
        match node.operator:
            case operator if operator in RELATIONS:
                sides = RELATIONS[operator].sides
                if sides is not None:
                    return list(sides(write, *(self.plain[i] for i in node.inputs)))
            case "and":
                return [c for i in self._constraints(node) for c in self.apart(i)]
            case "or":
                operands = [self.apart(i) for i in self._constraints(node)]
                if math.prod(map(len, operands)) <= MOST:
                    return [write.join("max", some) for some in itertools.product(*operands)]
            case "all":
                return self._elements(number)
            case "guard":
                mask = self.plain[node.inputs[0]]
                outside = math.inf if options["neutral"] else -math.inf
                inner = self.apart(node.inputs[1])
                return [write("where", mask, c, write.number(outside)) for c in inner]
            case "scale":
                return self.apart(node.inputs[0])
            case "reshape" | "expand":
                (i,) = self._constraints(node)
                inner = self.apart(i)
                if all(self._shape(c) == self.graph.nodes[i].shape for c in inner):
                    return [write.apply(node.operator, (c,), options) for c in inner]
        return [self.margins[number]]

    def _elements(self, whole: int) -> list[int]:
        """Return the clauses of each element that a `forall` inside of an OR is about."""
        node = self.graph.nodes[whole]
        (number,) = node.inputs
        inside = self.graph.nodes[number].shape
        axes = [axis % len(inside) for axis in node.option("axes")]
        places = list(itertools.product(*(range(inside[axis]) for axis in axes)))
        clauses = self.apart(number)
        fit = all(self._shape(clause) == inside for clause in clauses)
        if not fit or not 0 < len(places) * len(clauses) <= MOST:
            return [self.margins[whole]]
        return [self._slice(c, axes, place, node) for c in clauses for place in places]

    def _slice(self, clause: int, axes: Sequence[int], place: Sequence[int], node: Node) -> int:
        write = Writer(self.builder, node.origin)
        for axis, at in zip(axes, place, strict=True):
            behind = axis - len(self._shape(clause))
            clause = write.apply("slice", (clause,), {"axis": behind, "start": at, "stop": at + 1})
        return write.reshape(clause, node.shape)

    def _constraints(self, node: Node) -> list[int]:
        return [i for i in node.inputs if i in self.margins]

    def _shape(self, number: int) -> tuple[int, ...]:
        return self.builder.nodes[number].shape
