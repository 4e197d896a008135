"""Constraints become numbers: every one turns into its margin r and its energy C.

After this pass the graph has real arrays only, and its roots say what solving, sampling and
judging need: each soft term's energy, each constraint's margin, the margins of what is
required one by one, and the total.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ebmlang.graph import EnergyGraph, GraphBuilder, Kind, Node, Origin, Root, RootKind
from ebmlang.lang.logics import LOGICS, RELATIONS
from ebmlang.passes.clauses import write_clauses
from ebmlang.passes.rewrite import Pass, Writer, with_bodies

_Pair = tuple[int, int]
"""Margin and energy of a constraint."""


def compute_energies(graph: EnergyGraph) -> EnergyGraph:
    """Return the graph with constraints replaced by their margins and energies.

    Roots TERM become ENERGY, and MARGIN where the term is a constraint; roots REQUIRE become
    MARGIN and HARD, and CLAUSES where solvers need others; a PIECE that is a constraint becomes
    its energy, and PIECE_MARGIN; TOTAL is the sum of all ENERGY.
    """
    writing = _Writing(with_bodies(graph, compute_energies))
    for number, node in enumerate(writing.graph.nodes):
        writing.add(number, node)
    roots = writing.roots()
    return replace(graph, nodes=tuple(writing.builder.nodes), roots=roots)


class _Writing:
    """The new graph, and what each old node became."""

    def __init__(self, graph: EnergyGraph) -> None:
        self.graph = graph
        self.builder = GraphBuilder()
        self.plain: dict[int, int] = {}
        self.pairs: dict[int, _Pair] = {}

    def add(self, number: int, node: Node) -> None:
        """Write an old node's counterpart, or its two."""
        if node.kind is Kind.CONSTRAINT:
            self.pairs[number] = self._pair(node)
            return
        write = Writer(self.builder, node.origin, len(node.shape))
        if node.operator == "holds":
            self.plain[number] = write("nonnegative", self.pairs[node.inputs[0]][0])
        elif node.operator == "energy":
            self.plain[number] = self.pairs[node.inputs[0]][1]
        else:
            inputs = tuple(self.plain[i] for i in node.inputs)
            self.plain[number] = self.builder.add(node.reading(inputs))

    def _pair(self, node: Node) -> _Pair:
        write = Writer(self.builder, node.origin, len(node.shape))
        if node.operator in RELATIONS:
            rule = RELATIONS[node.operator]
            margin = rule.margin(write, *(self.plain[i] for i in node.inputs))
            return margin, rule.energy(write, margin)
        margins = [self.pairs[i][0] for i in node.inputs if i in self.pairs]
        energies = [self.pairs[i][1] for i in node.inputs if i in self.pairs]
        options = dict(node.options)
        match node.operator:
            case "and" | "or":
                on_energy, on_margin = _rules(node, conjunction=node.operator == "and")
                return write.join(on_margin, margins), write.join(on_energy, energies)
            case "all" | "any" if math.prod(self.graph.nodes[node.inputs[0]].shape) == 0:
                return self._over_nothing(node)
            case "all" | "any":
                on_energy, on_margin = _rules(node, conjunction=node.operator == "all")
                axes = {"axes": options["axes"]}
                margin = write.apply(on_margin, margins, axes)
                return margin, write.apply(on_energy, energies, axes)
            case "guard":
                mask = self.plain[node.inputs[0]]
                outside = float("inf") if options["neutral"] else -float("inf")
                margin = write("where", mask, margins[0], write.number(outside))
                cost = 0.0 if options["neutral"] else float("inf")
                return margin, write("where", mask, energies[0], write.number(cost))
            case "scale":
                weight = self.plain[node.inputs[1]]
                return margins[0], write("mul", energies[0], weight)
            case _:  # reshape, expand: elements move, their meaning does not
                margin = write.apply(node.operator, margins, options)
                return margin, write.apply(node.operator, energies, options)

    def _over_nothing(self, node: Node) -> _Pair:
        """A `forall` over nothing holds and an `exists` does not, in every logic."""
        margin, energy = (math.inf, 0.0) if node.operator == "all" else (-math.inf, math.inf)
        return (
            self.builder.constant(np.full(node.shape, margin), node.origin),
            self.builder.constant(np.full(node.shape, energy), node.origin),
        )

    # --- roots -----------------------------------------------------------------------

    def roots(self) -> dict[Root, int]:
        """Return the new graph's roots."""
        roots: dict[Root, int] = {}
        for root, number in self.graph.roots.items():
            if root.kind is RootKind.TERM and number in self.pairs:
                margin, energy = self.pairs[number]
                roots[Root(RootKind.ENERGY, root.path)] = energy
                roots[Root(RootKind.MARGIN, root.path)] = margin
            elif root.kind is RootKind.TERM:
                roots[Root(RootKind.ENERGY, root.path)] = self.plain[number]
            elif root.kind is RootKind.PIECE and number in self.pairs:
                margin, energy = self.pairs[number]
                roots[root] = energy
                roots[Root(RootKind.PIECE_MARGIN, root.path)] = margin
            elif root.kind is RootKind.REQUIRE:
                roots[Root(RootKind.MARGIN, root.path)] = self.pairs[number][0]
                hard, clauses = self._hard(number), self._clauses(number)
                roots[Root(RootKind.HARD, root.path)] = hard
                if clauses != hard:
                    roots[Root(RootKind.CLAUSES, root.path)] = clauses
            else:
                roots[root] = self.plain[number]
        if Root(RootKind.NEXT) not in roots:  # a model, not the body of a recurrence
            energies = [n for root, n in roots.items() if root.kind is RootKind.ENERGY]
            roots[Root(RootKind.TOTAL)] = self._total(energies)
        return roots

    def _total(self, energies: Sequence[int]) -> int:
        write = Writer(self.builder, Origin(None, ""))
        return write.join("sum", energies) if energies else write.number(0.0)

    def _hard(self, number: int) -> int:
        """Return the margins of the conjuncts of a requirement as one vector."""
        write = Writer(self.builder, self.graph.nodes[number].origin, 1)
        pieces = [write.flat(self.pairs[n][0]) for n in self._conjuncts(number)]
        return pieces[0] if len(pieces) == 1 else write.apply("concat", pieces, {"axis": -1})

    def _clauses(self, number: int) -> int:
        margins = {constraint: margin for constraint, (margin, _) in self.pairs.items()}
        return write_clauses(self.builder, self.graph, margins, self.plain, number)

    def _conjuncts(self, number: int) -> list[int]:
        node = self.graph.nodes[number]
        if node.operator in ("and", "all", "scale", "reshape", "expand"):
            constraints = [i for i in node.inputs if i in self.pairs]
            return [n for i in constraints for n in self._conjuncts(i)]
        return [number]


def _rules(node: Node, *, conjunction: bool) -> tuple[str, str]:
    """Return the reductions of energies and of margins."""
    logic = LOGICS[node.option("logic")]
    return (logic.conjunction, "min") if conjunction else (logic.disjunction, "max")


ENERGIES = Pass(
    name="energies",
    needs=("negation",),
    law="each term keeps its energy and its margin; no constraint is left",
    rewrite=compute_energies,
)
