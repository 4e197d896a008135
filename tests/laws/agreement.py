"""Whether the draws of a run agree with independent exact draws of the same law."""

import math

import numpy as np
from arviz_stats.base import array_stats
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.floating]

LEVEL = 1e-4
"""Chance that a right sampler fails one comparison."""

LEAST = 300
"""Independent draws below which a comparison says nothing: it would miss a gap of a tenth."""

TAIL = (0.05, 0.95)
"""Quantiles whose effective sample size is that of the tails."""


def thin_to_independence(statistics: dict[str, Array]) -> dict[str, Array]:
    """Keep as many draws of each chain as its least effective sample size says are independent.

    Args:
        statistics: By name, one number per draw, `[chain, draw]`.

    Returns:
        By name, the numbers kept, `[kept]`.
    """
    chains, draws = next(iter(statistics.values())).shape
    effective = min(_count_independent(values) for values in statistics.values())
    stride = max(1, math.ceil(chains * draws / effective))
    # Each chain keeps other draws: what an iteration has in common is to count once.
    return {
        name: np.concatenate([chain[k % stride :: stride] for k, chain in enumerate(values)])
        for name, values in statistics.items()
    }


def assert_same_law(drawn: dict[str, Array], exact: dict[str, Array]) -> None:
    """Compare each statistic's distribution with that of exact draws, by Kolmogorov and Smirnov.

    Args:
        drawn: By name, one number per draw of the run, `[chain, draw]`.
        exact: By name, one number per exact draw, `[draw]`.
    """
    kept = thin_to_independence(drawn)
    assert len(next(iter(kept.values()))) >= LEAST
    chances = {name: stats.ks_2samp(kept[name], exact[name]).pvalue for name in exact}
    assert min(chances.values()) > LEVEL / len(chances), chances


def _count_independent(values: Array) -> float:
    """Return the effective sample size of center and tails, the smaller one."""
    axes = {"chain_axis": 0, "draw_axis": 1}
    bulk = array_stats.ess(values, **axes, method="bulk")
    tail = array_stats.ess(values, **axes, method="tail", prob=TAIL)
    return min(float(bulk), float(tail))
