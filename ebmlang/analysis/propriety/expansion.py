"""Sums of products of affine values along a curve, expanded around it before they are bounded."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias

from ebmlang.analysis.affine import Affine
from ebmlang.analysis.propriety import tail as asymptotic
from ebmlang.analysis.propriety.tail import ONE, Monomial, Tail

Terms: TypeAlias = list[tuple[Monomial, float]]


class Path(Protocol):
    """What an expansion has to know of a curve."""

    @property
    def start(self) -> Sequence[float]:
        """Where it is at the beginning, by coordinate."""

    @property
    def rates(self) -> Mapping[int, float]:
        """How fast coordinates move."""

    @property
    def motion(self) -> Monomial:
        """What the rates are multiplied with."""

    @property
    def widths(self) -> Mapping[int, tuple[float, Monomial]]:
        """How much room there is around it."""


class Expansion:
    """A sum of products (a + A u)(b + B u), a and b on the curve, u the place beside it.

    It is a b + (a B + b A) u + (A u)(B u): the first two parts are collected over all products.
    """

    def __init__(self) -> None:
        self._products: list[tuple[Affine, Affine, float]] = []

    def add(self, pairs: Iterable[tuple[Affine, Affine, float]], factor: float) -> None:
        """Add a multiple of products."""
        self._products += [(first, second, c * factor) for first, second, c in pairs]

    def enclose(self, path: Path) -> Tail:
        """Return what the sum lies between along a curve, wherever beside it."""
        center: Terms = []
        slopes: dict[int, Terms] = {}
        spread: Terms = []
        for first, second, factor in self._products:
            values = [center_of(affine, path) for affine in (first, second)]
            center += multiplied(values[0], values[1], factor)
            for own, other in ((first, values[1]), (second, values[0])):
                for j, c in own.row.items():
                    if j in path.widths:
                        slopes.setdefault(j, []).extend((m, v * c * factor) for m, v in other)
            widths = [width_of(affine, path) for affine in (first, second)]
            spread += [(m, abs(v)) for m, v in multiplied(widths[0], widths[1], factor)]
        for j, terms in slopes.items():
            radius, monomial = path.widths[j]
            slope = asymptotic.collect(terms, 1)
            spread += [(m, abs(v)) for m, v in multiplied(slope, [(monomial, radius)], 1.0)]
        lower = asymptotic.collect([*center, *((m, -v) for m, v in spread)], -1)
        return Tail(lower, asymptotic.collect([*center, *spread], 1))


def center_of(affine: Affine, path: Path) -> Terms:
    """Return an affine value on a curve, in terms that are yet to be collected."""
    terms: Terms = [(ONE, affine.low)]
    for j, c in affine.row.items():
        terms += [(ONE, c * path.start[j]), (path.motion, c * path.rates.get(j, 0.0))]
    return list(asymptotic.collect(terms, 1))


def width_of(affine: Affine, path: Path) -> Terms:
    """Return how far an affine value may be from that on the curve, beside it."""
    found: Terms = []
    for j, c in affine.row.items():
        radius, monomial = path.widths.get(j, (0.0, ONE))
        if radius:
            found.append((monomial, abs(c) * radius))
    return found


def multiplied(
    a: Iterable[tuple[Monomial, float]], b: Iterable[tuple[Monomial, float]], factor: float
) -> Terms:
    """Return factor times the product of two sums, in terms that are yet to be collected."""
    others = list(b)
    return [
        ((m[0] + n[0], m[1] + n[1], m[2] + n[2]), c * d * factor) for m, c in a for n, d in others
    ]
