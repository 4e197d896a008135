"""Whether many short chains agree: nested R-hat, and the drift of all chains together.

R-hat compares the means of single chains, and so demands some fifty independent draws of each half
of each, however many chains there are. Nested R-hat compares means of groups, the superchains,
whose members began at one place. If members have forgotten it, the means of all groups are alike,
however short the chains; if they have not, groups differ as places do.

Here every chain begins at a place of its own. A superchain therefore gathers those chains whose
first halves were close to each other in the quantity that is judged, and what is compared are the
second halves. Groups that are made at random, without regard to where chains are, agree even
where no chain ever moves: their means are means of random starts.

What it does not see: places where no chain ever was; a memory so faint that it moves the means of
groups by less than a seventh of the spread (the root of 2 * 0.01); and chains that forget fast and
were not given the time, which all come from the same side. For the last there is the drift from
first to second halves, which each chain shows once, so that its error is known.

Source: Margossian, Hoffman, Sountsov, Riou-Durand, Vehtari and Gelman, Nested R-hat (2024),
Bayesian Analysis 19; Geweke, Evaluating the accuracy of sampling-based approaches (1992), Bayesian
Statistics 4, for drift, whose error here comes from the chains.
"""

import math

import numpy as np
from numpy.typing import NDArray

SUPERCHAINS = 8
"""Groups that the chains fall into."""

MANY_CHAINS = 64
"""Chains from which on they are grouped, so that a group has eight of them, and from which on
their means show errors, to 9%."""


def nested_rhat(halves: NDArray[np.float64]) -> float:
    """Return nested R-hat of the second halves, without what chance adds to it.

    The means of groups differ by chance too, by the variance of a chain's mean over the size of a
    group. In small groups of short chains that alone is above any limit, and so it is taken off.

    Args:
        halves: Draws of a quantity, rank-normalized; first halves of all chains, then second.

    Returns:
        1 where groups agree; nan where chains are too few to be grouped, or none moves.

    >>> chains = np.arange(64.0)[:, None] + np.tile([0.0, 1.0], 5)  # that stay where they began
    >>> bool(nested_rhat(np.vstack((chains, chains))) > 2)
    True
    """
    chains = len(halves) // 2
    if chains < MANY_CHAINS:
        return math.nan
    # ArviZ takes a second to import, and most commands do not need it.
    from arviz_stats.base.array import array_stats

    order = np.argsort(halves[:chains].mean(1), kind="stable")
    # Superchains are of one size; a few chains in the middle may be left out for that.
    size, left = divmod(chains, SUPERCHAINS)
    order = np.delete(order, np.arange(left) + (chains - left) // 2)
    later = halves[chains:][order]
    ids = np.repeat(np.arange(SUPERCHAINS), size)
    # ArviZ gives its functions no types.
    nested = array_stats.rhat_nested(  # type: ignore[no-untyped-call]
        later, superchain_ids=ids, method="identity", chain_axis=0, draw_axis=1
    )
    # Equation 7: what is within a superchain, of which the means' variance is the part by chance.
    between = float(later.mean(1).reshape(SUPERCHAINS, size).var(1, ddof=1).mean())
    within = between + float(later.var(1, ddof=1).mean())
    if within == 0:
        return math.nan
    return math.sqrt(max(1.0, float(nested) ** 2 - between / size / within))


def measure_drift(halves: NDArray[np.float64]) -> float:
    """Return how far means move from first to second halves, in standard errors.

    Where the draws have their law from the first on, this is standard normal.

    Args:
        halves: As in `nested_rhat`.

    Returns:
        The drift; nan where chains are too few, or none moves.
    """
    chains = len(halves) // 2
    if chains < MANY_CHAINS:
        return math.nan
    moves = halves[chains:].mean(1) - halves[:chains].mean(1)
    spread = float(moves.std(ddof=1))
    return float(moves.mean()) * math.sqrt(chains) / spread if spread else math.nan
