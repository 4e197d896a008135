"""Which elements are affine functions of the unknowns, but for a bounded amount.

The rows are sparse, one per element, with an entry per coordinate: an element of a variable.
They are what ranks, cones and directions are made of.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np

from ebmlang.analysis.elements import Applied, Combination, Element, Elements
from ebmlang.graph import Root, RootKind, VariableInfo
from ebmlang.lang.interval import Bound
from ebmlang.lang.types import DomainKind

Row: TypeAlias = dict[int, float]
"""Coordinate to coefficient; no coefficient is 0. Never changed after it is made."""

NEGLIGIBLE = 1e-12
"""What is left of coefficients that cancel, relative to them, counts as 0: it is rounding."""

STEPS = 400_000
"""Most elements that are read one by one; bounds time and memory."""


class TooLargeError(Exception):
    """There are more elements than are read one by one."""


@dataclass(frozen=True, slots=True)
class Affine:
    """A value that lies within [low, high] of a linear function.

    Both are infinite for a constant that depends on missing data.
    """

    row: Row
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True, slots=True)
class Coordinate:
    """An element of a variable.

    Attributes:
        path, place: Which one.
        kind: The domain of the variable.
        lower, upper: The ends of its own domain; nan where missing data makes it some number.
    """

    path: str
    place: tuple[int, ...]
    kind: DomainKind
    lower: float
    upper: float

    @property
    def unbounded(self) -> bool:
        """Whether it can go to infinity, on either side."""
        return self.lower == -math.inf or self.upper == math.inf

    @property
    def name(self) -> str:
        """As it is written: `x[2]`."""
        places = ", ".join(str(place) for place in self.place)
        return f"{self.path}[{places}]" if self.place else self.path


def combine(terms: Iterable[tuple[Row, float]]) -> Row:
    """Return a linear combination of rows.

    >>> combine([({0: 1.0, 1: 1.0}, 2.0), ({1: 2.0}, -1.0)])
    {0: 2.0}
    """
    total: Row = {}
    size: Row = {}
    for row, factor in terms:
        for j, c in row.items():
            total[j] = total.get(j, 0.0) + factor * c
            size[j] = max(size.get(j, 0.0), abs(factor * c))
    return {j: c for j, c in total.items() if abs(c) > NEGLIGIBLE * size[j]}


def scaled_row(row: Row, factor: float) -> Row:
    """Return a multiple of a row."""
    return {j: factor * c for j, c in row.items()} if factor else {}


def shifted(affine: Affine, factor: float, shift: float = 0.0) -> Affine:
    """Return factor * value + shift."""
    ends = (factor * affine.low + shift, factor * affine.high + shift)
    return Affine(scaled_row(affine.row, factor), min(ends), max(ends))


@dataclass(frozen=True, eq=False)
class AffineForms:
    """The affine forms of the elements of a graph, node by node.

    Attributes:
        elements: Of the graph.
        forms: By node number; None in place of an element that is not affine. Nodes that no
            question of propriety is about are missing.
    """

    elements: Elements
    forms: dict[int, list[Affine | None]] = field(default_factory=dict)

    @cached_property
    def coordinates(self) -> tuple[Coordinate, ...]:
        """All elements of all variables, in order."""
        return tuple(
            coordinate
            for info in self.elements.facts.graph.variables
            for coordinate in _coordinates(self.elements, info)
        )

    @cached_property
    def unbounded(self) -> frozenset[int]:
        """The numbers of the coordinates that can go to infinity."""
        return frozenset(j for j, c in enumerate(self.coordinates) if c.unbounded)

    @cached_property
    def open_paths(self) -> frozenset[str]:
        """The variables of these coordinates."""
        return frozenset(self.coordinates[j].path for j in self.unbounded)

    @cached_property
    def first(self) -> dict[str, int]:
        """The number of the first coordinate of each variable."""
        found: dict[str, int] = {}
        for number, coordinate in enumerate(self.coordinates):
            found.setdefault(coordinate.path, number)
        return found

    def moving(self, affine: Affine) -> Row:
        """Return the part of an affine form that can go to infinity."""
        return {j: c for j, c in affine.row.items() if j in self.unbounded}

    def rest(self, affine: Affine) -> tuple[float, float]:
        """Return what the other part lies between; infinite where missing data decides."""
        low, high = affine.low, affine.high
        for j, c in affine.row.items():
            if j not in self.unbounded:
                at = self.coordinates[j]
                ends = (c * at.lower, c * at.upper)
                if math.isnan(ends[0]) or math.isnan(ends[1]):
                    return -math.inf, math.inf
                low, high = low + min(ends), high + max(ends)
        return low, high

    def of(self, element: Element) -> Affine | None:
        """Return the affine form of an element."""
        return self.forms[element[0]][element[1]]


def find_affine(elements: Elements) -> AffineForms:
    """Return the affine forms of all elements that E or a requirement is made of.

    Raises:
        TooLargeError: There are too many.
    """
    graph = elements.facts.graph
    if sum(math.prod(info.shape) for info in graph.variables) > STEPS:
        raise TooLargeError
    found = AffineForms(elements)
    kinds = (RootKind.TOTAL, RootKind.HARD, RootKind.DENSITY, RootKind.LEFT)
    needed = set()
    for root, number in graph.roots.items():
        if root.kind in kinds:
            needed.add(number)
    steps = 0
    for number in range(len(graph.nodes) - 1, -1, -1):
        if number in needed:
            needed.update(graph.nodes[number].inputs)
            steps += math.prod(graph.nodes[number].shape) if elements.varies(number) else 1
    if steps > STEPS:
        raise TooLargeError
    for number in sorted(needed):
        found.forms[number] = _forms_of(found, number)
    return found


def _forms_of(found: AffineForms, number: int) -> list[Affine | None]:
    elements = found.elements
    node = elements.nodes[number]
    size = math.prod(node.shape)
    if node.operator == "variable":
        start = found.first.get(node.option("path"), 0)
        return [Affine({start + i: 1.0}) for i in range(size)]
    bounds = elements.facts.bounds[number].value
    lows, highs = bounds.lower.ravel().tolist(), bounds.upper.ravel().tolist()
    if not elements.varies(number):
        return _constants(elements, number, size, lows, highs)
    return [
        _combined(found, (number, i))
        or (Affine({}, low, high) if math.isfinite(low) and math.isfinite(high) else None)
        for i, (low, high) in enumerate(zip(lows, highs, strict=True))
    ]


def _constants(
    elements: Elements, number: int, size: int, lows: list[float], highs: list[float]
) -> list[Affine | None]:
    value = elements.value(number)
    if value is None:
        return [Affine({}, low, high) for low, high in zip(lows, highs, strict=True)]
    if value.dtype == np.bool_:
        return [None] * size
    return [
        Affine({}, float(v), float(v)) if math.isfinite(v) else None for v in value.ravel().tolist()
    ]


def _combined(found: AffineForms, element: Element) -> Affine | None:
    form = found.elements.form(element)
    if isinstance(form, Applied) and form.name == "log":
        return _exponent(found, form.of, form.factor)
    if not isinstance(form, Combination):
        return None
    low = high = 0.0
    rows: list[tuple[Row, float]] = []
    for source, factor in form.terms:
        affine = found.of(source)
        if affine is None:
            return None
        rows.append((affine.row, factor))
        ends = (factor * affine.low, factor * affine.high)
        low, high = low + min(ends), high + max(ends)
    if len(rows) == 1:
        return Affine(scaled_row(*rows[0]), low, high)
    return Affine(combine(rows), low, high)


def _exponent(found: AffineForms, element: Element, factor: float) -> Affine | None:
    """Return factor * log of an element that is a multiple of exp of an affine value."""
    scale = 1.0
    form = found.elements.form(element)
    while isinstance(form, Combination):
        known = [(found.of(source), source, c) for source, c in form.terms]
        moving = [
            (source, c)
            for affine, source, c in known
            if affine is None or affine.row or affine.low or affine.high
        ]
        if len(moving) != 1 or moving[0][1] <= 0:
            return None
        element, scale = moving[0][0], scale * moving[0][1]
        form = found.elements.form(element)
    inner = found.of(form.of) if isinstance(form, Applied) and form.name == "exp" else None
    if inner is None:
        return None
    assert isinstance(form, Applied)
    shift = factor * math.log(scale)
    ends = (factor * inner.low + shift, factor * inner.high + shift)
    return Affine(scaled_row(inner.row, factor), min(ends), max(ends))


def has_bounded_domain(elements: Elements) -> bool:
    """Return whether no coordinate can go to infinity."""
    ends = [end for info in elements.facts.graph.variables for end in _ends(elements, info)]
    return not any(np.any(np.isinf(end)) for end in ends)


def _ends(elements: Elements, info: VariableInfo) -> tuple[Bound, Bound]:
    """Return the ends of the domain of a variable, element by element."""
    lowest, highest = _RANGES.get(info.domain, (-math.inf, math.inf))
    lower = _end(elements, Root(RootKind.LOWER, info.path), info.shape, lowest)
    upper = _end(elements, Root(RootKind.UPPER, info.path), info.shape, highest)
    # An end that only data tells is no stricter than one that is known.
    low = np.fmax(lower, lowest) if math.isfinite(lowest) else lower
    high = np.fmin(upper, highest) if math.isfinite(highest) else upper
    return low, high


def _coordinates(elements: Elements, info: VariableInfo) -> list[Coordinate]:
    lower, upper = _ends(elements, info)
    return [
        Coordinate(
            info.path,
            place,
            info.domain,
            float(lower[place]),
            float(upper[place]),
        )
        for place in np.ndindex(*info.shape)
    ]


_RANGES = {
    DomainKind.POSITIVE: (0.0, math.inf),
    DomainKind.SIMPLEX: (0.0, 1.0),
    DomainKind.UNIT: (-1.0, 1.0),
    DomainKind.ROTATION: (-1.0, 1.0),
}
"""What the elements of a domain lie between, whatever its bounds."""


def _end(elements: Elements, root: Root, shape: tuple[int, ...], otherwise: float) -> Bound:
    """Return one end of a domain as written; nan where it is a number that only data tells.

    Data is finite, so that an end is infinite only where an infinite constant makes it so.
    """
    graph = elements.facts.graph
    if root not in graph.roots:
        return np.full(shape, otherwise)
    number = graph.roots[root]
    interval = elements.facts.bounds[number].value
    bound = interval.lower if root.kind is RootKind.LOWER else interval.upper
    if elements.value(number) is not None:
        return bound
    sources = (number, *graph.ancestors(number))
    constants = [elements.value(n) for n in sources if graph.nodes[n].operator == "constant"]
    if any(value is not None and not np.all(np.isfinite(value)) for value in constants):
        return bound
    return np.where(np.isinf(bound), np.nan, bound)
