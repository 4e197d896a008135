"""Attempts to falsify the facts of a function of one number."""

import math
from collections.abc import Callable, Iterator

import numpy as np

from ebmlang.lang.facts import Growth, Kink, Piece, Profile, Rate
from tests.lang.operands import Array

Function = Callable[[Array], Array]

ROUNDING = 1e-12

COUNT = 64
"""Places that are looked at on each piece."""

LARGEST = 300.0
"""Places are not farther out than this from where a piece begins: exp is still finite there."""


def refute_profile(profile: Profile, function: Function, rng: np.random.Generator) -> Iterator[str]:
    """Yield what random places refute of a profile."""
    yield from refute_shape(profile)
    for piece in profile.pieces:
        yield from _refute_piece(profile, piece, function, rng)
    yield from _refute_ends(profile, function)
    yield from _refute_period(profile, function, rng)
    for name, growth, place in _growths(profile):
        if not _grows(growth, function, place):
            yield f"{name} growth {growth}"


def refute_shape(profile: Profile) -> Iterator[str]:
    """The pieces cover the domain in order, and kinks stand between them."""
    for before, after in zip(profile.pieces, profile.pieces[1:], strict=False):
        if before.end != after.start:
            yield f"pieces: {before.end} and {after.start} differ"
    if not all(piece.start < piece.end for piece in profile.pieces):
        yield "pieces: not in order"
    ends = {piece.end for piece in profile.pieces[: None if profile.period else -1]}
    if not {kink.place for kink in profile.kinks} <= ends:
        yield "kinks: not between pieces"
    if list(profile.kinks) != sorted(profile.kinks, key=lambda kink: kink.place):
        yield "kinks: not in order"
    if profile.period is not None:
        length = profile.pieces[-1].end - profile.pieces[0].start
        if not math.isclose(length, profile.period, rel_tol=1e-15):
            yield f"period: {profile.period}, and the pieces are {length} long"
    if not all(piece.slope in (-1, 0, 1, None) for piece in profile.pieces):
        yield "pieces: a slope is no sign"


def _inside(piece: Piece, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return pairs of places on a piece, the first the smaller."""
    low, high = piece.start, piece.end
    if math.isinf(low) and math.isinf(high):
        places = rng.normal(size=(2, COUNT)) * 10.0 ** rng.uniform(-1, 2, (2, COUNT))
    elif math.isfinite(low) and math.isfinite(high):
        places = rng.uniform(low, high, (2, COUNT))
    else:
        far = np.minimum(10.0 ** rng.uniform(-3, 2.5, (2, COUNT)), LARGEST)
        places = low + far if math.isfinite(low) else high - far
    return np.min(places, axis=0), np.max(places, axis=0)


def _refute_piece(
    profile: Profile, piece: Piece, function: Function, rng: np.random.Generator
) -> Iterator[str]:
    a, b = _inside(piece, rng)
    middle = (a + b) / 2
    left, right, between = function(a), function(b), function(middle)
    with np.errstate(invalid="ignore"):
        size = np.abs(left) + np.abs(right) + np.abs(between)
        slack = ROUNDING * size + profile.error * 4
        gain, gap = right - left, (left + right) / 2 - between
        tame = np.isfinite(size)
        wrong_slope = {
            1: gain < -slack,
            -1: gain > slack,
            0: np.abs(gain) > slack,
            None: np.zeros(COUNT, dtype=np.bool_),
        }[piece.slope]
        wrong_bend = {
            1: gap < -slack,
            -1: gap > slack,
            0: np.abs(gap) > slack,
            None: np.zeros(COUNT, dtype=np.bool_),
        }[piece.bend]
    for name, wrong in (("slope", wrong_slope), ("bend", wrong_bend)):
        if np.any(wrong & tame):
            at = int(np.argmax(wrong & tame))
            yield f"{name} of {piece}: between {a[at]} and {b[at]}"
    if piece.slope is not None and not np.all(np.isfinite(between[np.abs(middle) < 10])):
        yield f"{piece}: a place without a value"


def _refute_ends(profile: Profile, function: Function) -> Iterator[str]:
    """Across the ends of pieces the function is as smooth as its kinks say."""
    kinks = {kink.place: kink for kink in profile.kinks}
    places = [piece.end for piece in profile.pieces[:-1]]
    if profile.period is not None:
        places.append(profile.pieces[-1].end)
    for place in places:
        kink = kinks.get(place)
        if kink is not None and kink.before is not None:
            yield from _refute_pole(kink, function)
            continue
        step = 2.0**-16
        left, here, right = (
            float(function(np.asarray(place + side * step))) for side in (-1, 0, 1)
        )
        jump = here - left if abs(here - left) > 0.1 else 0.0
        corner = (right - 2 * here + left) / step if not jump else 0.0
        corner = corner if abs(corner) > 1e-2 * (1 + abs(here)) else 0.0
        claimed_jump = kink.jump if kink is not None else 0
        if np.sign(jump) != claimed_jump:
            yield f"at {place}: it jumps by {jump}"
        claimed = (kink.bend or 0) if kink is not None else 0
        if np.sign(corner) != claimed:
            yield f"at {place}: its slope jumps by {corner}"


def _refute_pole(kink: Kink, function: Function) -> Iterator[str]:
    for growth, side in ((kink.before, -1), (kink.after, 1)):
        assert growth is not None
        if not _grows(growth, lambda t, side=side: function(kink.place + side / t), math.inf):
            yield f"at {kink.place}: growth {growth}"
    near = [float(function(np.asarray(kink.place + side * 1e-9))) for side in (-1, 1)]
    if np.sign(near[1]) - np.sign(near[0]) != 2 * kink.jump:
        yield f"at {kink.place}: from {near[0]} to {near[1]}"


def _refute_period(profile: Profile, function: Function, rng: np.random.Generator) -> Iterator[str]:
    if profile.period is None:
        if profile.lift:
            yield "lift: without a period"
        return
    start = profile.pieces[0].start
    # Away from jumps, which rounding may move a place across.
    x = start + profile.period * rng.uniform(0.1, 0.9, COUNT)
    times = rng.integers(-4, 5, COUNT)
    off = np.abs(function(x + times * profile.period) - function(x) - times * profile.lift)
    if np.any(off > 1e-9):
        yield f"period {profile.period}, lift {profile.lift}: off by {np.max(off)}"
    if profile.lift < 0:
        yield "lift: below 0"


def _growths(profile: Profile) -> list[tuple[str, Growth, float]]:
    if any(kink.before is not None for kink in profile.kinks) and profile.period is not None:
        return []
    if profile.period is not None:
        return [("left", profile.left, -math.inf), ("right", profile.right, math.inf)]
    return [
        ("left", profile.left, profile.pieces[0].start),
        ("right", profile.right, profile.pieces[-1].end),
    ]


def _grows(growth: Growth, function: Function, place: float) -> bool:
    """Return whether a function behaves as claimed towards a place."""

    def value(t: Array) -> Array:
        if place == math.inf:
            return function(t)
        if place == -math.inf:
            return function(-t)
        inner = place + 1 / t
        found = function(inner)
        # The end of the domain on the right is approached from the left.
        return np.where(np.isnan(found), function(place - 1 / t), found)

    # Half-whole places: away from the poles of lgamma, and from the jumps of floor.
    t = 10.0 ** np.arange(2, 9) + 0.5
    with np.errstate(all="ignore"):
        match growth.rate:
            case Rate.BOUNDED:
                found = value(t)
                return bool(np.all(np.abs(found) < 10))
            case Rate.LOG:
                ratio = value(t) / (growth.factor * np.log(t))
                return _settles(ratio, 0.1)
            case Rate.POWER:
                expected = growth.factor * t**growth.power
                inside = (np.abs(expected) > 1e-200) & (np.abs(expected) < 1e200)
                return _settles((value(t) / expected)[inside], 1e-2)
            case Rate.EXP:
                t = np.arange(20.0, 200.0, 20.0)
                return _settles(value(t) / (growth.factor * np.exp(t)), 1e-6)
            case Rate.FASTER:
                power = growth.power if math.isfinite(growth.power) else 6.0
                t = t if math.isfinite(growth.power) else np.arange(50.0, 500.0, 50.0)
                ratio = value(t) / (growth.factor * t**power)
                return bool(np.all(np.diff(ratio) > 0) and ratio[-1] > 10)


def _settles(ratio: Array, tolerance: float) -> bool:
    """Return whether ratios come close to 1, and not only at one place."""
    off = np.abs(ratio - 1)
    return bool(ratio.size > 0 and off[-1] < tolerance and off[-1] <= off[0] + 1e-6)
