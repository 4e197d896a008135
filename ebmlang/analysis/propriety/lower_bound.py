"""What a proof of propriety leans on: a bound of the energy from below, as a tree.

A `Conjunction` says that a value is at least the sum of its parts, less some constant. Its parts
are simple enough that their behavior in every direction is known. A `Choice` says that a part is at
least the least of its alternatives, less some constant.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ebmlang.analysis.affine import NEGLIGIBLE, Affine, Row, combine, scaled_row
from ebmlang.analysis.elements import Element
from ebmlang.analysis.growth import composed, strength
from ebmlang.lang.facts import Growth, Rate

NEARLY = 0.999
"""As near to 1 as one likes, from below; nearer, and rounding would be in the way."""

MOST_SUMS = 3
"""Of how many hinges beside a linear part all sums are written out: 2^3 rows."""


@dataclass(frozen=True, slots=True)
class Atom:
    """A growth R of the gauge g(x) = max(0, row . x over all rows): factor * R(g(x)).

    Attributes:
        rows: Of the gauge.
        growth: R; where its factor is negative it falls.
        source: The element that it bounds, for messages.
        inside: For a wall, what has to be at most 0, bounded coordinates included. Where nothing
            else is in it, there are no rows.
    """

    rows: tuple[Row, ...]
    growth: Growth
    source: Element
    inside: Affine | None = None


@dataclass(frozen=True, slots=True)
class Square:
    """factor * (row . x + e)^2 with e in [low, high]; the factor may be negative."""

    row: Row
    factor: float
    low: float
    high: float
    source: Element


@dataclass(frozen=True, slots=True)
class Pole:
    """A growth in t = 1 / distance of a coordinate from an end of its domain.

    Attributes:
        coordinate, end: Where.
        growth: Where its factor is negative it falls.
        source: For messages.
    """

    coordinate: int
    end: float
    growth: Growth
    source: Element


@dataclass(frozen=True, slots=True)
class Fault:
    """An element that nothing bounds from below, and why not."""

    source: Element
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conjunction:
    """A sum, all parts of which hold at once.

    Attributes:
        linear: Its linear part.
        squares, atoms, poles: Its other parts, those that fall included.
        choices: Parts that are the least of several.
        faults: Parts of which nothing is known.
        infinite: Whether it is infinite everywhere.
        settles: Whether the value is exactly a function of hinges of affine values that rises with
            each of them. Such a function has a minimizer.
    """

    linear: Row = field(default_factory=dict)
    squares: tuple[Square, ...] = ()
    atoms: tuple[Atom, ...] = ()
    poles: tuple[Pole, ...] = ()
    choices: "tuple[Choice, ...]" = ()
    faults: tuple[Fault, ...] = ()
    infinite: bool = False
    settles: bool = True

    @property
    def rises(self) -> bool:
        """Whether no part falls, so that the value is bounded below."""
        return not (
            self.linear
            or self.faults
            or any(pole.growth.factor < 0 for pole in self.poles)
            or any(square.factor < 0 for square in self.squares)
            or any(atom.growth.factor < 0 for atom in self.atoms)
            or not all(choice.rises for choice in self.choices)
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """The least of several alternatives."""

    alternatives: tuple[Conjunction, ...]
    source: Element

    @property
    def rises(self) -> bool:
        """Whether every alternative is bounded below."""
        return all(alternative.rises for alternative in self.alternatives)


def join(parts: Iterable[Conjunction]) -> Conjunction:
    """Return the sum of several."""
    every = list(parts)
    if len(every) == 1:
        return every[0]
    return Conjunction(
        linear=combine((part.linear, 1.0) for part in every),
        squares=tuple(square for part in every for square in part.squares),
        atoms=tuple(atom for part in every for atom in part.atoms),
        poles=tuple(pole for part in every for pole in part.poles),
        choices=tuple(choice for part in every for choice in part.choices),
        faults=tuple(fault for part in every for fault in part.faults),
        infinite=any(part.infinite for part in every),
        settles=all(part.settles for part in every),
    )


def fault(source: Element, why: str = "nothing bounds it") -> Conjunction:
    """Return that nothing is known of an element."""
    return Conjunction(faults=(Fault(source, why),), settles=False)


def opposite(row: Row) -> Row:
    """Return minus a row."""
    return scaled_row(row, -1.0)


def tidied(part: Conjunction) -> Conjunction:
    """Return the same bound with falling hinges set against rising ones.

    a max(0, r) - b max(0, -r) = b r + (a - b) max(0, r): no part of it falls where a >= b.
    """
    falling = [atom for atom in part.atoms if _is_single_hinge(atom) and atom.growth.factor < 0]
    if not falling:
        return part
    atoms, linear = list(part.atoms), [(part.linear, 1.0)]
    for fall in falling:
        row, b = opposite(fall.rows[0]), -fall.growth.factor
        for number, atom in enumerate(atoms):
            own = _is_single_hinge(atom) and atom.growth.factor > 0
            ratio = _ratio(atom.rows[0], row) if own else None
            if ratio is None or atom.growth.factor * ratio < b:
                continue
            linear.append((row, b))
            rest = replace(atom.growth, factor=atom.growth.factor - b / ratio)
            atoms[number] = replace(atom, growth=rest)
            atoms = [a for a in atoms if a is not fall and a.growth.factor != 0]
            break
    return replace(part, linear=combine(linear), atoms=tuple(atoms))


def _is_single_hinge(atom: Atom) -> bool:
    return (atom.growth.rate, atom.growth.power, len(atom.rows)) == (Rate.POWER, 1.0, 1)


def _ratio(a: Row, b: Row) -> float | None:
    """Return the positive number k with a = k b, if there is one."""
    if a.keys() != b.keys():
        return None
    ratios = [a[j] / b[j] for j in a]
    near = max(ratios) - min(ratios) <= NEGLIGIBLE * abs(ratios[0])
    return ratios[0] if near and ratios[0] > 0 else None


def compose(inner: Conjunction, growth: Growth, source: Element) -> Conjunction:
    """Return a lower bound of R(v) where v goes up, from a lower bound of v.

    R is bounded below, and never falls far out. What cannot be used is left out; nothing that is
    returned falls.

    Args:
        inner: The lower bound of v.
        growth: R at its right end; its factor is positive.
        source: For messages.
    """
    inner = tidied(inner)
    if inner.faults or inner.infinite or growth.rate is Rate.BOUNDED:
        return Conjunction(settles=False)
    if any(pole.growth.factor < 0 for pole in inner.poles):
        return Conjunction(settles=False)
    if any(square.factor < 0 for square in inner.squares):
        return Conjunction(settles=False)
    if any(atom.growth.factor < 0 for atom in inner.atoms):
        return Conjunction(settles=False)
    choices = tuple(
        Choice(
            tuple(
                compose(join([replace(inner, choices=()), alternative]), growth, source)
                for alternative in choice.alternatives
            ),
            source,
        )
        for choice in inner.choices
    )
    return Conjunction(
        atoms=_composed_atoms(inner, growth, source),
        choices=choices,
        settles=inner.settles and not inner.linear,
    )


def _composed_atoms(inner: Conjunction, growth: Growth, source: Element) -> tuple[Atom, ...]:
    if inner.linear:
        sums = [inner.linear]
        hinges = [atom for atom in inner.atoms if atom.growth.rate is Rate.POWER]
        for atom in [atom for atom in hinges if atom.growth.power == 1][:MOST_SUMS]:
            more = [
                combine([(row, 1.0), (hinge, atom.growth.factor)])
                for row in sums
                for hinge in atom.rows
            ]
            sums += [row for row in more if row]
        return (Atom(tuple(sums), growth, source),)
    grown = [
        *((atom.rows, atom.growth) for atom in inner.atoms),
        *(
            ((square.row, opposite(square.row)), Growth(Rate.POWER, square.factor, 2.0))
            for square in inner.squares
        ),
    ]
    if growth.rate is Rate.LOG and grown:
        return _logarithm(grown, growth, source)
    found = []
    for rows, own in grown:
        whole = composed(growth, own)
        if growth.rate is Rate.POWER and growth.power < 1 and len(grown) > 1:
            # (a + b)^p is at least the mean of a^p and b^p.
            whole = replace(whole, factor=whole.factor / len(grown))
        if growth.rate is Rate.POWER and growth.power > 1:
            # (a - c)^p is at least a^p times any number below 1, less a constant.
            whole = replace(whole, factor=whole.factor * NEARLY)
        if whole.rate is Rate.POWER and math.isinf(whole.factor):
            # Any multiple of a lower power.
            whole = Growth(Rate.POWER, 1.0, whole.power * NEARLY)
        if whole.rate is not Rate.BOUNDED:
            found.append(Atom(rows, whole, source))
    return tuple(found)


def _logarithm(
    grown: list[tuple[tuple[Row, ...], Growth]], growth: Growth, source: Element
) -> tuple[Atom, ...]:
    """Return log of a sum, which is at least the log of the largest summand."""
    wholes = [composed(growth, own) for _, own in grown]
    slowest = min(wholes, key=lambda whole: (strength(whole), whole.factor))
    if slowest.rate is Rate.BOUNDED:
        return ()
    return (Atom(tuple(row for rows, _ in grown for row in rows), slowest, source),)
