"""Choices: a bound with alternatives reaches a goal where every combination of them does.

Alternatives are opened only where they must be: first everything but the choices is judged, with
what all alternatives of a choice have in common; where a direction is left, the choices that may
hold it are opened, one at a time. An OR of hinges over n places so costs n steps and not 2^n.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ebmlang.analysis.affine import AffineForms, Row, TooLargeError
from ebmlang.analysis.elements import Element
from ebmlang.analysis.growth import Strength, scaled, strength
from ebmlang.analysis.propriety.cone import UnclearError, Vector, find_direction
from ebmlang.analysis.propriety.feasibility import is_empty
from ebmlang.analysis.propriety.lower_bound import (
    NEARLY,
    Atom,
    Choice,
    Conjunction,
    join,
    opposite,
)
from ebmlang.analysis.propriety.strata import Finding, Goal, Standing, judge
from ebmlang.lang.facts import Growth, Rate

COMBINATIONS = 2_000
"""Most combinations of alternatives that are judged; past it the answer is `unknown`."""


@dataclass(frozen=True, slots=True)
class Branch:
    """The finding for the first combination of alternatives that does not reach the goal.

    Attributes:
        finding: Of it, or that all do.
        taken: The choices that were opened, and which alternative of each.
        part: The bound of it.
        judged: How many combinations were judged.
    """

    finding: Finding
    taken: tuple[tuple[Element, int], ...]
    part: Conjunction
    judged: int


def judge_branches(
    part: Conjunction, goal: Goal, forms: AffineForms, coordinates: frozenset[int]
) -> Branch:
    """Return whether every combination of alternatives that some point can take reaches a goal.

    Args:
        part: The bound.
        goal: What is asked.
        forms: Of the graph: where its coordinates may be.
        coordinates: Those that can go to infinity and are not integrated out.
    """
    pending: list[tuple[Conjunction, tuple[tuple[Element, int], ...]]] = [(part, ())]
    judged = 0
    while pending:
        current, taken = pending.pop()
        judged += 1
        if judged > COMBINATIONS:
            why = f"more than {COMBINATIONS:,} combinations of alternatives would have to be judged"
            return Branch(Finding(Standing.UNCLEAR, why=why), taken, current, judged)
        opened = next((choice for choice in current.choices if not choice.rises), None)
        finding = None
        if opened is None:
            common = [shared_atoms(choice, coordinates) for choice in current.choices]
            whole = join([replace(current, choices=()), *common])
            finding = judge(whole, goal, coordinates)
            if finding.standing is Standing.HOLDS:
                continue
            if finding.standing is Standing.SPLIT:
                kept = current.choices
                pending += [
                    (replace(half, choices=kept, atoms=_without(half, common)), taken)
                    for half in finding.split
                ]
                continue
            opened = _helpful(current.choices, finding)
        if opened is None:
            assert finding is not None
            if is_empty(current, forms):
                continue
            return Branch(finding, taken, current, judged)
        rest = tuple(choice for choice in current.choices if choice is not opened)
        for number, alternative in enumerate(opened.alternatives):
            more = join([replace(current, choices=rest), alternative])
            pending.append((more, (*taken, (opened.source, number))))
    return Branch(Finding(Standing.HOLDS), (), part, judged)


def _without(half: Conjunction, common: Sequence[Conjunction]) -> tuple[Atom, ...]:
    shared = [atom for part in common for atom in part.atoms]
    return tuple(atom for atom in half.atoms if not any(atom is other for other in shared))


def _helpful(choices: Sequence[Choice], finding: Finding) -> Choice | None:
    """Return a choice of which an alternative may grow in the direction that was found."""
    if finding.direction is None:
        return None
    for choice in choices:
        if any(_moves(alternative, finding.direction) for alternative in choice.alternatives):
            return choice
    return None


def _moves(part: Conjunction, direction: Vector) -> bool:
    rows = [part.linear, *(square.row for square in part.squares)]
    rows += [row for atom in part.atoms for row in atom.rows]
    if any(abs(sum(c * direction.get(j, 0.0) for j, c in row.items())) > 1e-9 for row in rows):
        return True
    return any(_moves(other, direction) for c in part.choices for other in c.alternatives)


# --- what alternatives share ---------------------------------------------------------


def shared_atoms(choice: Choice, coordinates: frozenset[int]) -> Conjunction:
    """Return atoms that every alternative of a choice is at least.

    A row is shared where each alternative grows along it: by an atom of that row, or by atoms that
    hold every direction of the coordinates that they are about.
    """
    grown = [_rows_of(alternative, coordinates) for alternative in choice.alternatives]
    if not all(grown):
        return Conjunction()
    first, *others = grown
    groups: dict[Strength, list[tuple[Row, Growth]]] = {}
    for key, (row, growth) in first.items():
        own = [growth, *(other[key][1] for other in others if key in other)]
        if len(own) == len(grown):
            slowest = min(own, key=_speed)
            groups.setdefault(strength(slowest), []).append((row, slowest))
    atoms = []
    for speed, members in groups.items():
        growth = min((growth for _, growth in members), key=_speed)
        if len(groups) > 1:
            # The largest of several is at least (1 - k) of one and k of the others: only of the
            # slowest does the factor matter.
            growth = scaled(growth, NEARLY if speed == min(groups) else (1 - NEARLY) / len(groups))
        # Of one alternative only the largest of its parts is counted, not their sum.
        atoms.append(Atom(tuple(row for row, _ in members), growth, choice.source))
    return Conjunction(atoms=tuple(atoms))


def _speed(growth: Growth) -> tuple[object, float]:
    return strength(growth), growth.factor


def _rows_of(
    part: Conjunction, coordinates: frozenset[int]
) -> dict[tuple[tuple[int, float], ...], tuple[Row, Growth]]:
    """Return rows of length 1 along which a bound grows, and how fast."""
    found: dict[tuple[tuple[int, float], ...], tuple[Row, Growth]] = {}

    def note(row: Row, growth: Growth) -> None:
        length = math.sqrt(sum(c * c for c in row.values()))
        unit = {j: c / length for j, c in row.items()}
        key = tuple((j, round(unit[j], 12)) for j in sorted(unit))
        if growth.rate is Rate.POWER:
            growth = Growth(Rate.POWER, growth.factor * length**growth.power, growth.power)
        if key not in found or _speed(found[key][1]) < _speed(growth):
            found[key] = (unit, growth)

    rising = [atom for atom in part.atoms if atom.growth.factor > 0]
    for atom in rising:
        for row in atom.rows:
            note(row, atom.growth)
    for square in part.squares:
        if square.factor > 0:
            for row in (square.row, opposite(square.row)):
                note(row, Growth(Rate.POWER, square.factor, 2.0))
    for choice in part.choices:
        for atom in shared_atoms(choice, coordinates).atoms:
            for row in atom.rows:
                note(row, atom.growth)
    rows = [row for row, growth in found.values() if growth.rate is not Rate.LOG]
    held = {j for row in rows for j in row if j in coordinates}
    if len(held) > 1 and _holds_all(rows, held):
        slowest = min(
            (growth for _, growth in found.values() if growth.rate is not Rate.LOG), key=_speed
        )
        if slowest.rate is Rate.POWER and slowest.power <= 1:
            # How much of each coordinate is held is not told by the rows: any multiple of a lower
            # power is.
            slowest = Growth(Rate.POWER, 1.0, slowest.power / 2)
        for j in held:
            note({j: 1.0}, slowest)
            note({j: -1.0}, slowest)
    return found


def _holds_all(rows: Sequence[Row], held: set[int]) -> bool:
    try:
        return find_direction(rows, held) is None
    except (UnclearError, TooLargeError):
        return False
