"""The energy as a function of free coordinates: the domains of its unknowns become part of it.

A sampler moves in coordinates without bounds, and what it samples is the potential

    U(q) = E(x(q)) - log |dx / dq|

Here the map x(q) and the log of its volume become steps of the graph, so that U is one graph in
one vector of unknowns, and everything that works on graphs works on it: gradients, sharing, code.

| reach | x(q) | log of the slope |
| --- | --- | --- |
| FREE | q | 0 |
| ABOVE | lower + exp(q) | q |
| BELOW | upper - exp(q) | q |
| BETWEEN | lower + (upper - lower) sigmoid(q) | log(upper - lower) + log s(q) + log s(-q) |
| FIXED | lower | no coordinate |

Source: Stan Reference Manual, section "Transforms of Constrained Variables".
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from ebmlang.graph import EnergyGraph, GraphBuilder, Kind, Node, Origin, Root, RootKind
from ebmlang.graph.graph import VariableInfo
from ebmlang.lang.types import DomainKind
from ebmlang.passes.rewrite import Writer

COORDINATES = "coordinates of a sampler"
"""The path of the one vector of unknowns; no name in a spec has spaces."""

_ORIGIN = Origin(None, "")


class Reach(Enum):
    """How far a number may go."""

    FREE = "free"
    ABOVE = "above"
    BELOW = "below"
    BETWEEN = "between"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """The domain of every number of a packed point, and the coordinate that it is a map of.

    Attributes:
        reach: How far each goes.
        lower, upper: Its bounds; read only where its reach has one.
        place: The number of its coordinate; of one that is fixed, anything.
        dim: How many coordinates there are.
    """

    reach: tuple[Reach, ...]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    place: NDArray[np.int64]
    dim: int


def free_coordinates(graph: EnergyGraph, columns: Columns) -> EnergyGraph:
    """Return the graph of the potential.

    Args:
        graph: One that has been through the passes; its packed point is all its variables, each
            flattened, one after the other.
        columns: The domains, in the order of the packed point.

    Returns:
        A graph in one variable, `COORDINATES`, with the roots of the other, and with
        POINT, the packed point; VOLUME, the log-determinant; POTENTIAL, E less the volume.
    """
    builder = GraphBuilder()
    write = Writer(builder, _ORIGIN, rank=1)
    shape = (columns.dim,)
    leaf = Node(
        operator="variable",
        options=(("path", COORDINATES),),
        kind=Kind.REAL,
        shape=shape,
        origin=_ORIGIN,
    )
    chart = _Chart(write, builder.add(leaf), columns)
    written: dict[str, int] = {}
    start = 0
    for variable in graph.variables:
        size = math.prod(variable.shape)
        written[variable.path] = chart.write_columns(range(start, start + size))
        start += size
    assert start == len(columns.reach)
    parts = [written[variable.path] for variable in graph.variables]
    point = parts[0] if len(parts) == 1 else write.apply("concat", parts, {"axis": -1})

    shapes = {variable.path: variable.shape for variable in graph.variables}
    numbers: list[int] = []
    for node in graph.nodes:
        if node.operator == "variable":
            path = node.option("path")
            numbers.append(write.reshape(written[path], shapes[path]))
        else:
            inputs = tuple(numbers[i] for i in node.inputs)
            numbers.append(builder.add(replace(node, inputs=inputs)))
    roots = {root: numbers[number] for root, number in graph.roots.items()}
    volume = chart.volume()
    roots[Root(RootKind.POINT)] = point
    roots[Root(RootKind.VOLUME)] = volume
    roots[Root(RootKind.POTENTIAL)] = write("sub", roots[Root(RootKind.TOTAL)], volume)
    unknown = VariableInfo(path=COORDINATES, domain=DomainKind.REAL, shape=shape)
    return replace(graph, nodes=tuple(builder.nodes), roots=roots, variables=(unknown,))


@dataclass(slots=True)
class _Chart:
    """The map of all columns, written bit by bit."""

    write: Writer
    coordinates: int
    columns: Columns

    def write_columns(self, wanted: Sequence[int]) -> int:
        """Return the vector of some columns, in their order."""
        groups: dict[Reach, list[int]] = {}
        for column in wanted:
            groups.setdefault(self.columns.reach[column], []).append(column)
        if not groups:
            return self._constant(np.zeros(0))
        parts = [self._map(reach, np.asarray(group)) for reach, group in groups.items()]
        if len(parts) == 1:
            return parts[0]
        together = self.write.apply("concat", parts, {"axis": -1})
        order = np.argsort(np.concatenate(list(groups.values())))
        return self.write.apply("take", (together, self._constant(order)), {"axis": -1})

    def _map(self, reach: Reach, group: NDArray[np.int64]) -> int:
        write = self.write
        lower, upper = self.columns.lower[group], self.columns.upper[group]
        match reach:
            case Reach.FIXED:
                return self._constant(lower)
            case Reach.FREE:
                return self._take(group)
            case Reach.ABOVE:
                return write("add", self._constant(lower), write("exp", self._take(group)))
            case Reach.BELOW:
                return write("sub", self._constant(upper), write("exp", self._take(group)))
            case Reach.BETWEEN:
                share = write("sigmoid", self._take(group))
                below, above = self._constant(lower), self._constant(upper)
                moved = write("add", below, write("mul", self._constant(upper - lower), share))
                # Rounding may pass a bound by one unit in the last place.
                return write("minimum", write("maximum", moved, below), above)

    def volume(self) -> int:
        """Return the log-determinant of the whole map, a number."""
        reach = np.asarray([kind.value for kind in self.columns.reach])
        one_sided = np.flatnonzero((reach == Reach.ABOVE.value) | (reach == Reach.BELOW.value))
        two_sided = np.flatnonzero(reach == Reach.BETWEEN.value)
        total = self._number(0.0)
        if len(one_sided):
            total = self.write("add", total, self._sum(self._take(one_sided)))
        if len(two_sided):
            q = self._take(two_sided)
            width = self.columns.upper[two_sided] - self.columns.lower[two_sided]
            # log s(q) + log s(-q), of the logistic function s.
            spent = self.write(
                "add", self.write("softplus", q), self.write("softplus", self.write("neg", q))
            )
            total = self.write("add", total, self._number(float(np.sum(np.log(width)))))
            total = self.write("sub", total, self._sum(spent))
        return total

    def _take(self, group: NDArray[np.int64]) -> int:
        """Return the coordinates of some columns."""
        places = self.columns.place[group]
        first = int(places[0])
        if np.array_equal(places, np.arange(first, first + len(places))):
            if len(places) == self.columns.dim:
                return self.coordinates
            run = {"axis": -1, "start": first, "stop": first + len(places)}
            return self.write.apply("slice", (self.coordinates,), run)
        return self.write.apply("take", (self.coordinates, self._constant(places)), {"axis": -1})

    def _sum(self, number: int) -> int:
        return self.write.apply("sum", (number,), {"axes": (-1,)})

    def _constant(self, array: NDArray[np.float64] | NDArray[np.int64]) -> int:
        return self.write.builder.constant(array, self.write.origin)

    def _number(self, value: float) -> int:
        return self._constant(np.asarray(value))
