"""Arrays of closed intervals: what an array's elements lie between."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Bound: TypeAlias = NDArray[np.float64]


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
        low, high = np.broadcast_arrays(
            np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)
        )
        return cls(low, high)

    @classmethod
    def point(cls, value: ArrayLike) -> "Interval":
        """Return the interval of known values."""
        return cls.make(value, value)

    @classmethod
    def everything(cls, shape: tuple[int, ...]) -> "Interval":
        """Return the interval of no knowledge."""
        return cls.make(np.full(shape, -np.inf), np.full(shape, np.inf))
