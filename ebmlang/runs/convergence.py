"""Whether draws can be trusted, in words.

A run is judged by its chains (`chain_health`), and by each scalar quantity (`summaries`). What
speaks against it is a concern with a reason and advice; what is only worth knowing is a remark.
How each limit was chosen, and how often a run is off and not flagged, is measured in
`docs/honesty.md`.

Source for limits: Vehtari, Gelman, Simpson, Carpenter and Buerkner, Rank-normalization, folding,
and localization (2021), Bayesian Analysis 16; Vehtari, Simpson, Gelman, Yao and Gabry, Pareto
smoothed importance sampling (2024), JMLR 25.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ebmlang.runs.chain_groups import ChainGroups, find_groups
from ebmlang.runs.chain_health import (
    RunFacts,
    count_divergences,
    judge_chains,
    read_facts,
    remark_chains,
)
from ebmlang.runs.concerns import Concern, Sign, list_names
from ebmlang.runs.summaries import CONSTANT, LEAST_DRAWS, QuantitySummary, summarize
from ebmlang.source import Label

__all__ = [
    "CONSTANT",
    "LEAST_DRAWS",
    "Concern",
    "QuantitySummary",
    "RunFacts",
    "Verdict",
    "judge",
    "read_facts",
]

FloatArray = NDArray[np.floating]

LARGEST_RHAT = 1.01
"""R-hat above which chains disagree (Vehtari and others 2021, section 4), nested R-hat too
(Margossian and others 2024, section 5)."""

LEAST_ESS = 400.0
"""Draws' worth of independent draws below which R-hat and errors are themselves unsure (Vehtari
and others 2021, section 4: 50 for each half of four chains)."""

LARGEST_PARETO_K = 0.7
"""Above it no number of draws in reach settles a mean (Vehtari and others 2024, section 3.2.4)."""

DRIFT_ALARMS = 1e-3
"""Share of runs without any drift that are said to drift, over all their quantities."""

LEAST_TAIL_ACCEPTANCE = 0.5
"""Acceptance of moves from a tail, over that of all moves, below which chains that also diverged
may have kept out of it, however many they are. Measured: 0.8 to 1.05 where kernels fit, 0.5 to 0.8
where they fit the tails less and errors hold, 0.01 to 0.65 where errors do not."""

MOST_GROUPED = 20
"""Quantities on which chains disagree that are searched for groups of chains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether to trust a run.

    Attributes:
        concerns: What speaks against it, most telling first.
        remarks: What does not, and is worth knowing.
        table: Every scalar quantity.
        place: Of the term that is steepest where trajectories diverged, if it is known.
    """

    concerns: tuple[Concern, ...]
    remarks: tuple[str, ...]
    table: tuple[QuantitySummary, ...]
    place: Label | None = None

    @property
    def trusted(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.concerns

    @property
    def reasons(self) -> tuple[str, ...]:
        """What speaks against it."""
        return tuple(concern.reason for concern in self.concerns)

    @property
    def advice(self) -> tuple[str, ...]:
        """What may help, each once."""
        return tuple(dict.fromkeys(concern.advice for concern in self.concerns))


def judge(quantities: Mapping[str, FloatArray], facts: RunFacts) -> Verdict:
    """Judge the draws of a run.

    Args:
        quantities: By name, values of shape `[chain, draw, ...]`; each scalar is judged. They are
            read one at a time, so that a mapping may load them as it is asked.
        facts: Of the chains that drew them.

    >>> rng = np.random.default_rng(0)
    >>> facts = RunFacts(
    ...     acceptance=np.full(4, 0.9), divergences=np.zeros(4, dtype=int), moved=np.full(4, 0.9),
    ...     infeasible=np.zeros(4, dtype=int), iterations=500,
    ... )
    >>> judge({"x": rng.normal(size=(4, 500))}, facts).trusted
    True
    """
    table: list[QuantitySummary] = []
    groups: list[ChainGroups] = []
    draws = facts.iterations
    # Particles of an island do not follow each other.
    is_known = facts.acceptances.size and not facts.are_islands
    acceptances = facts.acceptances if is_known else None
    for name, values in quantities.items():
        draws = min(draws, values.shape[1])
        rows = list(summarize(name, values, are_islands=facts.are_islands, acceptances=acceptances))
        apart = [place for place, row in enumerate(rows) if row.agreement > LARGEST_RHAT]
        for place in apart[: MOST_GROUPED - len(groups)]:
            scalar = values.reshape(*values.shape[:2], -1)[:, :, place].astype(np.float64)
            found = find_groups(rows[place].name, scalar, facts.energies)
            groups += [] if found is None else [found]
        table += rows
    largest = max(groups, key=lambda found: len(found.sizes), default=None)
    return Verdict(
        concerns=(
            *judge_chains(facts),
            *_judge_table(table, draws, largest),
            *_judge_tails(table, facts),
        ),
        remarks=(*remark_chains(facts), *_remark_tails(table, facts)),
        table=tuple(table),
    )


def _judge_table(
    table: list[QuantitySummary], draws: int, groups: ChainGroups | None
) -> Iterator[Concern]:
    """Yield what speaks against the quantities."""
    if draws < LEAST_DRAWS:
        yield Concern(
            sign=Sign.DRAWS,
            reason=f"there are only {draws} draws of each chain",
            advice="take more draws",
        )
        return
    broken = [row.name for row in table if not math.isfinite(row.mean)]
    if broken:
        yield Concern(
            sign=Sign.FINITE,
            reason=f"{list_names(broken)} had values that are not finite",
            advice="bound the unknowns where the quantity is not finite",
        )
    apart = _worst(table, lambda row: row.agreement, lambda row: row.agreement > LARGEST_RHAT)
    if apart:
        which = "R-hat" if math.isnan(apart[0].nested_rhat) else "nested R-hat"
        where = "" if groups is None else f"; {groups.show()}"
        yield Concern(
            sign=Sign.R_HAT,
            reason=f"the chains disagree: {which} is {apart[0].agreement:.3g} for "
            f"{_list_rows(apart)}, above {LARGEST_RHAT}{where}",
            advice="take more draws; if that does not help, the energy has several modes that no "
            "chain crosses between",
        )
    yield from _judge_drift(table)
    for sign, words, key in ESS_KINDS:
        yield from _judge_ess(table, sign, words, key)
    heavy = _worst(table, lambda row: row.pareto_k, _is_heavy)
    if heavy:
        yield Concern(
            sign=Sign.PARETO_K,
            reason=f"a few extreme draws decide on the sd: Pareto k-hat is {heavy[0].pareto_k:.2g} "
            f"for the square of {_list_rows(heavy)}, above {LARGEST_PARETO_K}",
            advice="report quantiles, or the logarithm, of a quantity with such tails; its draws "
            "may be sound, its mean and sd are not",
        )


def _judge_drift(table: list[QuantitySummary]) -> Iterator[Concern]:
    drifts = {row.name: abs(row.drift) for row in table if not math.isnan(row.drift)}
    if not drifts:
        return
    # Scipy takes a while to import, and most commands do not need it.
    from scipy.special import ndtri

    # Each quantity drifts in center or in spread, up or down.
    limit = -float(ndtri(DRIFT_ALARMS / (4 * len(drifts))))
    found = sorted(
        (name for name in drifts if drifts[name] > limit), key=drifts.__getitem__, reverse=True
    )
    if found:
        yield Concern(
            sign=Sign.DRIFT,
            reason=f"the draws still drift: from the first half of the chains to the second "
            f"{list_names(found)} moves by {drifts[found[0]]:.2g} standard errors, above "
            f"{limit:.2g}",
            advice="give a longer warm-up",
        )


ESS_KINDS: tuple[tuple[Sign, str, Callable[[QuantitySummary], float]], ...] = (
    (Sign.ESS_BULK, "the center rests on too few independent draws: bulk", lambda r: -r.ess_bulk),
    (Sign.ESS_TAIL, "the tails rest on too few independent draws: tail", lambda r: -r.ess_tail),
    (
        Sign.ESS_SQUARE,
        "the spread rests on too few independent draws: squared",
        lambda r: -r.ess_square,
    ),
)
"""What each effective sample size is about, and what is large where it is small."""


def _judge_ess(
    table: list[QuantitySummary], sign: Sign, words: str, key: Callable[[QuantitySummary], float]
) -> Iterator[Concern]:
    scarce = _worst(table, key, lambda row: key(row) > -LEAST_ESS)
    if scarce:
        yield Concern(
            sign=sign,
            reason=f"{words} ESS is {-key(scarce[0]):.0f} for {_list_rows(scarce)}, below "
            f"{LEAST_ESS:.0f}",
            advice="take more draws, or more chains",
        )


def _judge_tails(table: list[QuantitySummary], facts: RunFacts) -> Iterator[Concern]:
    """Yield that chains may keep out of tails, where divergences say so too."""
    said = _say_tails(table)
    diverged = int(facts.divergences.sum())
    if said and diverged:
        trajectories = len(facts.acceptance) * facts.iterations
        yield Concern(
            sign=Sign.TAIL_ACCEPTANCE,
            reason=f"chains may keep out of tails: {said}, and "
            f"{count_divergences(diverged, trajectories)}",
            advice="use many short chains, or write scale parameters and what they scale as "
            "separate factors",
        )


def _remark_tails(table: list[QuantitySummary], facts: RunFacts) -> Iterator[str]:
    said = _say_tails(table)
    if said and not any(_judge_tails(table, facts)):
        yield said


def _say_tails(table: list[QuantitySummary]) -> str:
    """Return where tails reject; nothing where none does."""
    shy = _worst(
        table,
        lambda row: -row.tail_acceptance,
        lambda row: row.tail_acceptance < LEAST_TAIL_ACCEPTANCE,
    )
    if not shy:
        return ""
    return (
        f"moves from the tails of {_list_rows(shy)} are accepted {shy[0].tail_acceptance:.2g} "
        "times as often as others"
    )


def _is_heavy(row: QuantitySummary) -> bool:
    return row.pareto_k > LARGEST_PARETO_K


def _worst(
    table: list[QuantitySummary],
    key: Callable[[QuantitySummary], float],
    is_bad: Callable[[QuantitySummary], bool],
) -> list[QuantitySummary]:
    """Return the bad rows, worst first."""
    return sorted(filter(is_bad, table), key=key, reverse=True)


def _list_rows(rows: list[QuantitySummary]) -> str:
    return list_names([row.name for row in rows])
