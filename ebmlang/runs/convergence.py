"""Whether draws can be trusted, in words.

Rank-normalized split R-hat, bulk and tail effective sample size and Monte Carlo standard error
come from ArviZ, which is loaded when a verdict is asked for and not before.

Source for statistics and limits: Vehtari, Gelman, Simpson, Carpenter and Buerkner,
Rank-normalization, folding, and localization (2021), Bayesian Analysis 16.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from ebmlang.sample import Draws

FloatArray = npt.NDArray[np.floating]

LARGEST_RHAT = 1.01
"""R-hat above which chains disagree (section 4)."""

LEAST_ESS = 400.0
"""Draws' worth of independent draws below which R-hat and quantiles are themselves unsure
(section 4: 50 for each half of four chains)."""

LEAST_CHAINS = 4
"""Chains below which R-hat says little."""

LEAST_DRAWS = 4
"""Draws per chain that the statistics need at least."""

ACCEPTANCE = (0.05, 0.999)
"""Mean acceptance of a healthy chain: below it hardly moves; above, its steps are too small to
get anywhere, or it moves where the energy is flat."""

DIVERGENT_SHARE = 1e-3
"""Share of trajectories that may diverge. Each is rejected, which is exact; a share that can be
seen means a region that the chains hardly get into, and means there would be off."""

CONSTANT = 1e-12
"""Spread, relative to the value or to 1, at which a quantity does not vary at all."""

TAIL = (0.05, 0.95)
"""Quantiles whose effective sample size is the tail's (section 4.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantitySummary:
    """One scalar quantity over all draws.

    Attributes:
        name: Such as `theta[3]`.
        mean: Over chains and draws.
        sd: Standard deviation.
        mcse: Monte Carlo standard error of the mean.
        rhat: 1 where chains agree; `inf` where each stands still at its own value, nan where the
            quantity is constant or was not finite.
        ess_bulk: Effective sample size for the center; nan likewise.
        ess_tail: For the 5% and 95% quantiles; nan likewise.
    """

    name: str
    mean: float
    sd: float
    mcse: float
    rhat: float
    ess_bulk: float
    ess_tail: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunFacts:
    """What the sampler tells about its chains, one number each.

    Attributes:
        acceptance: Mean acceptance probability.
        divergences: How many trajectories diverged.
        moved: Share of iterations that moved.
        infeasible: How many trajectories ended where something required does not hold.
        iterations: After the warm-up.
        is_flat: Whether the energy is the same everywhere, so that acceptance is 1 rightly.
    """

    acceptance: FloatArray
    divergences: npt.NDArray[np.integer]
    moved: FloatArray
    infeasible: npt.NDArray[np.integer]
    iterations: int
    is_flat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether to trust a run.

    Attributes:
        trusted: Whether nothing speaks against it.
        reasons: What does, most telling first.
        advice: What may help, one for each kind of reason.
        table: Every scalar quantity.
    """

    trusted: bool
    reasons: tuple[str, ...]
    advice: tuple[str, ...]
    table: tuple[QuantitySummary, ...]


def read_facts(draws: "Draws") -> RunFacts:
    """Return what a sampler's draws tell about its chains."""
    energies = draws.energies.cpu().numpy()
    return RunFacts(
        acceptance=draws.chunk.acceptance.mean(1).cpu().numpy(),
        divergences=draws.chunk.diverged.sum(1).cpu().numpy(),
        moved=draws.chunk.moved.mean(1).cpu().numpy(),
        infeasible=draws.chunk.infeasible.sum(1).cpu().numpy(),
        iterations=draws.iterations,
        is_flat=energies.size > 0 and bool(np.ptp(energies) == 0),
    )


def judge(quantities: Mapping[str, FloatArray], facts: RunFacts) -> Verdict:
    """Judge the draws of a run.

    Args:
        quantities: By name, values of shape `[chain, draw, ...]`; each scalar is judged.
        facts: Of the chains that drew them.

    >>> rng = np.random.default_rng(0)
    >>> facts = RunFacts(
    ...     acceptance=np.full(4, 0.9), divergences=np.zeros(4, dtype=int), moved=np.full(4, 0.9),
    ...     infeasible=np.zeros(4, dtype=int), iterations=500,
    ... )
    >>> judge({"x": rng.normal(size=(4, 500))}, facts).trusted
    True
    """
    table = tuple(row for name, values in quantities.items() for row in _summaries(name, values))
    draws = min((values.shape[1] for values in quantities.values()), default=0)
    found = [*_judge_chains(facts), *_judge_table(table, draws)]
    return Verdict(
        trusted=not found,
        reasons=tuple(reason for reason, _ in found),
        advice=tuple(dict.fromkeys(advice for _, advice in found)),
        table=table,
    )


def _judge_chains(facts: RunFacts) -> list[tuple[str, str]]:
    """Return what speaks against the chains themselves, each with its advice."""
    found = []
    chains = len(facts.acceptance)
    still = int((facts.moved == 0).sum())
    if still:
        found.append(
            (
                f"{_of(still, chains)} never moved",
                "start elsewhere, or give the unknowns scales near 1",
            )
        )
    diverged = int(facts.divergences.sum())
    if diverged > DIVERGENT_SHARE * chains * facts.iterations:
        found.append(
            (
                f"{diverged} of {chains * facts.iterations} trajectories diverged: the energy "
                "is too steep, or not finite, somewhere near",
                "write scale parameters and what they scale as separate factors, or bound the "
                "unknowns where the energy is not finite",
            )
        )
    low = int((facts.acceptance < ACCEPTANCE[0]).sum())
    if low:
        mostly = int(facts.infeasible.sum()) > chains * facts.iterations / 2
        cause = ", mostly because something required did not hold" if mostly else ""
        found.append(
            (
                f"{_of(low, chains)} accepted less than {ACCEPTANCE[0]:.0%} of its moves{cause}",
                "loosen what is required, or turn it into a `prefer`"
                if mostly
                else "give the unknowns scales near 1, or a longer warm-up",
            )
        )
    high = 0 if facts.is_flat else int((facts.acceptance > ACCEPTANCE[1]).sum())
    if high:
        found.append(
            (
                f"{_of(high, chains)} accepted nearly every move, so its steps were too small",
                "give a longer warm-up",
            )
        )
    if chains < LEAST_CHAINS:
        found.append(
            (
                f"{chains} chains cannot show that they agree",
                f"use at least {LEAST_CHAINS} chains",
            )
        )
    return found


def _judge_table(table: tuple[QuantitySummary, ...], draws: int) -> list[tuple[str, str]]:
    """Return what speaks against the quantities, each with its advice."""
    if draws < LEAST_DRAWS:
        return [(f"there are only {draws} draws of each chain", "take more draws")]
    found = []
    broken = [row for row in table if not math.isfinite(row.mean)]
    if broken:
        found.append(
            (
                f"{_names(broken)} had values that are not finite",
                "bound the unknowns where the quantity is not finite",
            )
        )
    apart = sorted(
        (row for row in table if row.rhat > LARGEST_RHAT), key=lambda row: row.rhat, reverse=True
    )
    if apart:
        found.append(
            (
                f"the chains disagree: R-hat is {apart[0].rhat:.3g} for {_names(apart)}, above "
                f"{LARGEST_RHAT}",
                "take more draws; if that does not help, the energy has several modes that no "
                "chain crosses between",
            )
        )
    for kind, worth in (("bulk", "center rests"), ("tail", "tails rest")):
        scarce = sorted(
            (row for row in table if _ess(row, kind) < LEAST_ESS), key=lambda row: _ess(row, kind)
        )
        if scarce:
            found.append(
                (
                    f"the {worth} on too few independent draws: {kind} ESS is "
                    f"{_ess(scarce[0], kind):.0f} for {_names(scarce)}, below {LEAST_ESS:.0f}",
                    "take more draws, or more chains",
                )
            )
    return found


def _summaries(name: str, values: FloatArray) -> list[QuantitySummary]:
    shape = values.shape[2:]
    flat = np.asarray(values, dtype=np.float64).reshape(*values.shape[:2], math.prod(shape))
    rows = []
    for place in range(flat.shape[2]):
        index = ", ".join(str(i) for i in np.unravel_index(place, shape))
        rows.append(_summary(f"{name}[{index}]" if shape else name, flat[:, :, place]))
    return rows


def _summary(name: str, values: npt.NDArray[np.float64]) -> QuantitySummary:
    nothing = {"mcse": math.nan, "ess_bulk": math.nan, "ess_tail": math.nan}
    if values.size == 0 or not np.isfinite(values).all():
        return QuantitySummary(name=name, mean=math.nan, sd=math.nan, rhat=math.nan, **nothing)
    mean, sd = float(values.mean()), float(values.std())
    limit = CONSTANT * max(1.0, abs(mean))
    if np.ptp(values) <= limit:
        return QuantitySummary(name=name, mean=mean, sd=0.0, rhat=math.nan, **nothing)
    if values.shape[1] < LEAST_DRAWS:
        return QuantitySummary(name=name, mean=mean, sd=sd, rhat=math.nan, **nothing)
    if (np.ptp(values, axis=1) <= limit).all():
        return QuantitySummary(name=name, mean=mean, sd=sd, rhat=math.inf, **nothing)

    # ArviZ takes a second to import, and most commands do not need it.
    from arviz_stats.base.array import array_stats

    # ArviZ gives its functions no types.
    statistics: dict[str, Callable[..., Any]] = {
        "rhat": array_stats.rhat,
        "ess": array_stats.ess,
        "mcse": array_stats.mcse,
    }

    def compute(statistic: str, method: str, **options: Any) -> float:
        value = statistics[statistic](values, chain_axis=0, draw_axis=1, method=method, **options)
        return float(value)

    return QuantitySummary(
        name=name,
        mean=mean,
        sd=sd,
        mcse=compute("mcse", "mean"),
        rhat=compute("rhat", "rank") if values.shape[0] > 1 else math.nan,
        ess_bulk=compute("ess", "bulk"),
        ess_tail=compute("ess", "tail", prob=TAIL),
    )


def _ess(row: QuantitySummary, kind: str) -> float:
    return row.ess_bulk if kind == "bulk" else row.ess_tail


def _of(count: int, chains: int) -> str:
    return f"{count} of {chains} chains" if count > 1 or chains == 1 else f"one of {chains} chains"


def _names(rows: list[QuantitySummary]) -> str:
    first = f"`{rows[0].name}`"
    return first if len(rows) == 1 else f"{first} and {len(rows) - 1} more"
