"""Specs of the exact fragment as data: their text, their energy in NumPy, their branches of atoms.

As in `formulas`, the three readings are independent of each other and of the compiler.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from tests.propriety.formulas import (
    Affine,
    Array,
    Atom,
    Branch,
    Formula,
    Shape,
    both,
    formula_branches,
    formula_text,
    negated,
    read_formula,
    simplified,
)

# --- energies ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Piece:
    """A real: `factor * shape(argument)`, with the shape TILT, SPREAD, RAMP or AWAY (a square)."""

    shape: Shape
    argument: Affine
    factor: Fraction


@dataclass(frozen=True, slots=True)
class Density:
    """`argument ~ name(...)`."""

    name: str
    argument: Affine
    parameters: tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Mixture:
    """OR of densities of one left side; with weights, `mix`."""

    parts: tuple[Density, ...]
    weights: tuple[Fraction, ...] | None = None


@dataclass(frozen=True, slots=True)
class Softmin:
    left: "Energy"
    right: "Energy"


@dataclass(frozen=True, slots=True)
class Together:
    left: "Energy"
    right: "Energy"


@dataclass(frozen=True, slots=True)
class Tempered:
    inner: "Energy"
    temperature: Fraction


Energy: TypeAlias = Piece | Density | Mixture | Softmin | Together | Tempered | Formula

_WRITTEN = {Shape.TILT: "({})", Shape.SPREAD: "abs({})", Shape.RAMP: "relu({})"}


def piece_text(piece: Piece, names: Sequence[str]) -> str:
    inner = piece.argument.text(names)
    body = _WRITTEN.get(piece.shape, "({})^2").format(inner)
    return body if piece.factor == 1 else f"{float(piece.factor)} * {body}"


def energy_text(energy: Energy, names: Sequence[str]) -> str:
    match energy:
        case Piece():
            return f"energy({piece_text(energy, names)})"
        case Density(name, a, parameters):
            numbers = ", ".join(str(float(p)) for p in parameters)
            return f"({a.text(names)} ~ {name}({numbers}))"
        case Mixture(parts, None):
            return "(" + " or ".join(energy_text(part, names) for part in parts) + ")"
        case Mixture(parts, weights):
            assert weights is not None
            shares = zip(weights, parts, strict=True)
            return f"mix({', '.join(f'{float(w)}: {energy_text(p, names)}' for w, p in shares)})"
        case Softmin(left, right):
            return f"softmin({energy_text(left, names)}, {energy_text(right, names)})"
        case Together(left, right):
            return f"({energy_text(left, names)} and {energy_text(right, names)})"
        case Tempered(inner, temperature):
            return f"tempered({energy_text(inner, names)}, {float(temperature)})"
        case _:
            return formula_text(energy, names)


def read_energy(energy: Energy, x: Array, logic: str) -> Array:
    match energy:
        case Piece(shape, a, factor):
            value = a.at(x)
            curved = {
                Shape.TILT: lambda: value,
                Shape.SPREAD: lambda: np.abs(value),
                Shape.RAMP: lambda: np.maximum(value, 0),
                Shape.AWAY: lambda: value**2,
            }[shape]()
            return float(factor) * curved
        case Density(name, a, parameters):
            return _DENSITIES[name](a.at(x), *map(float, parameters))
        case Mixture(parts, weights):
            shares = weights or (Fraction(1, len(parts)),) * len(parts)
            logs = [
                np.log(float(w)) - read_energy(p, x, logic)
                for w, p in zip(shares, parts, strict=True)
            ]
            return -np.logaddexp.reduce(np.stack(logs), 0)
        case Softmin(left, right):
            return -np.logaddexp(-read_energy(left, x, logic), -read_energy(right, x, logic))
        case Together(left, right):
            return read_energy(left, x, logic) + read_energy(right, x, logic)
        case Tempered(inner, temperature):
            return read_energy(inner, x, logic) / float(temperature)
        case _:
            return read_formula(simplified(energy), x, logic)[1]


_DENSITIES: dict[str, Callable[..., Array]] = {
    "normal": lambda z, m, s: ((z - m) / s) ** 2 / 2 + np.log(s * np.sqrt(2 * np.pi)),
    "laplace": lambda z, m, s: np.abs(z - m) / s + np.log(2 * s),
    "exponential": lambda z, rate: np.where(z >= 0, rate * z - np.log(rate), np.inf),
    "uniform": lambda z, a, b: np.where((z >= a) & (z <= b), np.log(b - a), np.inf),
}


def energy_branches(energy: Energy) -> list[Branch]:
    """Return the branches of an energy: e^-E is their sum, but for a bounded factor."""
    match energy:
        case Piece(shape, a, factor):
            return [(Atom(shape, a, factor),)]
        case Density("normal", a, _):
            return [(Atom(Shape.AWAY, a),)]
        case Density("laplace", a, (_, scale)):
            return [(Atom(Shape.SPREAD, a, 1 / scale),)]
        case Density("exponential", a, (rate,)):
            return [(Atom(Shape.WALL, negated(a)), Atom(Shape.TILT, a, rate))]
        case Density("uniform", a, (lower, upper)):
            low = Affine(negated(a).slopes, int(lower) - a.offset)
            return [
                (
                    Atom(Shape.WALL, Affine(a.slopes, a.offset - int(upper))),
                    Atom(Shape.WALL, low),
                )
            ]
        case Mixture(parts, _):
            return [branch for part in parts for branch in energy_branches(part)]
        case Softmin(left, right):
            return energy_branches(left) + energy_branches(right)
        case Together(left, right):
            return both(energy_branches(left), energy_branches(right))
        case Tempered(inner, temperature):
            return scaled(energy_branches(inner), 1 / temperature)
        case Density():
            raise AssertionError(energy)
        case _:
            return formula_branches(simplified(energy), hard=False)


def scaled(branches: Sequence[Branch], factor: Fraction) -> list[Branch]:
    return [
        tuple(Atom(a.shape, a.argument, a.factor * factor) for a in branch) for branch in branches
    ]


# --- whole specs ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unknown:
    """A scalar variable; `domain` as written, with its bounds where it has any."""

    name: str
    domain: str = "real"
    lower: int | None = None
    upper: int | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """A statement: `require` of a formula, `prefer` of an energy, `minimize` or `maximize`."""

    word: str
    value: Energy
    weight: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """A spec: declarations as text, and the meaning of its terms over all variables.

    Attributes:
        logic: `product` or `godel`.
        unknowns: The variables, in the order of coordinates; names as the text has them.
        head: The declarations.
        terms: Those written at the top; `shown` in the names of the variables.
        inner: Those that parts bring, with weights multiplied: in the text of `head` already.
    """

    logic: str
    unknowns: tuple[Unknown, ...]
    head: str
    terms: tuple[Term, ...]
    inner: tuple[Term, ...] = field(default=())

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(unknown.name for unknown in self.unknowns)

    def text(self) -> str:
        lines = [f"logic {self.logic}", self.head]
        lines += [term_text(f"t{i}", term, self.names) for i, term in enumerate(self.terms)]
        return "\n".join(lines)

    def energy(self, x: Array) -> Array:
        """Return E at the columns of x; inf outside the domain, or what is required."""
        total = np.zeros(x.shape[1])
        for row, unknown in zip(x, self.unknowns, strict=True):
            if unknown.lower is not None:
                total = np.where(row >= unknown.lower, total, np.inf)
            if unknown.upper is not None:
                total = np.where(row <= unknown.upper, total, np.inf)
        for term in self.terms + self.inner:
            if term.word == "require":
                assert isinstance(term.value, Formula)
                margin, _ = read_formula(simplified(term.value), x, self.logic)
                total = np.where(margin >= 0, total, np.inf)
            else:
                sign = -1 if term.word == "maximize" else 1
                total = total + sign * float(term.weight) * read_energy(term.value, x, self.logic)
        return total

    def branches(self) -> list[Branch]:
        n = len(self.unknowns)
        walls: list[Atom] = []
        for i, unknown in enumerate(self.unknowns):
            axis = tuple(int(j == i) for j in range(n))
            if unknown.upper is not None:
                walls.append(Atom(Shape.WALL, Affine(axis, -unknown.upper)))
            if unknown.lower is not None:
                walls.append(Atom(Shape.WALL, negated(Affine(axis, -unknown.lower))))
        found: list[Branch] = [tuple(walls)]
        for term in self.terms + self.inner:
            if term.word == "require":
                assert isinstance(term.value, Formula)
                more = formula_branches(simplified(term.value), hard=True)
            elif term.word == "maximize":
                assert isinstance(term.value, Piece)
                assert term.value.shape is Shape.TILT
                more = scaled(energy_branches(term.value), -term.weight)
            else:
                more = scaled(energy_branches(term.value), term.weight)
            found = both(found, more)
        return found

    def is_least_branch(self) -> bool:
        """Return whether E is exactly the least of its branches, each with a minimum of its own."""
        plain = all(
            isinstance(term.value, Piece | Density | Formula)
            for term in self.terms + self.inner
            if term.word != "require"
        )
        return self.logic == "godel" and plain


def term_text(name: str, term: Term, names: Sequence[str]) -> str:
    if term.word in ("minimize", "maximize"):
        assert isinstance(term.value, Piece)
        body = f"({piece_text(term.value, names)})"
    else:
        body = f"({energy_text(term.value, names)})"
    weight = "" if term.weight == 1 else f" weight {float(term.weight)}"
    return f"{term.word} {name}: {body}{weight}"
