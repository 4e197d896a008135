"""Whether moves from the tails of a quantity are accepted as those from elsewhere.

A kernel whose steps are too long for the tails is rejected there. What is seldom left is seldom
entered, for the two balance: chains stay away for long, then stay for long, and until one has been
there neither R-hat nor effective sample sizes tell of it. Where acceptance falls to zero in the
tails, chains do not converge at a geometric rate, and errors need not shrink as the root of the
number of draws.

Source: Roberts and Tweedie, Geometric convergence and central limit theorems for multidimensional
Hastings and Metropolis algorithms (1996), Biometrika 83, theorem 5.1.
"""

import math

import numpy as np
from numpy.typing import NDArray

TAIL_SHARE = 0.01
"""Share of the draws that either tail has."""

LEAST_TAIL = 20
"""Draws of a tail whose mean acceptance says something: to a tenth, if it is one half."""


def compare_tails(values: NDArray[np.float64], acceptances: NDArray[np.floating]) -> float:
    """Return the mean acceptance of moves from the worse tail, over that of all moves.

    Args:
        values: Draws of a quantity, `[chain, draw]`.
        acceptances: Acceptance of the move to each of them.

    Returns:
        1 or so where tails are like the rest; nan where they have too few draws.

    >>> values = np.arange(10_000.0).reshape(4, -1)
    >>> round(compare_tails(values, np.full_like(values, 0.8)), 6)
    1.0
    """
    before, moves = values[:, :-1], acceptances[:, 1:]
    if moves.size * TAIL_SHARE < LEAST_TAIL or not moves.any():
        return math.nan
    lower, upper = np.quantile(before, (TAIL_SHARE, 1 - TAIL_SHARE))
    worse = min(moves[before <= lower].mean(), moves[before >= upper].mean())
    return float(worse / moves.mean())
