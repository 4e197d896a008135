"""What a conjunction without open choices says in every direction, from the fastest growth down.

Whatever falls must be outgrown: each falling part by parts that grow strictly faster (Farkas), or
falling squares by squares (no negative eigenvalue), or the linear part by hinges of the same speed
(a linear program). Then the directions in which nothing grows are a cone.

Sources: Rockafellar, Convex Analysis, theorem 8.7 and section 27 (recession functions); Rockafellar
and Wets, Variational Analysis, theorem 11.16 and section 3.D (coercivity); Weinberg (1960),
High-energy behavior in quantum field theory (power counting, in `counting`).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from ebmlang.analysis.affine import Row, TooLargeError, combine
from ebmlang.analysis.elements import Element
from ebmlang.analysis.growth import Strength, strength
from ebmlang.analysis.propriety.cone import UnclearError, Vector, find_descent, find_direction
from ebmlang.analysis.propriety.counting import find_heavy_direction
from ebmlang.analysis.propriety.lower_bound import (
    Atom,
    Conjunction,
    Square,
    opposite,
    tidied,
)
from ebmlang.analysis.propriety.quadratic import range_rows
from ebmlang.lang.facts import Growth, Rate


class Goal(Enum):
    """What is asked of a bound from below."""

    BOUNDED = "bounded below"
    COERCIVE = "infinite in every direction"
    INTEGRABLE = "exp of minus it is integrable"


class Standing(Enum):
    """What was found."""

    HOLDS = "it holds"
    FREE = "there is a direction in which too little grows"
    FALLS = "there is a direction in which something falls that nothing outgrows"
    FAULT = "there is an element of which nothing is known"
    SPLIT = "a part that falls has to be split in two"
    UNCLEAR = "rounding, or size, is in the way"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, and what proves it or stands in the way.

    Attributes:
        standing: Which.
        direction: For FREE and FALLS.
        source: For FALLS and FAULT: the element.
        why: For FAULT and UNCLEAR.
        split: For SPLIT: the alternatives, either of which may take the place of the whole.
    """

    standing: Standing
    direction: Vector | None = None
    source: Element | None = None
    why: str = ""
    split: tuple[Conjunction, ...] = ()


SLACK = 1 + 1e-6
"""-k (r + e)^2 is at least -k r^2 times any number above 1, less a constant."""

_HOLDS = Finding(Standing.HOLDS)
_FIRST = strength(Growth(Rate.POWER, 1.0, 1.0))
_SECOND = strength(Growth(Rate.POWER, 1.0, 2.0))
_LOG = strength(Growth(Rate.LOG))


def judge(part: Conjunction, goal: Goal, coordinates: frozenset[int]) -> Finding:
    """Return whether the parts of a conjunction reach a goal; its choices count as constants.

    Args:
        part: The bound.
        goal: What is asked.
        coordinates: Those that can go to infinity and are not integrated out.
    """
    if part.infinite:
        return _HOLDS
    if part.faults:
        fault = part.faults[0]
        return Finding(Standing.FAULT, source=fault.source, why=fault.why)
    try:
        return _judge(tidied(part), goal, coordinates)
    except UnclearError:
        return Finding(Standing.UNCLEAR, why="coefficients are too nearly dependent to tell")
    except TooLargeError:
        return Finding(Standing.UNCLEAR, why="it is too large")


def is_settled(part: Conjunction) -> bool:
    """Return whether a value is a function of hinges of affine values that rises with each.

    So is what a bound says exactly, if besides such parts it has a linear one that single hinges,
    walls and squares outweigh: added to them, it moves the place from which they rise.
    """
    falls = any(atom.growth.factor < 0 for atom in part.atoms)
    if not part.settles or part.faults or part.poles or falls:
        return False
    if any(square.factor < 0 for square in part.squares):
        return False
    if not part.linear:
        return True
    own = replace(part, choices=(), atoms=tuple(atom for atom in part.atoms if len(atom.rows) == 1))
    coordinates = frozenset(j for row in _all_rows(own) for j in row)
    return judge(own, Goal.BOUNDED, coordinates).standing is Standing.HOLDS


def _all_rows(part: Conjunction) -> Iterator[Row]:
    yield part.linear
    yield from (square.row for square in part.squares)
    yield from (row for atom in part.atoms for row in atom.rows)


def _judge(part: Conjunction, goal: Goal, coordinates: frozenset[int]) -> Finding:
    fall = _judge_poles(part, goal)
    if fall is not None:
        return fall
    squares, more = _settled_squares(part, coordinates)
    if isinstance(squares, Finding):
        return squares
    rising = [*_rows_of_atoms(part), *((row, _SECOND) for row in squares)]
    falling = [
        atom
        for atom in (*part.atoms, *more.atoms)
        if atom.growth.factor < 0 and not _is_one_sided_square(atom)
    ]
    linear = combine([(part.linear, 1.0), (more.linear, 1.0)])
    faster = [row for row, own in rising if own > _FIRST]
    if linear and find_descent(faster, linear, coordinates) is None:
        # Where nothing faster grows it never falls: so it holds like any hinge.
        rising.append((linear, _FIRST))
    for atom in falling:
        speed = strength(atom.growth)
        faster = [row for row, own in rising if own > speed]
        for row in atom.rows:
            direction = find_descent(faster, opposite(row), coordinates)
            if direction is None:
                continue
            if (
                speed == _FIRST
                and math.isfinite(atom.growth.factor)
                and any(atom is own for own in part.atoms)
            ):
                return _split(part, atom)
            if speed == _LOG and goal is Goal.INTEGRABLE and math.isfinite(atom.growth.factor):
                continue
            return Finding(Standing.FALLS, direction, atom.source)
    return _judge_rest(part, goal, coordinates, rising, linear)


def _judge_rest(
    part: Conjunction,
    goal: Goal,
    coordinates: frozenset[int],
    rising: list[tuple[Row, Strength]],
    linear: Row,
) -> Finding:
    """Judge hinges against the linear part, then the directions that are left."""
    faster = [row for row, own in rising if own > _FIRST]
    hinges = [atom for atom in part.atoms if _is_hinge(atom)]
    rows, extra = [*faster], set(coordinates)
    if linear and find_descent(faster, linear, coordinates) is not None:
        # Lifted: a height for each hinge, at least each of its rows and at least 0.
        total = dict(linear)
        for number, hinge in enumerate(hinges, start=max(coordinates, default=0) + 1):
            extra.add(number)
            total[number] = hinge.growth.factor
            rows.append({number: -1.0})
            rows += [combine([(row, 1.0), ({number: 1.0}, -1.0)]) for row in hinge.rows]
        descent = find_descent(rows, total, extra)
        if descent is not None:
            return Finding(Standing.FALLS, _cut(descent, coordinates))
        rows.append(total)
    else:
        # The linear part never falls where nothing faster grows: it holds like any hinge.
        rows += [row for hinge in hinges for row in hinge.rows]
        rows += [linear] if linear else []
    if goal is Goal.BOUNDED:
        return _HOLDS
    logs = [atom for atom in part.atoms if strength(atom.growth) == _LOG]
    slower = [row for row, own in rising if _LOG < own < _FIRST]
    if goal is Goal.COERCIVE:
        slower += [row for atom in logs if atom.growth.factor > 0 for row in atom.rows]
    direction = find_direction([*rows, *slower], extra)
    if direction is None:
        return _HOLDS
    if goal is Goal.INTEGRABLE and logs:
        heavy = find_heavy_direction([*rows, *slower], logs, coordinates, extra)
        return _HOLDS if heavy is None else Finding(Standing.FREE, heavy)
    return Finding(Standing.FREE, _cut(direction, coordinates))


def _is_hinge(atom: Atom) -> bool:
    return atom.growth.factor > 0 and strength(atom.growth) == _FIRST


def _rows_of_atoms(part: Conjunction) -> Iterator[tuple[Row, Strength]]:
    for atom in part.atoms:
        if atom.growth.factor > 0:
            for row in atom.rows:
                yield row, strength(atom.growth)


def _cut(direction: Vector, coordinates: frozenset[int]) -> Vector:
    return {j: v for j, v in direction.items() if j in coordinates}


def _judge_poles(part: Conjunction, goal: Goal) -> Finding | None:
    """Return what is wrong with falls near the ends of domains: f log(1/t) for t to 0.

    exp of minus it is t^f, f below 0: integrable near 0 exactly where f is above -1. Each
    coordinate counts for itself, since everything else is bounded below. Whatever rises faster than
    a logarithm outweighs it.
    """
    total: dict[tuple[int, float], float] = {}
    for pole in part.poles:
        place = (pole.coordinate, pole.end)
        speed = strength(pole.growth)
        if pole.growth.factor > 0:
            total[place] = total.get(place, 0.0) + (
                pole.growth.factor if speed == _LOG else math.inf
            )
    for pole in part.poles:
        if pole.growth.factor >= 0:
            continue
        place = (pole.coordinate, pole.end)
        total[place] = total.get(place, 0.0) + pole.growth.factor
        least = -1.0 if goal is Goal.INTEGRABLE else 0.0
        enough = total[place] > least or (total[place] == 0 and goal is Goal.BOUNDED)
        if strength(pole.growth) != _LOG or not enough:
            why = "it can fall without bound"
            return Finding(Standing.FAULT, source=pole.source, why=why)
    return None


def _split(part: Conjunction, atom: Atom) -> Finding:
    """Return the two halves of -k max(0, row . x, ...): the least of 0 and of each -k row . x."""
    rest = replace(part, atoms=tuple(other for other in part.atoms if other is not atom))
    return Finding(
        Standing.SPLIT,
        source=atom.source,
        split=(
            rest,
            *(
                replace(rest, linear=combine([(rest.linear, 1.0), (row, atom.growth.factor)]))
                for row in atom.rows
            ),
        ),
    )


def _is_one_sided_square(atom: Atom) -> bool:
    """Return whether an atom is -k max(0, row . x)^2 for a known k."""
    single = len(atom.rows) == 1 and strength(atom.growth) == _SECOND
    return single and atom.growth.rate is Rate.POWER and -math.inf < atom.growth.factor < 0


def _one_sided_squares(part: Conjunction) -> list[Square]:
    """Return squares that fall at least as fast as those that fall on one side only."""
    return [
        Square(atom.rows[0], atom.growth.factor * SLACK, 0.0, 0.0, atom.source)
        for atom in part.atoms
        if _is_one_sided_square(atom)
    ]


def _settled_squares(
    part: Conjunction, coordinates: frozenset[int]
) -> tuple[list[Row] | Finding, Conjunction]:
    """Return the rows, both ways, of which the squares grow; and what offsets add to the sum.

    With no falling square there is nothing to weigh. Otherwise falling squares that something
    faster holds are left out, and the others must leave a sum without negative directions.
    """
    nothing = Conjunction()
    if all(square.factor > 0 for square in part.squares) and not _one_sided_squares(part):
        return [row for s in part.squares for row in (s.row, opposite(s.row))], nothing
    faster = [row for row, own in _rows_of_atoms(part) if own > _SECOND]
    kept: list[Square] = []
    for square in [*part.squares, *_one_sided_squares(part)]:
        ends = (square.row, opposite(square.row))
        held = square.factor < 0 and all(
            find_descent(faster, opposite(row), coordinates) is None for row in ends
        )
        if not held:
            kept.append(square)
    if all(square.factor > 0 for square in kept):
        return [row for s in kept for row in (s.row, opposite(s.row))], nothing
    atoms: list[Atom] = []
    linear: list[tuple[Row, float]] = []
    for square in kept:
        # factor (r + e)^2 = factor r^2 + 2 factor e r + ...; e may vary in an interval.
        if math.isinf(square.low) or math.isinf(square.high):
            why = "it depends on data that is missing"
            return Finding(Standing.FAULT, source=square.source, why=why), nothing
        middle, spread = (square.low + square.high) / 2, (square.high - square.low) / 2
        linear.append((square.row, 2 * square.factor * middle))
        if spread:
            fall = Growth(Rate.POWER, -2 * abs(square.factor) * spread, 1.0)
            atoms += [
                Atom((row,), fall, square.source) for row in (square.row, opposite(square.row))
            ]
    rows, descent = range_rows([(square.row, square.factor) for square in kept], coordinates)
    if descent is not None:
        source = next(square.source for square in kept if square.factor < 0)
        return Finding(Standing.FALLS, descent, source), nothing
    more = Conjunction(linear=combine(linear), atoms=tuple(atoms))
    return [row for r in rows for row in (r, opposite(r))], more
