"""Systems of linear inequalities in exact arithmetic: is there a solution?

By elimination of one variable after another, in whole numbers; no linear program, no floating
point.

Source: Fourier (1827) and Motzkin (1936); Schrijver, Theory of Linear and Integer Programming,
section 12.2.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm


@dataclass(frozen=True, slots=True)
class Row:
    """slopes @ x + offset >= 0; > 0 where strict. Whole numbers without a common divisor."""

    slopes: tuple[int, ...]
    offset: int
    strict: bool


def row(
    slopes: Iterable[Fraction | int], offset: Fraction | int = 0, *, strict: bool = False
) -> Row:
    numbers = [Fraction(number) for number in (*slopes, offset)]
    scale = lcm(*(number.denominator for number in numbers))
    *whole, last = (int(number * scale) for number in numbers)
    return _reduced(tuple(whole), last, strict)


def _reduced(slopes: tuple[int, ...], offset: int, strict: bool) -> Row:
    divisor = gcd(*slopes, offset) or 1
    return Row(tuple(slope // divisor for slope in slopes), offset // divisor, strict)


def has_solution(rows: Iterable[Row]) -> bool:
    """Return whether some x fulfils every row."""
    current = set(rows)
    while True:
        constant = {r for r in current if not any(r.slopes)}
        if any(r.offset < 0 or (r.strict and r.offset == 0) for r in constant):
            return False
        current = _tightest(current - constant)
        if not current:
            return True
        current = _eliminated(current)


def _tightest(rows: set[Row]) -> set[Row]:
    """Return the rows without those that a parallel one implies."""
    best: dict[tuple[int, ...], tuple[Fraction, bool]] = {}
    for r in rows:
        divisor = gcd(*r.slopes)
        key = tuple(slope // divisor for slope in r.slopes)
        # The smaller the offset, the tighter; at the same one, strict is.
        bound = (Fraction(r.offset, divisor), not r.strict)
        if key not in best or bound < best[key]:
            best[key] = bound
    return {row(key, offset, strict=not loose) for key, (offset, loose) in best.items()}


def _eliminated(rows: set[Row]) -> set[Row]:
    """Return what the rows say of all variables but the one that is cheapest to eliminate."""
    size = len(next(iter(rows)).slopes)

    def cost(i: int) -> tuple[int, int]:
        above = sum(r.slopes[i] > 0 for r in rows)
        below = sum(r.slopes[i] < 0 for r in rows)
        return above * below - above - below, i

    place = min((i for i in range(size) if any(r.slopes[i] for r in rows)), key=cost)
    kept = {r for r in rows if r.slopes[place] == 0}
    lower = [r for r in rows if r.slopes[place] > 0]
    upper = [r for r in rows if r.slopes[place] < 0]
    for low in lower:
        for high in upper:
            a, b = -high.slopes[place], low.slopes[place]
            slopes = tuple(a * p + b * q for p, q in zip(low.slopes, high.slopes, strict=True))
            offset = a * low.offset + b * high.offset
            kept.add(_reduced(slopes, offset, low.strict or high.strict))
    return kept
