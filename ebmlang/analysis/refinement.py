"""Closer bounds where the operands of a node come from one number.

A node is elementwise a function f of an earlier node x when all ways into it lead through x.
Then the range of f over the interval of x is the union of those over its pieces. On each piece the
operators are taken one by one. Where f is a sum of powers of x, two more forms help: that of the
mean value; and, on pieces towards 0 and infinity, that with the smallest or the largest power put
before the bracket, so that `r^-12 - r^-6` on (0, eps] is `r^-12 (1 - r^6)`, which is not the
difference of two infinities.

Source: Moore, Kearfott and Cloud, Introduction to Interval Analysis, chapter 6.
"""

import math
from fractions import Fraction
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ebmlang.analysis.framework import Derived
from ebmlang.graph import EnergyGraph, Node
from ebmlang.lang.behavior import enclose
from ebmlang.lang.enclosures import bound_add, bound_mul, bound_sub, power_function
from ebmlang.lang.interval import Bound, Interval, intersection, widen
from ebmlang.lang.operator import Family
from ebmlang.lang.profiles import power_profile
from ebmlang.lang.restriction import range_over
from ebmlang.lang.table import OPERATORS

PIECES = 64
"""How many pieces an interval is cut into at first."""

ROUNDS = 4
"""How often the pieces that decide are cut again."""

ENOUGH = 0.01
"""Unless that gains this much, relative to the bound (or to 1)."""

DECIDING = 8
"""How many pieces are cut again, each into as many."""

NUMBERS = PIECES + 2 * ROUNDS * DECIDING**2
"""How many intervals each element and each node between are bounded on, at most."""

JOINS = 100
"""How many nodes of a graph are looked at; the others keep their plain bounds."""

WORK = 40_000_000
"""How many numbers are bounded for all of a graph; past it, nodes keep their plain bounds."""

REGION = 64
"""So do nodes with more nodes than this on the ways from x."""

_NEAR_ZERO = 2.0**-6
"""Pieces have equal widths below it, and equal ratios above."""

_FAR = 2.0**40
"""The last piece reaches from about here to infinity."""

_TERMS = 16
"""Sums of more powers than this are not written out."""

_LARGEST_POWER = 64
"""Coefficients are exact, and grow with every power."""

Powers: TypeAlias = dict[Fraction, Fraction]
"""A sum of powers of x: coefficient by exponent, none of them 0."""


class Refiner:
    """Finds, on the way through a graph, from which one node each node comes."""

    def __init__(self, graph: EnergyGraph) -> None:
        self._graph = graph
        self._joins = 0
        self._work = 0
        self._source: list[int | None] = []
        """The nearest node that all ways into a node lead through; None where it is more."""

    def refined(
        self, number: int, plain: Derived[Interval], found: list[Derived[Interval]]
    ) -> Derived[Interval]:
        """Return the bounds of a node, the next in order, made closer where that is possible."""
        node = self._graph.nodes[number]
        moving = tuple(dict.fromkeys(i for i in node.inputs if not found[i].value.known))
        inputs = [self._graph.nodes[i] for i in moving]
        self._source.append(self._common(moving) if _keeps_elements(node, inputs) else None)
        source = self._source[number]
        joins = len(moving) > 1 or len([i for i in node.inputs if i in moving]) > 1
        if source is None or not joins:
            return plain
        self._joins += 1
        if self._joins > JOINS:
            return plain
        region = self._region(number, source, found)
        size = max(plain.value.lower.size, found[source].value.lower.size)
        if region is None or size == 0:
            return plain
        work = size * len(region) * NUMBERS
        if self._work + work > WORK:
            return plain
        self._work += work
        value = _Function(self._graph, source, region, found).range_over(found[source].value)
        closer = intersection(plain.value, value)
        return Derived(closer, f"the range of `{node.operator}` of one number", (source,))

    def _common(self, numbers: tuple[int, ...]) -> int | None:
        """Return the nearest node that all ways into all of these lead through."""
        if not numbers:
            return None
        fronts = list(numbers)
        while len(set(fronts)) > 1:
            latest = max(fronts)
            source = self._source[latest]
            if source is None:
                return None
            fronts = [source if front == latest else front for front in fronts]
        return fronts[0]

    def _region(
        self, number: int, source: int, found: list[Derived[Interval]]
    ) -> tuple[int, ...] | None:
        """Return the nodes on the ways from the source to a node, in order; None for too many."""
        reached: set[int] = set()
        waiting = [number]
        while waiting:
            one = waiting.pop()
            if one in reached or one == source:
                continue
            if one != number and found[one].value.known:
                continue
            reached.add(one)
            if len(reached) > REGION:
                return None
            waiting.extend(self._graph.nodes[one].inputs)
        return tuple(sorted(reached))


def _keeps_elements(node: Node, moving: list[Node]) -> bool:
    """Return whether each element of a node comes from the same one of the operands that move.

    Where an operand is repeated or moved about, as in `x[i] - x[j]` over all i and j, two elements
    meet that come from two, and the pieces of their intervals would be paired wrongly.
    """
    record = OPERATORS.get(node.operator)
    if record is None:
        return False
    if all(math.prod(operand.shape) == 1 for operand in moving):
        single = record.family is Family.STRUCTURAL and len(node.inputs) == 1
        return record.family is Family.ELEMENTWISE or single
    same = all(operand.shape == node.shape for operand in moving)
    return record.family is Family.ELEMENTWISE and same


class _Function:
    """A node as a function of an earlier one, by the nodes between."""

    def __init__(
        self,
        graph: EnergyGraph,
        source: int,
        region: tuple[int, ...],
        found: list[Derived[Interval]],
    ) -> None:
        self._graph = graph
        self._source = source
        self._region = region
        self._held = found
        self._powers = self._as_powers()

    def range_over(self, x: Interval) -> Interval:
        """Return the range over intervals of x, of the shape of the node."""
        pieces = _cut(Interval(x.lower[None], x.upper[None]), PIECES)
        values = self._on(pieces)
        if values.shape != pieces.shape:
            # The node has other elements than x: which piece decides is not one for one.
            return Interval.make(np.min(values.lower, axis=0), np.max(values.upper, axis=0))
        lower = self._least(pieces, values, sign=1)
        upper = self._least(pieces, values, sign=-1)
        return Interval.make(lower, -upper)

    def _least(self, pieces: Interval, values: Interval, *, sign: int) -> Bound:
        """Return a lower bound of sign * f, cutting again and again the pieces that decide."""
        settled: Bound = np.full(pieces.shape[1:], np.inf)
        bounds = values.lower if sign == 1 else -values.upper
        least: Bound = np.min(bounds, axis=0)
        for _ in range(ROUNDS):
            order = np.argsort(bounds, axis=0, kind="stable")
            settled = np.minimum(
                settled,
                np.min(np.take_along_axis(bounds, order[DECIDING:], axis=0), axis=0),
            )
            pieces = _cut(_chosen(pieces, order[:DECIDING]), DECIDING)
            values = self._on(pieces)
            bounds = values.lower if sign == 1 else -values.upper
            before, least = least, np.minimum(settled, np.min(bounds, axis=0))
            enough = ENOUGH * (1 + np.abs(np.where(np.isfinite(before), before, 0.0)))
            if not np.any(least > before + enough):
                break
        return least

    def _on(self, pieces: Interval) -> Interval:
        """Return the range on each of the pieces, which stand along the first axis."""
        values = {self._source: pieces}
        for number in self._region:
            node = self._graph.nodes[number]
            operands = [values[i] if i in values else self._held[i].value for i in node.inputs]
            values[number] = enclose(OPERATORS[node.operator], operands, dict(node.options))
        plain = values[self._region[-1]]
        if self._powers is None or plain.shape != pieces.shape:
            return plain
        plain = intersection(plain, _by_mean_value(self._powers, pieces))
        if not np.all(np.isfinite(plain.lower) & np.isfinite(plain.upper)):
            exponents = set(self._powers) or {Fraction(0)}
            for leading in {min(exponents), max(exponents)}:
                plain = intersection(plain, _factored(self._powers, leading, pieces))
        return plain

    # --- sums of powers --------------------------------------------------------------

    def _as_powers(self) -> Powers | None:
        """Return the node as a sum of powers of x; None where it is none."""
        found: dict[int, Powers | None] = {self._source: {Fraction(1): Fraction(1)}}
        for number in self._region:
            node = self._graph.nodes[number]
            operands = [
                found[i] if i in found else _constant(self._held[i].value) for i in node.inputs
            ]
            known = [powers for powers in operands if powers is not None]
            found[number] = _combined(node, known) if len(known) == len(operands) else None
        return found[self._region[-1]]


def _constant(x: Interval) -> Powers | None:
    """Return a number as a sum of powers; None for different ones, or infinite ones."""
    value = x.lower.flat[0] if x.lower.size else np.inf
    if not np.all(x.lower == value) or not np.isfinite(value):
        return None
    return {Fraction(0): Fraction(float(value))} if value else {}


def _combined(node: Node, operands: list[Powers]) -> Powers | None:
    """Return an operator's value as a sum of powers, exactly; None where it is none."""
    if any(len(powers) > _TERMS for powers in operands):
        return None
    match node.operator:
        case "add":
            return _sum(operands[0], operands[1], 1)
        case "sub":
            return _sum(operands[0], operands[1], -1)
        case "neg":
            return _sum({}, operands[0], -1)
        case "mul":
            return _product(operands[0], operands[1])
        case "square":
            return _product(operands[0], operands[0])
        case "div" if len(operands[1]) == 1:
            ((exponent, factor),) = operands[1].items()
            return _product(operands[0], {-exponent: 1 / factor})
        case "pow":
            return _power(operands[0], operands[1])
        case "to_real" | "reshape" | "expand":
            return operands[0]
        case _:
            return None


def _sum(a: Powers, b: Powers, sign: int) -> Powers:
    total = dict(a)
    for exponent, factor in b.items():
        total[exponent] = total.get(exponent, Fraction(0)) + sign * factor
    return {exponent: factor for exponent, factor in total.items() if factor}


def _product(a: Powers, b: Powers) -> Powers:
    total: Powers = {}
    for one, factor in a.items():
        total = _sum(total, {one + other: factor * more for other, more in b.items()}, 1)
    return total


def _power(base: Powers, exponent: Powers) -> Powers | None:
    """Return a power: of one term of factor 1, or a whole one of several."""
    if set(exponent) - {Fraction(0)}:
        return None
    power = exponent.get(Fraction(0), Fraction(0))
    if len(base) == 1 and power.denominator == 1:
        ((inner, factor),) = base.items()
        if abs(power) <= _LARGEST_POWER:
            return {inner * power: factor ** int(power)}
    if len(base) == 1 and next(iter(base.items())) == (Fraction(1), Fraction(1)):
        # x^(1/3) of x itself has the domain of the operator; of x^2 it would not.
        return {power: Fraction(1)}
    if power.denominator == 1 and 0 < power <= 4:
        result: Powers = {Fraction(0): Fraction(1)}
        for _ in range(int(power)):
            result = _product(result, base)
        return result
    return None


def _by_mean_value(powers: Powers, x: Interval) -> Interval:
    """Return the range of a sum of powers on finite intervals: f(m) + f'(x) (x - m)."""
    bounded = np.isfinite(x.lower) & np.isfinite(x.upper)
    middle = Interval.point(np.where(bounded, x.lower / 2 + x.upper / 2, 1.0))
    derivative = {exponent - 1: exponent * factor for exponent, factor in powers.items()}
    slope = _written_out(_sum({}, derivative, 1), x)
    found = bound_add(_written_out(powers, middle), bound_mul(slope, bound_sub(x, middle)))
    return _only(found, bounded & _apart(powers, x))


def _factored(powers: Powers, leading: Fraction, x: Interval) -> Interval:
    """Return the range of a sum of powers with one power before the bracket."""
    bracket = {exponent - leading: factor for exponent, factor in powers.items()}
    found = bound_mul(_power_of(x, leading), _written_out(bracket, x))
    return _only(found, _apart(powers, x))


def _written_out(powers: Powers, x: Interval) -> Interval:
    """Return the range of a sum of powers, term by term."""
    total = Interval.point(np.zeros(x.shape))
    for exponent, factor in powers.items():
        total = bound_add(total, bound_mul(_fraction(factor), _power_of(x, exponent)))
    return total


def _apart(powers: Powers, x: Interval) -> NDArray[np.bool_]:
    """Return which intervals hold no place inside where a power has a pole or no value."""
    whole = all(exponent.denominator == 1 for exponent in powers)
    return np.asarray((x.lower >= 0) | ((x.upper <= 0) & whole))


def _only(x: Interval, where: NDArray[np.bool_]) -> Interval:
    """Return the intervals there, and everything elsewhere."""
    return Interval.make(np.where(where, x.lower, -np.inf), np.where(where, x.upper, np.inf))


def _power_of(x: Interval, exponent: Fraction) -> Interval:
    power = float(exponent)
    return range_over(power_profile(power), power_function(power), x)


def _fraction(value: Fraction) -> Interval:
    near = np.asarray(float(value))
    if Fraction(float(near)) == value:
        return Interval.point(near)
    return widen(near, near, 1)


# --- pieces --------------------------------------------------------------------------


def _cut(x: Interval, count: int) -> Interval:
    """Return each interval along the first axis cut into `count`, all along that axis."""
    start, end = _coordinate(x.lower), _coordinate(x.upper)
    shares = np.linspace(0.0, 1.0, count + 1).reshape(-1, *(1,) * len(x.shape))
    places = _place(start + (end - start) * shares)
    # What rounds must not leave the interval; its ends stay as they are.
    places = np.clip(places, x.lower, x.upper)
    places[0], places[-1] = x.lower, x.upper
    places = np.maximum.accumulate(places, axis=0)
    flat = (count * x.shape[0], *x.shape[1:])
    return Interval(places[:-1].reshape(flat), places[1:].reshape(flat))


def _chosen(x: Interval, order: NDArray[np.intp]) -> Interval:
    return Interval(
        np.take_along_axis(x.lower, order, axis=0), np.take_along_axis(x.upper, order, axis=0)
    )


def _coordinate(x: Bound) -> Bound:
    return np.arcsinh(np.clip(x, -_FAR, _FAR) / _NEAR_ZERO)


def _place(coordinate: Bound) -> Bound:
    return np.sinh(coordinate) * _NEAR_ZERO
