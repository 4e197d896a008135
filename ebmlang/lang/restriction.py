"""What the profile of a function says over intervals: its range, its slope, its bend."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ebmlang.lang.facts import Curvature, Growth, Kink, Profile, Rate, Slope
from ebmlang.lang.interval import Bound, Interval, hull, widen

Function: TypeAlias = Callable[[Bound], NDArray[np.float64]]


def range_over(profile: Profile, evaluate: Function, x: Interval) -> Interval:
    """Return the range of a function over intervals.

    Outside its domain it has no value; an interval that reaches out of it is cut.
    """
    low_end, high_end = _domain(profile)
    lower, upper = np.maximum(x.lower, low_end), np.minimum(x.upper, high_end)
    ends = _ends(profile, evaluate)
    first, last = _values_at(profile, evaluate, lower), _values_at(profile, evaluate, upper)
    if not profile.lift:
        # With a lift it never falls, so that its values at the ends are the extremes.
        for end in ends:
            first = _replaced(first, lower == end.place, end.after)
            last = _replaced(last, upper == end.place, end.before)
    found = hull(first, last)
    if not profile.lift:
        for end in ends:
            inside = _reaches(profile, end.place, lower, upper)
            found = Interval.make(
                np.where(inside, np.minimum(found.lower, end.least), found.lower),
                np.where(inside, np.maximum(found.upper, end.most), found.upper),
            )
    for piece in profile.pieces:
        if piece.slope is None:
            unknown = (lower < piece.end) & (upper > piece.start)
            found = _replaced(found, unknown, (-np.inf, np.inf))
    return _replaced(found, lower > upper, (np.inf, -np.inf))


def slope_over(profile: Profile, x: Interval) -> Slope:
    """Return how a function moves over every one of the intervals."""
    signs: set[int | None] = {
        piece.slope for piece in profile.pieces if _overlaps(profile, piece.start, piece.end, x)
    }
    for kink in _inner_kinks(profile, x):
        signs.add(kink.jump if kink.before is None else None)
    signs.discard(0)
    if len(signs) > 1 or None in signs:
        return Slope.MIXED
    return Slope(signs.pop()) if signs else Slope.FLAT


def bend_over(profile: Profile, x: Interval) -> Curvature:
    """Return how a function bends over every one of the intervals."""
    bends: set[int | None] = {
        piece.bend for piece in profile.pieces if _overlaps(profile, piece.start, piece.end, x)
    }
    bends.update(kink.bend for kink in _inner_kinks(profile, x))
    bends.discard(0)
    if bends == {1}:
        return Curvature.CONVEX
    if bends == {-1}:
        return Curvature.CONCAVE
    if bends:
        return Curvature.UNKNOWN
    flat = slope_over(profile, x) is Slope.FLAT
    return Curvature.CONSTANT if flat else Curvature.AFFINE


def limit_of(growth: Growth) -> float | None:
    """Return what a function tends to where it grows like this; None where that is not said."""
    match growth.rate:
        case Rate.BOUNDED:
            return None
        case Rate.POWER if growth.power < 0:
            return 0.0
        case _:
            return math.copysign(math.inf, growth.factor)


# --- values --------------------------------------------------------------------------


def _domain(profile: Profile) -> tuple[float, float]:
    if profile.period is not None:
        return -math.inf, math.inf
    return profile.pieces[0].start, profile.pieces[-1].end


@dataclass(frozen=True, slots=True)
class _End:
    """An end of a piece, and between which numbers the value is there, from either side."""

    place: float
    before: tuple[float, float]
    after: tuple[float, float]

    @property
    def least(self) -> float:
        return min(self.before[0], self.after[0])

    @property
    def most(self) -> float:
        return max(self.before[1], self.after[1])


@lru_cache(maxsize=256)
def _ends(profile: Profile, evaluate: Function) -> tuple[_End, ...]:
    places = [profile.pieces[0].start, *(piece.end for piece in profile.pieces)]
    poles: dict[float, tuple[Growth | None, Growth | None]] = {
        kink.place: (kink.before, kink.after) for kink in profile.kinks
    }
    if profile.period is None:
        poles[places[0]] = (profile.left, profile.left)
        poles[places[-1]] = (profile.right, profile.right)
    found = []
    for place in places:
        before, after = poles.get(place, (None, None))
        found.append(
            _End(
                place,
                _value_at_end(profile, evaluate, place, before),
                _value_at_end(profile, evaluate, place, after),
            )
        )
    return tuple(found)


def _value_at_end(
    profile: Profile, evaluate: Function, place: float, growth: Growth | None
) -> tuple[float, float]:
    limit = None if growth is None else limit_of(growth)
    if limit is not None:
        return limit, limit
    with np.errstate(all="ignore"):
        value = np.asarray(evaluate(np.asarray(place)), dtype=np.float64)
    if value == np.floor(value):
        return float(value), float(value)
    near = _near(profile, np.asarray(place), value)
    return float(near.lower), float(near.upper)


def _values_at(profile: Profile, evaluate: Function, x: Bound) -> Interval:
    """Return what the values lie between at places that are no ends of pieces."""
    with np.errstate(all="ignore"):
        value = np.asarray(evaluate(x), dtype=np.float64)
    near = _near(profile, x, value)
    # At infinity, and outside the domain: what the ends of the pieces say is all there is.
    near = _replaced(near, np.isnan(value), (np.inf, -np.inf))
    if profile.lift or any(piece.slope is None for piece in profile.pieces):
        return near
    # What is off by rounding does not leave the range of all values.
    ends = _ends(profile, evaluate)
    return Interval.make(
        np.maximum(near.lower, min(end.least for end in ends)),
        np.minimum(near.upper, max(end.most for end in ends)),
    )


def _near(profile: Profile, x: Bound, value: Bound) -> Interval:
    """Return what exact values lie between, from computed ones."""
    near = widen(value, value, profile.rounding, profile.error)
    if profile.exact is None:
        return near
    with np.errstate(all="ignore"):
        exact = profile.exact(x, value)
    return Interval.make(np.where(exact, value, near.lower), np.where(exact, value, near.upper))


def _replaced(x: Interval, where: NDArray[np.bool_], by: tuple[float, float]) -> Interval:
    if not where.any():
        return x
    return Interval.make(np.where(where, by[0], x.lower), np.where(where, by[1], x.upper))


# --- places --------------------------------------------------------------------------


def _reaches(profile: Profile, place: float, lower: Bound, upper: Bound) -> NDArray[np.bool_]:
    """Return which intervals have a place inside, or one a number of periods from it."""
    if profile.period is None:
        return np.asarray((lower < place) & (place < upper))
    with np.errstate(all="ignore"):
        # The places are irrational: those that are near count.
        margin = 8 * np.spacing(np.maximum(np.maximum(np.abs(lower), np.abs(upper)), 8.0))
        margin = np.where(np.isfinite(margin), margin, np.inf)
        first = np.ceil((lower - margin - place) / profile.period)
        last = np.floor((upper + margin - place) / profile.period)
    return np.asarray(first <= last)


def _overlaps(profile: Profile, start: float, end: float, x: Interval) -> bool:
    """Return whether any interval and a stretch share more than a point."""
    if profile.period is None:
        return bool(np.any((x.lower < end) & (x.upper > start)))
    with np.errstate(all="ignore"):
        first = np.floor((x.lower - end) / profile.period) + 1
        last = np.ceil((x.upper - start) / profile.period) - 1
    return bool(np.any(first <= last))


def _inner_kinks(profile: Profile, x: Interval) -> list[Kink]:
    """Return the kinks that lie inside any of the intervals."""
    return [kink for kink in profile.kinks if _overlaps(profile, kink.place, kink.place, x)]
