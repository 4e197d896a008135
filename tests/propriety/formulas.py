"""Constraints on affine arguments as data: their text, their energy in NumPy, their atoms.

The three readings share nothing with the compiler, and as little as can be with each other: the
energy follows the language page; the atoms are the convex pieces that decide how it grows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from itertools import product
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Affine:
    """slopes @ x + offset, with whole numbers."""

    slopes: tuple[int, ...]
    offset: int = 0

    def at(self, x: Array) -> Array:
        return np.asarray(self.slopes, dtype=np.float64) @ x + self.offset

    def text(self, names: Sequence[str]) -> str:
        parts = [
            f"{'-' if slope < 0 else '+'} {f'{abs(slope)} * ' if abs(slope) != 1 else ''}{name}"
            for slope, name in zip(self.slopes, names, strict=True)
            if slope
        ]
        if self.offset or not parts:
            parts.append(f"{'-' if self.offset < 0 else '+'} {abs(self.offset)}")
        return " ".join(parts).removeprefix("+ ").replace("- ", "-", 1 if parts[0][0] == "-" else 0)


# --- atoms ---------------------------------------------------------------------------


class Shape(Enum):
    """How an atom grows with its affine argument a; all are convex."""

    ABOVE = "faster than any line where a > 0, flat elsewhere"
    AWAY = "faster than any line on both sides"
    TILT = "a itself"
    SPREAD = "abs(a)"
    RAMP = "max(a, 0)"
    WALL = "infinite where a > 0"


@dataclass(frozen=True, slots=True)
class Atom:
    shape: Shape
    argument: Affine
    factor: Fraction = Fraction(1)


Branch: TypeAlias = tuple[Atom, ...]
"""A convex function: the sum of its atoms, but for a bounded amount."""


def both(left: Sequence[Branch], right: Sequence[Branch]) -> list[Branch]:
    return [(*a, *b) for a, b in product(left, right)]


def negated(argument: Affine) -> Affine:
    return Affine(tuple(-slope for slope in argument.slopes), -argument.offset)


# --- formulas ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Compare:
    """`argument <= 0`, `>= 0` or `== 0`, within a tolerance."""

    relation: str
    argument: Affine
    tolerance: Fraction


@dataclass(frozen=True, slots=True)
class Between:
    """`lower <= argument <= upper`, within a tolerance."""

    lower: int
    argument: Affine
    upper: int
    tolerance: Fraction


@dataclass(frozen=True, slots=True)
class Not:
    inner: "Formula"


@dataclass(frozen=True, slots=True)
class All:
    parts: "tuple[Formula, ...]"


@dataclass(frozen=True, slots=True)
class Any_:
    parts: "tuple[Formula, ...]"


@dataclass(frozen=True, slots=True)
class Implies:
    left: "Formula"
    right: "Formula"


Formula: TypeAlias = Compare | Between | Not | All | Any_ | Implies


def simplified(formula: Formula, positive: bool = True) -> Formula:
    """Return a formula of `<=`, `==`, `!=`, AND and OR alone, as the language page says."""
    match formula:
        case Not(inner):
            return simplified(inner, not positive)
        case Implies(left, right):
            return simplified(Any_((Not(left), right)), positive)
        case All(parts) | Any_(parts):
            kind = All if isinstance(formula, All) == positive else Any_
            return kind(tuple(simplified(part, positive) for part in parts))
        case Between(lower, a, upper, s):
            low = Compare(">=", Affine(a.slopes, a.offset - lower), s)
            high = Compare("<=", Affine(a.slopes, a.offset - upper), s)
            return simplified(All((low, high)), positive)
        case Compare(relation, a, s):
            if not positive:
                relation = {"<=": ">=", ">=": "<=", "==": "!="}[relation]
            if relation == ">=":
                return Compare("<=", negated(a), s)
            return Compare(relation, a, s)


def formula_text(formula: Formula, names: Sequence[str]) -> str:
    match formula:
        case Compare(relation, a, s):
            return f"({a.text(names)} {relation} 0 within {float(s)})"
        case Between(lower, a, upper, s):
            return f"({lower} <= {a.text(names)} <= {upper} within {float(s)})"
        case Not(inner):
            return f"(not {formula_text(inner, names)})"
        case All(parts):
            return "(" + " and ".join(formula_text(part, names) for part in parts) + ")"
        case Any_(parts):
            return "(" + " or ".join(formula_text(part, names) for part in parts) + ")"
        case Implies(left, right):
            return f"({formula_text(left, names)} implies {formula_text(right, names)})"


def _margin(relation: str, distance: Array) -> Array:
    if relation == "<=":
        return -distance
    return 1 - np.abs(distance) if relation == "==" else np.abs(distance) - 1


def read_formula(formula: Formula, x: Array, logic: str) -> tuple[Array, Array]:
    """Return the margin and the energy of a simplified formula."""
    match formula:
        case Compare(relation, a, s):
            margin = _margin(relation, a.at(x) / float(s))
            return margin, np.maximum(-margin, 0) ** 2 / 2
        case All(parts):
            margins, energies = _read_all(parts, x, logic)
            together = np.max(energies, 0) if logic == "godel" else np.sum(energies, 0)
            return np.min(margins, 0), together
        case Any_(parts):
            margins, energies = _read_all(parts, x, logic)
            if logic == "godel":
                return np.max(margins, 0), np.min(energies, 0)
            return np.max(margins, 0), noisy_or(energies)
        case _:
            raise AssertionError(formula)


def _read_all(parts: tuple[Formula, ...], x: Array, logic: str) -> tuple[Array, Array]:
    read = [read_formula(part, x, logic) for part in parts]
    return np.stack([margin for margin, _ in read]), np.stack([energy for _, energy in read])


def noisy_or(energies: Array) -> Array:
    """Return -log(1 - prod(1 - exp(-C))), by its sum of positive numbers in log space."""
    with np.errstate(divide="ignore", invalid="ignore"):
        rests = np.where(
            energies > 1, np.log1p(-np.exp(-energies)), np.log(-np.expm1(-energies))
        )  # log(1 - exp(-C))
        before = np.concatenate([np.zeros_like(rests[:1]), np.cumsum(rests, 0)[:-1]])
        logs = before - energies
        # After one that holds, with C = 0, the others add exp(-inf); inf - inf stands for that.
        total = np.logaddexp.reduce(np.where(np.isnan(logs), -np.inf, logs), 0)
    return np.maximum(-total, 0)


def formula_branches(formula: Formula, *, hard: bool) -> list[Branch]:
    """Return the branches of a simplified formula.

    Noisy-or and min differ by at most log 2 for two, max and sum of energies that are not
    negative by a factor: neither changes where, or how fast in kind, the energy grows.
    """
    match formula:
        case Compare(relation, a, s):
            width = int(2 * s)  # an even multiple, so that offsets stay whole
            doubled = Affine(tuple(2 * slope for slope in a.slopes), 2 * a.offset)
            above = Affine(doubled.slopes, doubled.offset - width)
            below = Affine(negated(doubled).slopes, negated(doubled).offset - width)
            one_sided = Shape.WALL if hard else Shape.ABOVE
            if relation == "<=":
                return [(Atom(one_sided, a),)]
            if relation == "==":
                return [(Atom(one_sided, above), Atom(one_sided, below))]
            return [(Atom(one_sided, negated(above)),), (Atom(one_sided, negated(below)),)]
        case All(parts):
            found: list[Branch] = [()]
            for part in parts:
                found = both(found, formula_branches(part, hard=hard))
            return found
        case Any_(parts):
            return [branch for part in parts for branch in formula_branches(part, hard=hard)]
        case _:
            raise AssertionError(formula)
