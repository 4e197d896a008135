"""Means and spreads of draws as they come, in memory that does not grow with the run."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moments:
    """Moments of each scalar quantity, chain by chain, in float64.

    Attributes:
        count: Draws of each chain so far.
        mean: Their mean, by path.
        squares: Their squared distances from it, summed.
    """

    count: int
    mean: Mapping[str, Float[Tensor, "chain ..."]]
    squares: Mapping[str, Float[Tensor, "chain ..."]]

    def pooled(self, path: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and standard deviation of a quantity over all chains and draws."""
        means = self.mean[path].numpy()
        mean = means.mean(axis=0)
        within = self.squares[path].numpy().mean(axis=0) / max(1, self.count)
        return mean, np.sqrt(within + ((means - mean) ** 2).mean(axis=0))


NO_MOMENTS = Moments(count=0, mean={}, squares={})
"""Of no draws."""


def add_draws(moments: Moments, values: Mapping[str, NDArray[np.generic]]) -> Moments:
    """Add draws, one after the other: the result is the same however they come in portions.

    Args:
        moments: Of the draws before.
        values: The next draws of every quantity, `[chain, draw, ...]`.

    Source: Welford, Note on a method for calculating corrected sums of squares and products
    (1962), Technometrics 4.

    >>> values = np.array([[1.0, 2.0, 6.0]])
    >>> [float(number) for number in add_draws(NO_MOMENTS, {"x": values}).pooled("x")]
    [3.0, 2.160246899469287]
    """
    draws = min((array.shape[1] for array in values.values()), default=0)
    found = {path: _add(moments, path, array) for path, array in values.items()}
    return replace(
        moments,
        count=moments.count + draws,
        mean={path: torch.from_numpy(mean) for path, (mean, _) in found.items()},
        squares={path: torch.from_numpy(squares) for path, (_, squares) in found.items()},
    )


def _add(
    moments: Moments, path: str, values: NDArray[np.generic]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if moments.count:
        mean, squares = moments.mean[path].numpy(), moments.squares[path].numpy()
    else:
        mean = np.zeros((values.shape[0], *values.shape[2:]))
        squares = mean
    # Values that are not finite make moments that are not: that is what is to be said of them.
    with np.errstate(invalid="ignore", over="ignore"):
        for draw in range(values.shape[1]):
            value = np.asarray(values[:, draw], dtype=np.float64)
            shift = value - mean
            mean = mean + shift / (moments.count + draw + 1)
            squares = squares + shift * (value - mean)
    return mean, squares
