"""Groups of chains that sit apart: what modes that no chain crosses between look like."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ebmlang.runs.concerns import count_chains

CENTER = (0.1, 0.9)
"""Quantiles of a chain's draws between which it is said to sit."""

MOST_LISTED = 5
"""Groups whose sizes are said one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainGroups:
    """Chains whose draws of a quantity do not overlap those of the other groups.

    Attributes:
        name: Of the quantity.
        sizes: Chains of each group, largest first.
        energies: Mean energy of each [nats]; none where it is not known.
    """

    name: str
    sizes: tuple[int, ...]
    energies: tuple[float, ...]

    def show(self) -> str:
        """Return the groups in words.

        >>> ChainGroups(name="x", sizes=(61, 3), energies=(2.0, 9.5)).show()
        '3 of 64 chains stay apart in `x`, at a mean energy of 9.5 against 2'
        >>> ChainGroups(name="x", sizes=(8, 6, 2), energies=()).show()
        'the chains sit in 3 groups apart in `x`, of 8, 6 and 2 chains'
        """
        if len(self.sizes) == 2:
            words = f"{count_chains(self.sizes[1], sum(self.sizes))} stay apart in `{self.name}`"
            if not self.energies:
                return words
            main, other = self.energies
            return f"{words}, at a mean energy of {other:.3g} against {main:.3g}"
        count = len(self.sizes)
        words = f"the chains sit in {count} groups apart in `{self.name}`"
        if count > MOST_LISTED:
            return f"{words}, of {self.sizes[-1]} to {self.sizes[0]} chains"
        *first, last = map(str, self.sizes)
        return f"{words}, of {', '.join(first)} and {last} chains"


def find_groups(
    name: str, values: NDArray[np.float64], energies: NDArray[np.floating]
) -> ChainGroups | None:
    """Group chains whose draws overlap, directly or by way of others; None if all do.

    Args:
        name: Of the quantity.
        values: Its draws, `[chain, draw]`.
        energies: Mean energy of each chain [nats], or none.
    """
    lower, upper = np.quantile(values, CENTER, axis=1)
    order = np.argsort(lower)
    reached = np.maximum.accumulate(upper[order])
    group = np.empty(len(order), dtype=int)
    group[order] = np.append(0, np.cumsum(lower[order][1:] > reached[:-1]))
    sizes = np.bincount(group)
    if len(sizes) == 1:
        return None
    largest_first = np.argsort(-sizes, kind="stable")
    means = np.bincount(group, weights=energies) / sizes if len(energies) else np.empty(0)
    return ChainGroups(
        name=name,
        sizes=tuple(int(size) for size in sizes[largest_first]),
        energies=tuple(float(mean) for mean in means[largest_first[: len(means)]]),
    )
