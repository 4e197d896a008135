"""One scalar quantity over all draws: moments, their errors, and how the chains agree on it.

Everything that ArviZ has comes from ArviZ, which is loaded when a summary is asked for and not
before. Two things are not as it has them:

- The error of an sd rests on the effective sample size of squares. ArviZ takes that of the mean,
  which is larger where chains swing around their mean, and which says nothing of a spread that
  changes slowly.
- With many chains the errors are no smaller than those that the chains' own means show, which
  hold however the draws of one chain depend on each other.

Source: Vehtari, Gelman, Simpson, Carpenter and Buerkner, Rank-normalization, folding, and
localization (2021), Bayesian Analysis 16; Vehtari, Simpson, Gelman, Yao and Gabry, Pareto smoothed
importance sampling (2024), JMLR 25, for tails.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebmlang.runs.ranks import fold, normalize_ranks, split_chains
from ebmlang.runs.superchains import MANY_CHAINS, measure_drift, nested_rhat
from ebmlang.runs.tail_acceptance import compare_tails

FloatArray = NDArray[np.floating]
Values = NDArray[np.float64]

LEAST_DRAWS = 8
"""Draws per chain that the statistics need at least: four in each half."""

CONSTANT = 1e-12
"""Spread, relative to the value or to 1, at which a quantity does not vary at all."""

TAIL = (0.05, 0.95)
"""Quantiles whose effective sample size is the tail's (Vehtari and others 2021, section 4.3)."""

MOST_RANKED = 1 << 17
"""Draws of a quantity that are sorted; of more, each chain's are thinned evenly. What is learnt
from ranks has errors far below any limit by then, and sorting is what takes the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantitySummary:
    """One scalar quantity over all draws.

    Attributes:
        name: Such as `theta[3]`.
        mean: Over chains and draws.
        sd: Standard deviation.
        mcse: Monte Carlo standard error of the mean.
        mcse_sd: Monte Carlo standard error of the sd.
        rhat: 1 where chains agree; `inf` where each stands still at its own value, nan where the
            quantity is constant or was not finite.
        nested_rhat: The same of many chains, however short; nan of fewer.
        drift: How far the center or spread of many chains moves from first to second halves
            [standard errors]; nan of fewer.
        ess_bulk: Effective sample size for the center; nan likewise.
        ess_tail: For the 5% and 95% quantiles; nan likewise.
        ess_square: For the spread, that is for squared distances from the mean; nan likewise.
        pareto_k: Weight of the tails of those squares: moments of order 1 / k and more are
            infinite, as far as the draws show; nan where the tail does not vary.
        tail_acceptance: Acceptance of moves from the worse tail over that of all; nan where it is
            not known.
    """

    name: str
    mean: float
    sd: float
    mcse: float
    mcse_sd: float
    rhat: float
    nested_rhat: float
    drift: float
    ess_bulk: float
    ess_tail: float
    ess_square: float
    pareto_k: float
    tail_acceptance: float

    @property
    def agreement(self) -> float:
        """R-hat that chains are judged by: of many chains, nested R-hat."""
        return self.rhat if math.isnan(self.nested_rhat) else self.nested_rhat


def summarize(
    name: str,
    values: FloatArray,
    *,
    are_islands: bool = False,
    acceptances: FloatArray | None = None,
) -> Iterator[QuantitySummary]:
    """Summarize each scalar of a quantity, lazily.

    Args:
        name: Of the quantity.
        values: Of shape `[chain, draw, ...]`.
        are_islands: Whether a chain is an island of particles, whose order says nothing; only
            differences between islands show errors then.
        acceptances: Acceptance of the move to each draw, `[chain, draw]`, where it is known.
    """
    shape = values.shape[2:]
    flat = values.reshape(*values.shape[:2], math.prod(shape))
    for place in range(flat.shape[2]):
        index = ", ".join(str(i) for i in np.unravel_index(place, shape))
        scalar = np.ascontiguousarray(flat[:, :, place], dtype=np.float64)
        row = _summarize(f"{name}[{index}]" if shape else name, scalar, are_islands)
        if acceptances is not None and row.sd > 0:
            row = replace(row, tail_acceptance=compare_tails(scalar, acceptances))
        yield row


def _summarize(name: str, values: Values, are_islands: bool) -> QuantitySummary:
    if values.size == 0 or not np.isfinite(values).all():
        return _without_statistics(name, math.nan, math.nan)
    mean, sd = float(values.mean()), float(values.std())
    limit = CONSTANT * max(1.0, abs(mean))
    if np.ptp(values) <= limit:
        return _without_statistics(name, mean, 0.0)
    if values.shape[1] < LEAST_DRAWS:
        return _without_statistics(name, mean, sd)
    if (np.ptp(values, axis=1) <= limit).all():
        return _without_statistics(name, mean, sd, rhat=math.inf)
    # Statistics are the same in any unit; in this one no power of a value is too large or small.
    standard = (values - mean) / sd
    found = (_compare_islands if are_islands else _compare_chains)(values, standard)
    error, error_square = found.pop("error"), found.pop("error_square")
    squares = standard**2
    return QuantitySummary(
        name=name,
        mean=mean,
        sd=sd,
        mcse=sd * error,
        # The sd is the root of the mean square, whose derivative is 1 / (2 sd).
        mcse_sd=sd * error_square / 2,
        pareto_k=weigh_tails(standard, found["ess_square"] / squares.size),
        tail_acceptance=math.nan,
        **found,
    )


def _compare_chains(values: Values, standard: Values) -> dict[str, float]:
    """Return what draws one after the other show, and the errors of mean and mean square.

    Ranks are those of the values: values that are as far from the median as others are so only
    to the last digit.
    """
    squares = standard**2
    thinned = thin(values)
    halves = split_chains(thinned if thinned.shape[1] >= LEAST_DRAWS else values)
    ranked = [normalize_ranks(halves), normalize_ranks(fold(halves))]
    ess_square = _compute("ess", "sd", standard)
    error = _compute("mcse", "mean", standard)
    error_square = float(squares.std()) / math.sqrt(ess_square)
    if len(standard) >= MANY_CHAINS:
        error = max(error, error_between(standard))
        error_square = max(error_square, error_between(squares))
    return {
        "error": error,
        "error_square": error_square,
        "rhat": math.nan if len(standard) == 1 else _rhat(ranked),
        "nested_rhat": max(map(nested_rhat, ranked)),
        "drift": max(map(measure_drift, ranked), key=abs),
        "ess_bulk": _compute("ess", "identity", ranked[0]),
        "ess_tail": _compute("ess", "tail", values, prob=TAIL),
        "ess_square": ess_square,
    }


def _compare_islands(values: Values, standard: Values) -> dict[str, float]:
    """Return the same of independent islands, whatever the order in each."""
    squares = standard**2
    thinned = thin(values)
    ranked = [normalize_ranks(thinned), normalize_ranks(fold(thinned))]
    below = [(values <= bound).astype(np.float64) for bound in np.quantile(values, TAIL)]
    return {
        "error": error_between(standard),
        "error_square": error_between(squares),
        "rhat": _rhat(ranked),
        "nested_rhat": math.nan,
        "drift": math.nan,
        "ess_bulk": _ess_between(ranked[0]),
        "ess_tail": min(map(_ess_between, below)),
        "ess_square": _ess_between(squares),
    }


def thin(values: Values) -> Values:
    """Return evenly spaced draws of each chain, few enough to be sorted."""
    return values[:, :: -(-values.size // MOST_RANKED)]


def _rhat(ranked: list[Values]) -> float:
    """Return R-hat of center or spread, whichever is larger."""
    return max(_compute("rhat", "identity", part) for part in ranked)


def _ess_between(values: Values) -> float:
    error = error_between(values)
    return min(values.size, values.var() / error**2) if error else float(values.size)


def _without_statistics(
    name: str, mean: float, sd: float, *, rhat: float = math.nan
) -> QuantitySummary:
    return QuantitySummary(
        name=name,
        mean=mean,
        sd=sd,
        mcse=math.nan,
        mcse_sd=math.nan,
        rhat=rhat,
        nested_rhat=math.nan,
        drift=math.nan,
        ess_bulk=math.nan,
        ess_tail=math.nan,
        ess_square=math.nan,
        pareto_k=math.nan,
        tail_acceptance=math.nan,
    )


def error_between(values: Values) -> float:
    """Return the standard error of the mean that the means of independent chains show."""
    return float(values.mean(1).std(ddof=1)) / math.sqrt(len(values))


def weigh_tails(standard: Values, efficiency: float) -> float:
    """Return Pareto k-hat of squares, from the heavier tail of what is squared.

    Squares of a Pareto tail of shape k have shape 2k. The tail of the squares themselves is the
    worse place to fit it: where one of two modes is small, that folds a mode into it.

    Args:
        standard: Values with mean 0 and sd 1.
        efficiency: Independent draws that a draw is worth.
    """
    tails = [weigh_tail(side, efficiency) for side in (standard, -standard)]
    return 2 * max((k for k in tails if not math.isnan(k)), default=math.nan)


def weigh_tail(values: Values, efficiency: float) -> float:
    """Return Pareto k-hat of the upper tail; nan where too much of it is one value.

    Args:
        values: In a unit in which a distance of `CONSTANT` is none.
        efficiency: Independent draws that a draw is worth.
    """
    thinned = thin(values)
    efficiency = min(1.0, efficiency * values.size / thinned.size)
    size = thinned.size
    # As ArviZ chooses the tail (Vehtari and others 2024, appendix H).
    count = min(size // 5, int(3 * math.sqrt(size / efficiency)))
    if size * efficiency <= 225:
        count = size // 5
    top = np.sort(np.partition(thinned, size - count - 1, axis=None)[size - count - 1 :])
    # The fit is in units of the tail's first quartile, which is zero where values are repeated.
    if count < 5 or top[int(count / 4 + 0.5)] - top[0] <= CONSTANT:
        return math.nan
    # ArviZ ends by dividing values by their sum, as if they were weights; it may be 0 here.
    with np.errstate(divide="ignore", invalid="ignore"):
        return _compute("pareto_khat", None, thinned, r_eff=efficiency, tail="right")


# Any: ArviZ gives its functions no types.
def _compute(statistic: str, method: str | None, values: Values, **options: Any) -> float:
    # ArviZ takes a second to import, and most commands do not need it.
    from arviz_stats.base.array import array_stats

    statistics: dict[str, Callable[..., Any]] = {
        "rhat": array_stats.rhat,
        "ess": array_stats.ess,
        "mcse": array_stats.mcse,
        "pareto_khat": array_stats.pareto_khat,
    }
    if method is not None:
        options["method"] = method
    return float(statistics[statistic](values, chain_axis=0, draw_axis=1, **options))
