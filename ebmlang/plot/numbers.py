"""Numbers as a picture can show them."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

LARGEST, SMALLEST = 1e100, 1e-100
"""Magnitudes that are drawn: squares of larger ones overflow inside matplotlib, and smaller ones
are none on any axis."""


def tame(values: ArrayLike) -> NDArray[np.float64]:
    """Return numbers as floats; what is too large to be drawn is none, what is too small is 0.

    >>> tame([1e300, -1e-300, 2.5])
    array([nan, 0. , 2.5])
    """
    numbers = np.asarray(values, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        size = np.abs(numbers)
        return np.where(size > LARGEST, np.nan, np.where(size < SMALLEST, 0.0, numbers))
