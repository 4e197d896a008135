"""Sizes of arrays, known as numbers or still named.

`given y: real[N]` leaves `N` to the data, so before the data is there a dimension is a
polynomial in such names: `N`, `N + 1`, `N^2/2 - N/2` for `pairs`. A dimension is a plain
`int` whenever it is known; `Size` holds only what is not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

_Monomial: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Size:
    """A polynomial in size names with rational coefficients that is not a constant.

    `terms` maps a sorted tuple of names, with repeats for powers, to its coefficient; it is
    sorted and has no zero, so equal polynomials are equal objects. Sums and products that
    turn out constant come back as `int`.

    >>> n = Size.named("N")
    >>> n + 1 - n
    1
    >>> str(n * (n - 1) / 2)
    'N^2/2 - N/2'
    """

    terms: tuple[tuple[_Monomial, Fraction], ...]

    @classmethod
    def named(cls, name: str) -> "Size":
        """Return the size that the data will bind to `name`."""
        return cls((((name,), Fraction(1)),))

    @property
    def names(self) -> frozenset[str]:
        """The size names it depends on."""
        return frozenset(name for monomial, _ in self.terms for name in monomial)

    def __add__(self, other: "Dim") -> "Dim":
        return _collect([*self.terms, *_terms(other)])

    def __sub__(self, other: "Dim") -> "Dim":
        return _collect([*self.terms, *((m, -c) for m, c in _terms(other))])

    def __rsub__(self, other: int) -> "Dim":
        return _collect([*_terms(other), *((m, -c) for m, c in self.terms)])

    def __mul__(self, other: "Dim") -> "Dim":
        return _collect(
            [(tuple(sorted(m1 + m2)), c1 * c2) for m1, c1 in self.terms for m2, c2 in _terms(other)]
        )

    def __truediv__(self, other: int) -> "Dim":
        return _collect([(m, c / other) for m, c in self.terms])

    __radd__ = __add__
    __rmul__ = __mul__

    def __str__(self) -> str:
        text = ""
        for monomial, coefficient in sorted(self.terms, key=lambda t: (-len(t[0]), t[0])):
            sign = "-" if coefficient < 0 else "+"
            text += f" {sign} " if text else ("-" if coefficient < 0 else "")
            text += _show_monomial(monomial, abs(coefficient))
        return text


Dim: TypeAlias = int | Size
"""A dimension: a number, or a size that the data will bind."""


def evaluate_dim(dim: Dim, sizes: Mapping[str, int]) -> int:
    """Return the number that a dimension is once its names are bound.

    Raises:
        KeyError: A name is not in `sizes`.
    """
    if isinstance(dim, int):
        return dim
    total = Fraction(0)
    for monomial, coefficient in dim.terms:
        value = coefficient
        for name in monomial:
            value *= sizes[name]
        total += value
    return int(total)


def _terms(dim: Dim) -> tuple[tuple[_Monomial, Fraction], ...]:
    return dim.terms if isinstance(dim, Size) else (((), Fraction(dim)),)


def _collect(terms: list[tuple[_Monomial, Fraction]]) -> Dim:
    sums: dict[_Monomial, Fraction] = {}
    for monomial, coefficient in terms:
        sums[monomial] = sums.get(monomial, Fraction(0)) + coefficient
    kept = {m: c for m, c in sums.items() if c}
    if not kept:
        return 0
    if set(kept) == {()} and kept[()].denominator == 1:
        return int(kept[()])
    return Size(tuple(sorted(kept.items())))


def _show_monomial(monomial: _Monomial, coefficient: Fraction) -> str:
    powers = [
        name if (count := monomial.count(name)) == 1 else f"{name}^{count}"
        for name in dict.fromkeys(monomial)
    ]
    parts = ([] if coefficient.numerator == 1 and powers else [str(coefficient.numerator)]) + powers
    below = f"/{coefficient.denominator}" if coefficient.denominator != 1 else ""
    return "*".join(parts) + below
