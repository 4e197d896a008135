"""What a solver minimizes, as a graph: the energy with a term per requirement.

The augmented Lagrangian and the violation of `solve.objective`, where their formulas are told; here
multipliers, penalties, scales and slacks are data by row: one vector of all requirements per start.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from ebmlang.graph import EnergyGraph, GivenInfo, GraphBuilder, Kind, Node, Origin, Root, RootKind
from ebmlang.passes.clauses import list_required
from ebmlang.passes.rewrite import Writer

LAGRANGIAN = ("scale", "slack", "multipliers", "penalty")
"""Data by row of `lagrangian`, in their order behind the givens of the spec."""

VIOLATION = ("scale", "aim")
"""Data by row of `violation`."""

_ORIGIN = Origin(None, "")


@dataclass(frozen=True, slots=True)
class _Writing:
    write: Writer
    margins: int
    data: MappingProxyType[str, int]


def lagrangian(graph: EnergyGraph) -> EnergyGraph:
    """Return the graph whose TOTAL is E + sum_i (max(0, l_i - p_i c_i)^2 - l_i^2) / (2 p_i).

    With c_i = scale_i (r_i - slack_i) of the margin r_i, the multiplier l_i and the penalty p_i.
    Where nothing is required it is the graph.
    """

    def penalty(at: _Writing) -> int:
        f, data = at.write, at.data
        gap = f("mul", data["scale"], f("sub", at.margins, data["slack"]))
        wanted = f("sub", data["multipliers"], f("mul", data["penalty"], gap))
        pressure = f("relu", wanted)
        paid = f("sub", f("square", pressure), f("square", data["multipliers"]))
        return f("div", paid, f("mul", data["penalty"], f.number(2.0)))

    return _extended(graph, LAGRANGIAN, penalty, with_energy=True)


def violation(graph: EnergyGraph) -> EnergyGraph:
    """Return the graph whose TOTAL is sum_i max(0, scale_i (aim_i - r_i))^2 / 2."""

    def penalty(at: _Writing) -> int:
        f, data = at.write, at.data
        short = f("mul", data["scale"], f("sub", data["aim"], at.margins))
        return f("mul", f("square", f("relu", short)), f.number(0.5))

    return _extended(graph, VIOLATION, penalty, with_energy=False)


def _extended(
    graph: EnergyGraph,
    names: Sequence[str],
    penalty: Callable[[_Writing], int],
    *,
    with_energy: bool,
) -> EnergyGraph:
    required = [number for _, number in list_required(graph)]
    width = sum(math.prod(graph.nodes[number].shape) for number in required)
    if not width and with_energy:
        return graph
    builder = GraphBuilder()
    for node in graph.nodes:
        builder.add(node)
    write = Writer(builder, _ORIGIN, 1)
    pieces = [write.flat(number) for number in required]
    if not pieces:
        pieces = [builder.constant(np.zeros(0), _ORIGIN)]
    margins = pieces[0] if len(pieces) == 1 else write.apply("concat", pieces, {"axis": -1})
    paths = [f"{name} of requirements" for name in names]
    data = {name: _row(builder, path, width) for name, path in zip(names, paths, strict=True)}
    each = penalty(_Writing(write, margins, MappingProxyType(data)))
    total = write.apply("sum", (each,), {"axes": (-1,)})
    if with_energy:
        (energy,) = [number for _, number in graph.roots_of(RootKind.TOTAL)]
        total = write("add", energy, total)
    added = [GivenInfo(path, Kind.REAL, (width,), None, by_row=True) for path in paths]
    return replace(
        graph,
        nodes=tuple(builder.nodes),
        roots={Root(RootKind.TOTAL): total},
        givens=(*graph.givens, *added),
    )


def _row(builder: GraphBuilder, path: str, width: int) -> int:
    return builder.add(
        Node(
            operator="given",
            options=(("path", path),),
            kind=Kind.REAL,
            shape=(width,),
            origin=_ORIGIN,
        )
    )
