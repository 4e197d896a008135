"""How the operator of a node behaves over the bounds of its operands: its slopes and its bend.

What monotonicity and curvature share: the facts of the operator's record, read over intervals.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ebmlang.analysis.bounds import sign_of
from ebmlang.graph import Node
from ebmlang.lang.behavior import Section, find_section
from ebmlang.lang.facts import Curvature, Profile, Rules, SignOf, Slope
from ebmlang.lang.interval import Interval
from ebmlang.lang.restriction import bend_over, slope_over
from ebmlang.lang.table import OPERATORS

MANY_NUMBERS = 16
"""How many different numbers an operand that is held still may be, for them to be looked at."""


@dataclass(frozen=True, slots=True)
class Character:
    """How an operator moves with each operand, and how it bends in those that move, jointly."""

    slopes: tuple[Slope, ...]
    curvature: Curvature


def infer_character(node: Node, operands: Sequence[Interval], moving: Sequence[bool]) -> Character:
    """Return how an operator behaves while some of its operands are held still.

    Args:
        node: One with an operator of the table.
        operands: What they lie between.
        moving: Which of them are not held still.
    """
    facts = OPERATORS[node.operator].facts
    if isinstance(facts, Profile):
        return Character((slope_over(facts, operands[0]),), bend_over(facts, operands[0]))
    sections = _sections(node, operands, moving) if sum(moving) == 1 else ()
    if sections:
        position = list(moving).index(True)
        x = operands[position]
        slopes = [Slope.MIXED] * len(operands)
        slopes[position] = _common_slope([slope_over(one.profile, x) for one in sections])
        bends = [bend_over(one.profile, x) for one in sections]
        return Character(tuple(slopes), join_curvatures(bends))
    slopes = [_slope(facts, position, operands) for position in range(len(operands))]
    return Character(tuple(slopes), _curvature(facts, moving))


def compose_slopes(outer: Slope, inner: Slope) -> Slope:
    """Return how f(g) moves, from how f and g do.

    >>> compose_slopes(Slope.FALLING, Slope.FALLING).name
    'RISING'
    """
    if Slope.FLAT in (outer, inner):
        return Slope.FLAT
    if outer is Slope.MIXED or inner is Slope.MIXED:
        return Slope.MIXED
    return Slope(outer.value * inner.value)


def add_slopes(a: Slope, b: Slope) -> Slope:
    """Return how a sum moves, from how its two parts do."""
    if a is Slope.FLAT or a is b:
        return b
    return a if b is Slope.FLAT else Slope.MIXED


def join_curvatures(curvatures: Sequence[Curvature]) -> Curvature:
    """Return what is true of all of several functions.

    >>> join_curvatures([Curvature.CONVEX, Curvature.AFFINE]).name
    'CONVEX'
    """
    found = set(curvatures) - {Curvature.CONSTANT}
    if not found:
        return Curvature.CONSTANT
    bent = found - {Curvature.AFFINE}
    if not bent:
        return Curvature.AFFINE
    return bent.pop() if len(bent) == 1 else Curvature.UNKNOWN


def _sections(
    node: Node, operands: Sequence[Interval], moving: Sequence[bool]
) -> tuple[Section, ...]:
    """Return the operator as functions of the one operand that moves; () where there are none."""
    record = OPERATORS[node.operator]
    position = list(moving).index(True)
    assert isinstance(record.facts, Rules)
    if not record.facts.sections or record.facts.sections[position] is None:
        return ()
    (other,) = (x for i, x in enumerate(operands) if i != position)
    numbers = np.unique(other.lower)
    if not other.known or numbers.size > MANY_NUMBERS:
        return ()
    found = [find_section(record, position, [float(number)]) for number in numbers]
    sections = tuple(section for section in found if section is not None)
    return sections if len(sections) == len(found) else ()


def _common_slope(slopes: Sequence[Slope]) -> Slope:
    found = Slope.FLAT
    for slope in slopes:
        found = add_slopes(found, slope)
    return found


def _slope(facts: Rules, position: int, operands: Sequence[Interval]) -> Slope:
    slope = facts.slopes[min(position, len(facts.slopes) - 1)]
    if position in facts.poles and np.any(
        (operands[position].lower < 0) & (operands[position].upper > 0)
    ):
        return Slope.MIXED
    if isinstance(slope, SignOf):
        sign = sign_of(operands[slope.operand])
        return Slope.MIXED if sign is None else Slope(sign * slope.factor)
    return slope


def _curvature(facts: Rules, moving: Sequence[bool]) -> Curvature:
    if any(_covers(group, moving, len(facts.slopes)) for group in facts.linear):
        return Curvature.AFFINE
    return facts.curvature


def _covers(group: tuple[int, ...], moving: Sequence[bool], declared: int) -> bool:
    """Return whether a linear group holds all operands that move."""
    return all(
        position in group or (position >= declared and group[-1] == declared - 1)
        for position, moves in enumerate(moving)
        if moves
    )
