"""Rank normalization: the scale on which chains are compared whatever the law of a quantity.

A value becomes the normal quantile of its rank among all draws, so that tails of any weight have
finite moments. ArviZ has this inside each of its statistics, and sorts anew in each; here it is
done once, and what comes out goes to ArviZ's statistics as it is.

Source: Vehtari, Gelman, Simpson, Carpenter and Buerkner, Rank-normalization, folding, and
localization (2021), Bayesian Analysis 16, equation 14.
"""

import numpy as np
from numpy.typing import NDArray

BLOM = 3 / 8
"""Offset of ranks (Blom 1958), as in equation 14."""


def split_chains(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each half of each chain as a chain of its own; the middle draw of an odd count goes.

    First halves come first, as in ArviZ.

    >>> split_chains(np.arange(5.0)[None])
    array([[0., 1.],
           [3., 4.]])
    """
    half = values.shape[1] // 2
    return np.vstack((values[:, :half], values[:, values.shape[1] - half :]))


def normalize_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the normal quantile of each value's rank among all; equal values share their ranks.

    >>> normalize_ranks(np.array([[3.0, 1.0, 2.0]])).round(2)
    array([[ 0.87, -0.87,  0.  ]])
    """
    # Scipy takes a while to import, and most commands do not need it.
    from scipy.special import ndtri

    flat = values.ravel()
    order = np.argsort(flat)
    ordered = flat[order]
    is_new = np.empty(len(flat), dtype=bool)
    is_new[:1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=is_new[1:])
    begins = np.flatnonzero(is_new)
    ends = np.append(begins[1:], len(flat))
    ranks = (begins + 1 + ends) / 2
    scores = ndtri((ranks - BLOM) / (len(flat) + 1 - 2 * BLOM))
    normalized = np.empty_like(flat)
    normalized[order] = np.repeat(scores, ends - begins)
    return normalized.reshape(values.shape)


def fold(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return distances from the median, which differ where chains differ in spread."""
    return np.abs(values - np.median(values))
