"""Arrays of closed intervals: what an array's elements lie between.

Ends are rounded outward, so that an interval holds what exact arithmetic gives, and what a
careful evaluation in float64 gives too.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Bound: TypeAlias = NDArray[np.float64]

MANTISSA = 53
"""Bits of a float64."""


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """For each element of an array a closed interval; `inf` where there is no bound.

    An element with `lower` above `upper` has no value at all (its operands are outside the
    domain).

    Attributes:
        lower, upper: float64, of the array's shape; never nan.
    """

    lower: Bound
    upper: Bound

    @classmethod
    def make(cls, lower: ArrayLike, upper: ArrayLike) -> "Interval":
        """Return the interval of bounds that broadcast."""
        low = np.asarray(lower, dtype=np.float64)
        high = np.asarray(upper, dtype=np.float64)
        if low.shape != high.shape:
            low, high = np.broadcast_arrays(low, high)
        return cls(low, high)

    @classmethod
    def point(cls, value: ArrayLike) -> "Interval":
        """Return the interval of known values; of one that is not a number, everything."""
        known = np.asarray(value, dtype=np.float64)
        return cls.make(
            np.where(np.isnan(known), -np.inf, known), np.where(np.isnan(known), np.inf, known)
        )

    @classmethod
    def everything(cls, shape: tuple[int, ...]) -> "Interval":
        """Return the interval of no knowledge."""
        return cls.make(np.full(shape, -np.inf), np.full(shape, np.inf))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return self.lower.shape

    def equals(self, other: "Interval") -> bool:
        """Return whether both have the same ends."""
        same_ends = np.array_equal(self.lower, other.lower)
        return same_ends and np.array_equal(self.upper, other.upper)

    @property
    def empty(self) -> NDArray[np.bool_]:
        """Which elements have no value."""
        return np.asarray(self.lower > self.upper)

    @property
    def known(self) -> bool:
        """Whether every element is one number."""
        return bool((self.lower == self.upper).all())


def hull(a: Interval, b: Interval) -> Interval:
    """Return the smallest intervals that hold both."""
    return Interval.make(np.minimum(a.lower, b.lower), np.maximum(a.upper, b.upper))


def intersection(a: Interval, b: Interval) -> Interval:
    """Return what lies in both."""
    return Interval.make(np.maximum(a.lower, b.lower), np.minimum(a.upper, b.upper))


def widen(lower: Bound, upper: Bound, units: int, error: Bound | float = 0.0) -> Interval:
    """Return an interval that holds whatever rounds to numbers in the given one.

    What is not a number is no bound.

    Args:
        lower: Its lower ends as computed.
        upper: Its upper ends.
        units: How many units in the last place they may be off.
        error: And by how much besides.
    """
    with np.errstate(all="ignore"):
        low = np.where(
            np.isfinite(lower), lower - (units * np.spacing(np.abs(lower)) + error), lower
        )
        high = np.where(
            np.isfinite(upper), upper + (units * np.spacing(np.abs(upper)) + error), upper
        )
    return Interval.make(
        np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)
    )


def limited(x: Interval, lower: ArrayLike = -np.inf, upper: ArrayLike = np.inf) -> Interval:
    """Return the interval with its ends moved into a range that the values never leave."""
    return Interval.make(np.clip(x.lower, lower, upper), np.clip(x.upper, lower, upper))


def significant_bits(x: Bound) -> NDArray[np.int64]:
    """Return how many bits numbers need, from the first to the last that is not 0.

    The product of two numbers does not round where their bits add up to at most `MANTISSA`.

    >>> significant_bits(np.array([0.0, 8.0, 0.75, 5.0])).tolist()
    [0, 1, 2, 3]
    """
    mantissa, _ = np.frexp(np.where(np.isfinite(x), x, 0.0))
    whole = np.abs(np.ldexp(mantissa, MANTISSA)).astype(np.int64)
    _, trailing = np.frexp((whole & -whole).astype(np.float64))
    return np.where(whole == 0, 0, MANTISSA + 1 - trailing)
