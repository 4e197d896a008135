"""What a solver minimizes, as one graph: the energy, with a term per requirement.

    L(x) = E(x) + sum_i (max(0, lambda_i - rho_i c_i)^2 - lambda_i^2) / (2 rho_i)
    c_i  = scale_i (r_i - slack_i)

The multipliers lambda, the penalties rho, the scales and the slacks differ from start to start, and
so are inputs by row. So is whether the energy counts: without it, with multipliers 0 and penalties
1, L is half the squared distance of all margins below their slack.

As a graph L is differentiated and emitted like any other energy.

Source: Birgin and Martinez, Practical Augmented Lagrangian Methods (2014), algorithm 4.1.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ebmlang.graph import EnergyGraph, GivenInfo, GraphBuilder, Kind, Node, Origin, Root, RootKind
from ebmlang.passes.pruning import prune_unused
from ebmlang.passes.rewrite import Writer

# No name in a spec has spaces.
COUNTS = "whether the energy counts"
"""Path of the input that is 1 where the energy counts for a start, and -1 where it does not."""

MULTIPLIERS, PENALTY = "multipliers of requirements", "penalties of requirements"
SCALE, SLACK = "scales of requirements", "slacks of requirements"
"""Paths of the inputs with a number per start and requirement."""

_ORIGIN = Origin(None, "")


def write_lagrangian(graph: EnergyGraph, required: Sequence[int]) -> EnergyGraph:
    """Return the graph whose TOTAL is L; it has no other root.

    Args:
        graph: One that has been through the passes.
        required: The nodes with the margins of what is required, each a vector; side by side they
            are in the order of the multipliers.
    """
    builder = GraphBuilder()
    for node in graph.nodes:
        builder.add(node)
    writing = _Writing(Writer(builder, _ORIGIN, rank=0))
    (energy,) = [number for _, number in graph.roots_of(RootKind.TOTAL)]
    if graph.nodes[energy].kind is not Kind.REAL:
        energy = writing.write("to_real", energy)
    if required:
        counts = writing.write("nonnegative", writing.given(COUNTS, ()))
        energy = writing.write("where", counts, energy, writing.write.number(0.0))
        energy = writing.write("add", energy, writing.pay(required))
    whole = replace(
        graph,
        nodes=tuple(builder.nodes),
        roots={Root(RootKind.TOTAL): energy},
        givens=(*graph.givens, *writing.givens),
    )
    return prune_unused(whole)


class _Writing:
    """Nodes behind those of a graph, and the inputs that they need."""

    def __init__(self, write: Writer) -> None:
        self.write = write
        self.givens: list[GivenInfo] = []

    def given(self, path: str, shape: tuple[int, ...]) -> int:
        """Return a new input by row."""
        self.givens.append(GivenInfo(path, Kind.REAL, shape, None, by_row=True))
        leaf = Node(
            operator="given",
            options=(("path", path),),
            kind=Kind.REAL,
            shape=shape,
            origin=self.write.origin,
        )
        return self.write.builder.add(leaf)

    def pay(self, required: Sequence[int]) -> int:
        """Return what all requirements add to the energy."""
        write = replace(self.write, rank=1)
        margins = write.apply("concat", required, {"axis": -1}) if len(required) > 1 else 0
        margins = margins or required[0]
        shape = write.builder.nodes[margins].shape
        multipliers, penalty, scale, slack = (
            self.given(path, shape) for path in (MULTIPLIERS, PENALTY, SCALE, SLACK)
        )
        gap = write("mul", scale, write("sub", margins, slack))
        pressure = write("relu", write("sub", multipliers, write("mul", penalty, gap)))
        paid = write("sub", write("square", pressure), write("square", multipliers))
        twice = write("mul", write.builder.constant(np.full(1, 2.0), write.origin), penalty)
        return write.apply("sum", (write("div", paid, twice),), {"axes": (-1,)})
