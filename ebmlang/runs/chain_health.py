"""What the sampler tells of its chains, and what of that speaks against them.

Source: Betancourt, Diagnosing suboptimal cotangent disintegrations in Hamiltonian Monte Carlo
(2016), arXiv:1604.00695, for BFMI.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ebmlang.runs.concerns import Concern, Sign, count_chains
from ebmlang.runs.superchains import MANY_CHAINS

if TYPE_CHECKING:
    from ebmlang.sample import Draws

FloatArray = NDArray[np.floating]

LEAST_CHAINS = 4
"""Chains below which R-hat says little."""

ACCEPTANCE = (0.05, 0.999)
"""Mean acceptance of a healthy chain: below it hardly moves; above, its steps are smaller than
they need be, or it moves where the energy is flat."""

DIVERGENT_SHARE = 1e-3
"""Share of trajectories that may diverge where chains are few. Each is rejected, which is exact;
but a share that can be seen means a region that chains hardly get into, and where few chains never
were there, nothing else tells of it. Of many chains some begin there, and if they do not get out
the chains disagree; measured, many are right at a share of 0.015, and few are off at none."""

SICK_SHARE = 0.01
"""Share of the chains that may stand still or reject nearly everything: none of fewer than a
hundred. Of more, the error that the chains' means show has these in it."""

LEAST_BFMI = 0.3
"""BFMI below which momenta change the energy too little to reach its tails (Stan's limit)."""

LEAST_ENERGIES = 4
"""Draws per chain from which BFMI is computed."""


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
        bfmi: How much of the energy's variance new momenta make up; of many chains one number for
            all, and none of a sampler without momenta.
        energies: Mean energy [nats]; none where it is not known.
        acceptances: Acceptance of the move to each draw, `[chain, draw]`; none where it is not
            known.
        are_islands: Whether chains are islands of particles, whose order says nothing, and not
            draws one after the other.
    """

    acceptance: FloatArray
    divergences: NDArray[np.integer]
    moved: FloatArray
    infeasible: NDArray[np.integer]
    iterations: int
    is_flat: bool = False
    bfmi: FloatArray = field(default_factory=lambda: np.empty(0))
    energies: FloatArray = field(default_factory=lambda: np.empty(0))
    acceptances: FloatArray = field(default_factory=lambda: np.empty((0, 0)))
    are_islands: bool = False


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
        bfmi=compute_bfmi(draws.chunk.hamiltonian.cpu().numpy()),
        energies=energies.mean(1) if energies.size else np.empty(0),
        acceptances=draws.chunk.acceptance.cpu().numpy(),
        are_islands=draws.method in ISLAND_METHODS,
    )


ISLAND_METHODS = frozenset({"smc"})
"""Samplers whose chains are islands."""


def compute_bfmi(hamiltonians: FloatArray) -> FloatArray:
    """Return BFMI of each chain, or of many short ones together; none where there are no momenta.

    Args:
        hamiltonians: Total energy after each new momentum, `[chain, draw]` [nats].
    """
    chains, draws = hamiltonians.shape
    known = np.isfinite(hamiltonians).all(axis=1)
    if draws < LEAST_ENERGIES or not known.any():
        return np.empty(0)
    values = hamiltonians[known].astype(np.float64)
    if (np.ptp(values, axis=1) == 0).any():
        return np.empty(0)
    if chains >= MANY_CHAINS:
        # Short chains do not know the energy's variance; all together do.
        return np.array([np.square(np.diff(values, axis=1)).mean() / values.var(ddof=1)])
    # ArviZ takes a second to import, and most commands do not need it.
    from arviz_stats.base.array import array_stats

    # ArviZ gives its functions no types.
    found = array_stats.bfmi(values, chain_axis=0, draw_axis=1)  # type: ignore[no-untyped-call]
    return np.asarray(found)


def judge_chains(facts: RunFacts) -> Iterator[Concern]:
    """Yield what speaks against the chains themselves, most telling first."""
    chains = len(facts.acceptance)
    trajectories = chains * facts.iterations
    still = int((facts.moved == 0).sum())
    if still > SICK_SHARE * chains:
        yield Concern(
            sign=Sign.STILL,
            reason=_say_still(still, chains),
            advice="start elsewhere, or give the unknowns scales near 1",
        )
    diverged = int(facts.divergences.sum())
    if _are_alarming(diverged, facts):
        yield Concern(
            sign=Sign.DIVERGENCES,
            reason=f"{count_divergences(diverged, trajectories)}: the energy is too steep, or "
            "not finite, somewhere near",
            advice="write scale parameters and what they scale as separate factors, or bound the "
            "unknowns where the energy is not finite",
        )
    low = int(((facts.acceptance < ACCEPTANCE[0]) & (facts.moved > 0)).sum())
    if low > SICK_SHARE * chains:
        mostly = int(facts.infeasible.sum()) > trajectories / 2
        cause = ", mostly because something required did not hold" if mostly else ""
        yield Concern(
            sign=Sign.ACCEPTANCE,
            reason=f"{count_chains(low, chains)} accepted less than {ACCEPTANCE[0]:.0%} of its "
            f"moves{cause}",
            advice="loosen what is required, or turn it into a `prefer`"
            if mostly
            else "give the unknowns scales near 1, or a longer warm-up",
        )
    slow = facts.bfmi[facts.bfmi < LEAST_BFMI]
    if len(slow):
        whose = "" if len(facts.bfmi) == 1 else f" in {count_chains(len(slow), chains)}"
        yield Concern(
            sign=Sign.BFMI,
            reason=f"new momenta change the energy too little to reach its tails: BFMI is "
            f"{slow.min():.2g}{whose}, below {LEAST_BFMI}",
            advice="write scale parameters and what they scale as separate factors",
        )
    if chains < LEAST_CHAINS:
        yield Concern(
            sign=Sign.CHAINS,
            reason=f"{chains} chains cannot show that they agree",
            advice=f"use at least {LEAST_CHAINS} chains",
        )


def remark_chains(facts: RunFacts) -> Iterator[str]:
    """Yield what is worth knowing of the chains and does not speak against them."""
    chains = len(facts.acceptance)
    trajectories = chains * facts.iterations
    diverged = int(facts.divergences.sum())
    still = int((facts.moved == 0).sum())
    if 0 < still <= SICK_SHARE * chains:
        yield _say_still(still, chains)
    if diverged and not _are_alarming(diverged, facts):
        yield count_divergences(diverged, trajectories)
    high = 0 if facts.is_flat else int((facts.acceptance > ACCEPTANCE[1]).sum())
    if high and len(facts.bfmi):
        yield (
            f"{count_chains(high, chains)} accepted nearly every move: smaller steps than needed, "
            "and a longer warm-up may find better ones"
        )


def _are_alarming(diverged: int, facts: RunFacts) -> bool:
    """Return whether so many divergences speak against a run by themselves."""
    chains = len(facts.acceptance)
    return chains < MANY_CHAINS and diverged > DIVERGENT_SHARE * chains * facts.iterations


def _say_still(still: int, chains: int) -> str:
    return f"{count_chains(still, chains)} never moved"


def count_divergences(diverged: int, trajectories: int) -> str:
    """Return how many trajectories of all diverged."""
    return f"{diverged} of {trajectories} trajectories diverged"
