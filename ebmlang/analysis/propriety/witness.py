"""Proofs that a model is improper: a way out, followed to its end.

`exp(-E)` has no finite integral where E stays below log V(t) + log t + constant in a region around
a curve, V(t) being the room of the region at t. E has no lower bound where it falls without end.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product

import numpy as np

from ebmlang.analysis.affine import AffineForms, Row
from ebmlang.analysis.propriety import tail as asymptotic
from ebmlang.analysis.propriety.candidates import (
    find_ratios,
    find_starts,
    ray,
    single_directions,
    spread_curve,
    tube,
    vanishing_points,
)
from ebmlang.analysis.propriety.cone import Vector
from ebmlang.analysis.propriety.curve import SHRINKING, Curve, follow
from ebmlang.analysis.propriety.lower_bound import Conjunction
from ebmlang.analysis.propriety.tail import LOG, ONE, TIME, Sum
from ebmlang.analysis.verdict import Direction

TRIES = 160
"""Most curves that are followed for one question; bounds the time."""

LEAST_TRIES = 3
"""Curves that are followed however large a graph is: the first are the most likely ones."""

WORK = 30_000
"""Elements that are looked at for one question, along all curves together, past the least."""

COMBINATIONS = 12
"""Of how many combinations of alternatives of requirements a point deep inside is looked for."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A way out that has been followed: the curve, and E and its terms along it, from above."""

    curve: Curve
    energy: Sum
    terms: Mapping[str, Sum]

    @property
    def log_rate(self) -> float:
        """How fast E grows: a multiple of log t; minus infinity where it falls without end."""
        return _log_rate(self.energy, self.curve)

    @property
    def dimensions(self) -> int:
        """Of the region around the curve that grows, or shrinks, with it."""
        moving = (TIME, SHRINKING)
        return 1 + sum(monomial in moving for _, monomial in self.curve.widths.values())


def _log_rate(energy: Sum, curve: Curve) -> float:
    if energy and energy[0][0] == LOG:
        rate = energy[0][1]
        return -rate if curve.motion == SHRINKING else rate
    return -math.inf if asymptotic.limit(energy) == -math.inf else 0.0


def find_fall(forms: AffineForms, bound: Conjunction, hints: list[Vector]) -> Witness | None:
    """Return a curve along which E falls without end, if one is found."""
    for curve in islice(_falls(forms, bound, hints), _count_tries(forms)):
        course = follow(forms, curve)
        if course.inside and asymptotic.limit(course.energy) == -math.inf:
            return Witness(curve, course.energy, course.terms)
    return None


def find_escape(forms: AffineForms, bound: Conjunction, hints: list[Vector]) -> Witness | None:
    """Return a curve around which exp(-E) has no finite integral, if one is found."""
    for curve in islice(_escapes(forms, bound, hints), _count_tries(forms)):
        course = follow(forms, curve)
        if course.inside and _is_heavy(course.energy, curve):
            return Witness(curve, course.energy, course.terms)
    return None


def _count_tries(forms: AffineForms) -> int:
    """Return how many curves to follow, so that a large graph takes no longer than a small one."""
    elements = forms.elements
    size = sum(math.prod(n.shape) for i, n in enumerate(elements.nodes) if elements.varies(i))
    return max(LEAST_TRIES, min(TRIES, WORK // max(size, 1)))


def _is_heavy(energy: Sum, curve: Curve) -> bool:
    """Return whether the integral of exp(-E) around a curve is infinite, by the bound on E."""
    room = [ONE if curve.motion == TIME else (0.0, -2.0, 0.0)]
    room += [monomial for _, monomial in curve.widths.values()]
    rate = sum(a for a, _, _ in room)
    power = sum(p for _, p, _ in room) + 1.0
    allowed = tuple((m, v) for m, v in ((TIME, rate), (LOG, power)) if v)
    excess = asymptotic.plus(energy, asymptotic.negated(allowed), 1)
    return asymptotic.limit(excess) < math.inf


def _falls(forms: AffineForms, bound: Conjunction, hints: list[Vector]) -> Iterator[Curve]:
    starts = list(find_starts(forms, _inequalities(bound)))
    yield from (ray(start, hint) for hint in hints for start in starts)
    ratios = find_ratios(forms, list(forms.forms))
    for point, _, scale in vanishing_points(forms, ratios, starts[0]):
        for j in scale:
            at = forms.coordinates[j]
            if math.isfinite(at.lower):
                yield ray(_moved(point, j, at.lower), {j: 1.0}, SHRINKING)
        yield from (ray(point, d) for d in single_directions(forms, sorted(scale)))
    unbounded = sorted(forms.unbounded)
    for direction in single_directions(forms, unbounded):
        yield from (ray(start, direction) for start in starts)
    yield from (ray(point, way, SHRINKING) for point, way in _ends(forms, starts[0]))


def _escapes(forms: AffineForms, bound: Conjunction, hints: list[Vector]) -> Iterator[Curve]:
    starts = list(find_starts(forms, _inequalities(bound)))
    for hint in hints:
        yield from (tube(forms, start, hint) for start in starts)
        for spread in (frozenset(hint), _two_sided(forms, range(len(forms.coordinates)))):
            yield spread_curve(forms, starts[0], hint, TIME, spread)
    unbounded = sorted(forms.unbounded)
    for direction in single_directions(forms, unbounded):
        yield from (tube(forms, start, direction) for start in starts)
    ratios = find_ratios(forms, list(forms.forms))
    for point, around, scale in vanishing_points(forms, ratios, starts[0]):
        free = _two_sided(forms, around)
        for direction in single_directions(forms, sorted(scale)):
            yield spread_curve(forms, point, direction, TIME, free)
        for j in sorted(scale):
            at = forms.coordinates[j]
            if math.isfinite(at.lower):
                end = _moved(point, j, at.lower)
                yield spread_curve(forms, end, {j: 1.0}, SHRINKING, around)
    for point, way in _ends(forms, starts[0]):
        yield spread_curve(forms, point, way, SHRINKING, frozenset())


def _two_sided(forms: AffineForms, coordinates: Iterable[int]) -> frozenset[int]:
    """Return those coordinates that are unbounded on both sides."""
    return frozenset(
        j
        for j in coordinates
        if forms.coordinates[j].lower == -math.inf and forms.coordinates[j].upper == math.inf
    )


def _ends(forms: AffineForms, start: list[float]) -> Iterator[tuple[list[float], Vector]]:
    """Yield the finite ends of domains, and the way from there, one coordinate at a time."""
    for j, at in enumerate(forms.coordinates):
        for end, way in ((at.lower, 1.0), (at.upper, -1.0)):
            if math.isfinite(end):
                yield _moved(start, j, end), {j: way}


def _moved(point: list[float], j: int, value: float) -> list[float]:
    return [value if k == j else v for k, v in enumerate(point)]


def _inequalities(bound: Conjunction) -> Iterator[list[tuple[Row, float]]]:
    """Yield sets of inequalities, row . x + offset <= 0, each enough to hold what is required.

    One set for each combination of alternatives, as far as requirements are plain inequalities.
    """
    own = _plain_walls(bound)
    choices = [
        [walls for alternative in choice.alternatives if (walls := _plain_walls(alternative))]
        for choice in bound.choices
    ]
    combinations = product(*(ways for ways in choices if ways))
    for ways in islice(combinations, COMBINATIONS):
        found = [*own, *(wall for way in ways for wall in way)]
        if found:
            yield found


def _plain_walls(bound: Conjunction) -> list[tuple[Row, float]]:
    return [
        (atom.inside.row, atom.inside.high)
        for atom in bound.atoms
        if atom.inside is not None and math.isfinite(atom.inside.high)
    ]


def as_direction(forms: AffineForms, witness: Witness) -> Direction:
    """Return a witness as a direction, by variable."""
    curve = witness.curve
    shapes = {info.path: info.shape for info in forms.elements.facts.graph.variables}
    start = {path: np.zeros(shape) for path, shape in shapes.items()}
    rates = {path: np.zeros(shape) for path, shape in shapes.items()}
    for j, at in enumerate(forms.coordinates):
        start[at.path][at.place] = curve.start[j]
        rates[at.path][at.place] = curve.rates.get(j, 0.0)
    return Direction(
        start=start,
        rates=rates,
        towards_zero=curve.motion == SHRINKING,
        log_rate=witness.log_rate,
        dimensions=witness.dimensions,
    )
