"""Places where a node is not smooth: where an operator makes one, and what becomes of it above."""

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from ebmlang.graph import EnergyGraph, Node, Origin
from ebmlang.lang.behavior import Section, enclose, find_section
from ebmlang.lang.facts import Growth, Kink, Profile, Rules, Smoothness
from ebmlang.lang.interval import Interval
from ebmlang.lang.operator import Family, Operator
from ebmlang.lang.restriction import limit_of, range_over
from ebmlang.lang.table import OPERATORS

SMOOTH = sys.maxsize
"""The order of what has derivatives of all orders."""

MOST_SPOTS = 16
"""Spots that are told apart in one node; past it, the last ones are taken as one."""

MOST_NUMBERS = 64
"""Different exponents in one array of which a power is looked at one by one."""


class SpotKind(Enum):
    """What happens where a node is not smooth."""

    KINK = "kink"
    JUMP = "jump"
    WALL = "wall"
    """It jumps to infinity, and stays there."""
    POLE = "pole"
    """It grows without bound towards the place, or is not defined beyond it."""
    CUSP = "cusp"
    """Its slope grows without bound towards the place."""
    OPAQUE = "function that nothing is known of"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A place where a node is not smooth.

    Attributes:
        node: The node that it comes from.
        origin: Where that stands in the text.
        kind: What happens there.
        order: How often the node at hand is continuously differentiable there; -1 for a jump.
        lower, upper: What its value there lies between, in those elements that have the spot.
    """

    node: int
    origin: Origin
    kind: SpotKind
    order: int
    lower: float
    upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One node, with all that is known of its operands.

    Attributes:
        number: Its number.
        node: It.
        graph: The graph that it is in.
        bounds: Of all nodes, inside of the domain.
        varying: Which nodes depend on a variable.
    """

    number: int
    node: Node
    graph: EnergyGraph
    bounds: Sequence[Interval]
    varying: Sequence[bool]

    # --- spots that the operator makes -----------------------------------------------

    def find_own(self) -> Iterator[Spot]:
        """Yield the spots that the operator makes."""
        record = OPERATORS.get(self.node.operator)
        if record is None:
            yield self._spot(SpotKind.OPAQUE, -1)
            return
        if self._asks_for_infinity(self.node):
            return
        function = self._function(record)
        if function is not None:
            position, sections = function
            for section in sections:
                yield from self._at_kinks(section, self._operand(position))
                yield from self._at_ends(section, self._operand(position))
            return
        assert isinstance(record.facts, Rules)
        for position in record.facts.poles:
            divisor = self._operand(position)
            if np.any((divisor.lower <= 0) & (divisor.upper >= 0)):
                yield self._spot(SpotKind.POLE, SMOOTH)
        match record.facts.smoothness:
            case Smoothness.TIES:
                yield from self._at_ties()
            case Smoothness.JUMPS:
                yield from self._at_jumps(record.facts)
            case Smoothness.SMOOTH:
                if self.node.operator == "pow" and np.any(self._operand(0).lower <= 0):
                    yield self._spot(SpotKind.CUSP, 0)

    def _at_kinks(self, section: Section, x: Interval) -> Iterator[Spot]:
        for kink in section.profile.kinks:
            if kink.before is not None:
                if _reaches(section.profile, kink.place, x):
                    yield self._spot(SpotKind.POLE, SMOOTH)
                continue
            places = _places_inside(section.profile, kink, x)
            if not places:
                continue
            sides = [side for place in places for side in (np.nextafter(place, -np.inf), place)]
            with np.errstate(all="ignore"):
                values = [float(section.evaluate(np.asarray(side))) for side in sides]
            if kink.bend is None:
                yield self._spot(SpotKind.JUMP, -1, min(values), max(values))
            else:
                yield self._spot(SpotKind.KINK, 0, min(values[1::2]), max(values[1::2]))

    def _at_ends(self, section: Section, x: Interval) -> Iterator[Spot]:
        profile = section.profile
        if profile.period is not None:
            return
        start, end = profile.pieces[0].start, profile.pieces[-1].end
        if math.isfinite(start) and np.any(x.lower <= start):
            yield from self._at_end(section, profile.left, start, bool(np.any(x.lower < start)))
        if math.isfinite(end) and np.any(x.upper >= end):
            yield from self._at_end(section, profile.right, end, bool(np.any(x.upper > end)))

    def _at_end(
        self, section: Section, growth: Growth, place: float, beyond: bool
    ) -> Iterator[Spot]:
        """Yield the spot at an end of a function's domain.

        Args:
            section: The function.
            growth: How it behaves there.
            place: The end.
            beyond: Whether the operand goes past it.
        """
        limit = limit_of(growth)
        if limit is not None and math.isinf(limit):
            yield self._spot(SpotKind.POLE, SMOOTH)
        elif limit is None or growth.power > -1:
            value = range_over(section.profile, section.evaluate, Interval.point(place))
            yield self._spot(SpotKind.CUSP, 0, *_ends(value))
        elif beyond:
            yield self._spot(SpotKind.POLE, SMOOTH)

    def _at_ties(self) -> Iterator[Spot]:
        """Yield the spot of an operator that has a kink where operands tie, or all vanish."""
        own = self.bounds[self.number]
        if self.node.operator == "norm":
            if np.any(own.lower <= 0):
                yield self._spot(SpotKind.KINK, 0, 0.0, 0.0)
            return
        if len(self.node.inputs) == 2:
            one, other = self._operands()
            tied = (one.lower < other.upper) & (other.lower < one.upper)
            if np.any(tied):
                lower = np.maximum(one.lower, other.lower)[tied].min()
                upper = np.minimum(one.upper, other.upper)[tied].max()
                yield self._spot(SpotKind.KINK, 0, lower, upper)
            return
        yield self._spot(SpotKind.KINK, 0)

    def _at_jumps(self, rules: Rules) -> Iterator[Spot]:
        moving = {p for p, i in enumerate(self.node.inputs) if self.varying[i]}
        if any(moving <= set(group) for group in rules.linear):
            return
        operands = self._operands()
        match self.node.operator:
            case "supported":
                x, lower, upper, _ = operands
                if not _is_within(x, lower, upper):
                    yield self._spot(SpotKind.WALL, -1)
            case "atan2" if np.all(operands[1].lower > 0):
                return
            case "where" if self._asks_for_infinity(self.graph.nodes[self.node.inputs[0]]):
                return
            case _:
                yield self._spot(SpotKind.JUMP, -1)

    # --- spots of operands -----------------------------------------------------------

    def pass_on(self, position: int, spot: Spot) -> Iterator[Spot]:
        """Yield what a spot of one operand becomes in this node: itself, smoother, or nothing."""
        record = OPERATORS.get(self.node.operator)
        if record is None:
            yield replace(spot, order=min(spot.order, 0), lower=-math.inf, upper=math.inf)
            return
        order = spot.order
        function = self._function(record)
        if function is not None and position == function[0]:
            profiles = [section.profile for section in function[1]]
            if all(_is_constant_around(p, spot) or _has_pole_at(p, spot) for p in profiles):
                return
            if self._forgets_root(spot.node):
                return
            if order != SMOOTH and spot.kind not in (SpotKind.CUSP, SpotKind.OPAQUE):
                order += min(self._multiplicity(profile, spot) for profile in profiles) - 1
        elif self._is_hidden(record, position, spot):
            return
        lower, upper = self._value_at(record, position, spot)
        yield replace(spot, order=order, lower=lower, upper=upper)

    def _is_hidden(self, record: Operator, position: int, spot: Spot) -> bool:
        """Whether the node does not depend on its operand where that is not smooth."""
        operands, rules = self._operands(), record.facts
        assert isinstance(rules, Rules)
        match self.node.operator:
            case "supported" if position == 0:
                _, lower, upper, _ = operands
                return bool(spot.lower >= lower.upper.max() and spot.upper <= upper.lower.min())
            case "maximum":
                return bool(spot.upper < operands[1 - position].lower.min())
            case "minimum":
                return bool(spot.lower > operands[1 - position].upper.max())
            case _ if position in rules.poles:
                # The pole there is the node's own spot.
                return spot.lower == spot.upper == 0
            case _:
                return False

    def _multiplicity(self, profile: Profile, spot: Spot) -> int:
        """Return m where the function is flat to order m at the value: constant + O(t^m)."""
        if spot.lower != spot.upper or any(k.place == spot.lower for k in profile.kinks):
            return 1
        if self.node.operator == "pow" and spot.lower == 0:
            return max(1, math.ceil(float(self._operand(1).lower.min())))
        before = [piece.slope for piece in profile.pieces if piece.end == spot.lower]
        after = [piece.slope for piece in profile.pieces if piece.start == spot.lower]
        turns = before and after and before[0] is not None and after[0] is not None
        return 2 if turns and before[0] != after[0] else 1

    def _forgets_root(self, number: int) -> bool:
        """Whether this node is an even power of a root, and so smooth where that is not."""
        if self.node.inputs[0] != number:
            return False
        if self.graph.nodes[number].operator not in ("abs", "norm"):
            return False
        if self.node.operator == "square":
            return True
        power = self.node.operator == "pow"
        return power and bool(
            np.all((self._operand(1).lower % 2 == 0) & (self._operand(1).lower > 0))
        )

    def _value_at(self, record: Operator, position: int, spot: Spot) -> tuple[float, float]:
        """Return what this node's value lies between where an operand has a spot."""
        if record.family is Family.STRUCTURAL:
            return spot.lower, spot.upper
        own = self.bounds[self.number]
        if record.family is not Family.ELEMENTWISE:
            return _ends(own)
        same = self.node.inputs[position]
        operands = [
            Interval.make(np.broadcast_to(spot.lower, x.lower.shape), spot.upper)
            if i == same
            else x
            for i, x in zip(self.node.inputs, self._operands(), strict=True)
        ]
        found = _ends(enclose(record, operands, dict(self.node.options)))
        least, most = _ends(own)
        return max(found[0], least), min(found[1], most)

    # --- the operands ----------------------------------------------------------------

    def _asks_for_infinity(self, node: Node) -> bool:
        """Whether a node tells infinite numbers from others: `inf - x >= 0`, not true of inf - inf.

        It turns only where x is infinite, and there x has a wall or a pole of its own.
        """
        if node.operator != "nonnegative":
            return False
        difference = self.graph.nodes[node.inputs[0]]
        if difference.operator != "sub":
            return False
        minuend = self.bounds[difference.inputs[0]]
        return bool(np.all(minuend.lower == np.inf))

    def _operand(self, position: int) -> Interval:
        return self.bounds[self.node.inputs[position]]

    def _operands(self) -> list[Interval]:
        return [self.bounds[i] for i in self.node.inputs]

    def _function(self, record: Operator) -> tuple[int, list[Section]] | None:
        """Return the one operand that varies, and the node as functions of it.

        There is a function for each number that the other operand, if there is one, holds. None
        where it is no function of one number.
        """
        if isinstance(record.facts, Profile):
            return 0, [Section(record.facts, record.evaluate)]
        moving = [p for p, i in enumerate(self.node.inputs) if self.varying[i]]
        if record.family is not Family.ELEMENTWISE or len(moving) != 1:
            return None
        if len(self.node.inputs) != 2:
            return None
        other = self._operand(1 - moving[0])
        numbers = np.unique(other.lower)
        if not other.known or not 0 < numbers.size <= MOST_NUMBERS:
            return None
        found = [find_section(record, moving[0], [float(number)]) for number in numbers]
        sections = [section for section in found if section is not None]
        return (moving[0], sections) if len(sections) == len(found) else None

    def _spot(
        self, kind: SpotKind, order: int, lower: float | None = None, upper: float | None = None
    ) -> Spot:
        least, most = _ends(self.bounds[self.number])
        return Spot(
            node=self.number,
            origin=self.node.origin,
            kind=kind,
            order=order,
            lower=least if lower is None else float(lower),
            upper=most if upper is None else float(upper),
        )


def _ends(x: Interval) -> tuple[float, float]:
    return float(x.lower.min(initial=np.inf)), float(x.upper.max(initial=-np.inf))


def _is_within(x: Interval, lower: Interval, upper: Interval) -> bool:
    return bool(np.all(x.lower >= lower.upper) and np.all(x.upper <= upper.lower))


def _is_constant_around(profile: Profile, spot: Spot) -> bool:
    """Whether a function does not move in the neighborhood of the values at a spot."""
    if profile.period is not None:
        return False
    return any(
        piece.slope == 0 and piece.start < spot.lower and spot.upper < piece.end
        for piece in profile.pieces
    )


def _has_pole_at(profile: Profile, spot: Spot) -> bool:
    """Whether a function has a pole just where its operand has a spot, and so shows only that."""
    if spot.lower != spot.upper or profile.period is not None:
        return False
    ends = (
        (profile.pieces[0].start, limit_of(profile.left)),
        (profile.pieces[-1].end, limit_of(profile.right)),
    )
    poles = [kink.place for kink in profile.kinks if kink.before is not None]
    poles += [place for place, limit in ends if limit is not None and math.isinf(limit)]
    return math.isfinite(spot.lower) and spot.lower in poles


def _reaches(profile: Profile, place: float, x: Interval) -> bool:
    """Whether any interval holds a place, or one some periods from it; its ends count."""
    if profile.period is None:
        return bool(np.any((x.lower <= place) & (place <= x.upper)))
    with np.errstate(invalid="ignore"):
        first = np.ceil((x.lower - place) / profile.period)
        last = np.floor((x.upper - place) / profile.period)
    return bool(np.any(first <= last))


def _places_inside(profile: Profile, kink: Kink, x: Interval) -> list[float]:
    """Return the first and the last of the places of a kink that lie inside any interval.

    At a jump the value is that from the right: reached from the left alone, it shows too.
    """
    place = kink.place
    # The next number past the end takes the end in.
    upper = x.upper if kink.bend is not None else np.nextafter(x.upper, np.inf)
    if profile.period is None:
        return [place] if np.any((x.lower < place) & (place < upper)) else []
    with np.errstate(invalid="ignore"):
        first = np.floor((x.lower - place) / profile.period) + 1
        last = np.ceil((upper - place) / profile.period) - 1
    inside = first <= last
    if not np.any(inside):
        return []
    ends = (float(first[inside].min()), float(last[inside].max()))
    return [place + profile.period * end for end in ends]
