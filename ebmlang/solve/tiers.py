"""An order of terms: the first tier is minimized, then the second where the first stays low, ...

Tier k is the sum of its terms, E_k, and is solved for

    minimize E_k(x)   subject to   E_j(x) <= E_j* + slack   for every tier j before k,

where E_j* is what was reached in its turn. The slack is what a later tier may cost an earlier one;
without any, the points left would be too thin a set to move in. The bounds on earlier tiers are
requirements like any other, of which one tolerance is one slack, so that they are met exactly.

Source: the lexicographic method, as in Marler and Arora, Survey of multi-objective optimization
methods for engineering (2004), section 3.3 and equation 12.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ebmlang.runtime import Budget, DerivedTarget, Progress, Target, derive_seed
from ebmlang.solve.answers.diversity import Diversity
from ebmlang.solve.local import Local
from ebmlang.solve.run import search
from ebmlang.solve.search.hinted import Hinted
from ebmlang.solve.search.multistart import Multistart
from ebmlang.solve.solution import Solution, StoppingReason
from ebmlang.spaces import Layout

SLACK = 1e-3
"""What later tiers may cost an earlier one, where the caller does not say [nats]: a five-hundredth
of what one constraint costs that is violated by one tolerance."""

LEAST_SLACK = 1e-6
"""Least slack, as a share of the energy where that is above 1: below it the bound drowns in what a
minimizer resolves."""

PASSED_ON = 64
"""Most points of a tier from which the next one starts."""

Terms: TypeAlias = Callable[[Tensor], Tensor]
"""From packed points to the energy of each soft term, `[chain, term]`."""

Columns: TypeAlias = Int[Tensor, " _"]
"""Which terms; how many of them differs from tier to tier."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TierTarget(DerivedTarget):
    """One tier as the energy, and the tiers before it as requirements.

    Attributes:
        target: The model.
        terms: The energies of its soft terms.
        tiers: The columns of the terms, tier by tier, down to the one that is minimized.
        limits: What each tier before that may come to at most [nats].
        slacks: The tolerance of each limit [nats].
    """

    terms: Terms
    tiers: tuple[Columns, ...]
    limits: Float[Tensor, " tier"]
    slacks: Float[Tensor, " tier"]

    def energy(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, " chain"]:
        """Return the energy of the last tier."""
        return self.terms(x)[:, self.tiers[-1]].sum(1)

    def requirements(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain requirement"]:
        """Return the margins of everything required, then those of the tiers before."""
        required = self.target.requirements(x)
        if not len(self.limits):
            return required
        sums = sum_tiers(self.terms(x), self.tiers[:-1])
        return torch.cat([required, (self.limits - sums) / self.slacks], 1)


def sum_tiers(
    energies: Float[Tensor, "chain term"], tiers: tuple[Columns, ...]
) -> Float[Tensor, "chain tier"]:
    """Return the energy of each tier."""
    return torch.stack([energies[:, columns].sum(1) for columns in tiers], 1)


def solve_tiers(
    target: Target,
    layout: Layout,
    terms: Terms,
    tiers: tuple[Columns, ...],
    *,
    slack: float = SLACK,
    seed: int,
    starts: int,
    designs: int,
    diversity: Diversity | None = None,
    progress: Progress | None = None,
    budget: Budget,
) -> Solution:
    """Minimize tier by tier.

    Args:
        target: The model.
        layout: Where its points live.
        terms: The energies of its soft terms.
        tiers: The columns of the terms of each tier, the first before all others.
        slack: What later tiers may cost an earlier one [nats].
        seed: Chooses the starts.
        starts: How many each tier has, besides the points that the tier before found.
        designs: Most designs to keep.
        diversity: Where they are to differ, by how much the last tier may be worse.
        progress: Hears how far the run is.
        budget: Limits the time.

    Returns:
        The designs of the last tier, its best first; their energies are those of the model. Where
        the run ends before the last tier, those of the tier it came to.

    Raises:
        EbmError: As `search` does.
    """
    local = Local()
    deadline = budget.start()
    limits = slacks = torch.empty(0, dtype=target.dtype, device=target.device)
    seeds: Tensor | None = None
    evaluations = 0
    before: Solution | None = None
    for number in range(len(tiers)):
        last = number + 1 == len(tiers)
        tier = TierTarget(
            target=target, terms=terms, tiers=tiers[: number + 1], limits=limits, slacks=slacks
        )
        found = search(
            tier,
            layout,
            Multistart(starts=starts, local=local)
            if seeds is None
            else Hinted(hints=seeds, starts=starts, local=local),
            seed=seed if number == 0 else derive_seed(seed, f"tier {number}"),
            designs=designs if last else max(designs, PASSED_ON),
            diversity=diversity if last else None,
            width=starts,
            progress=progress,
            budget=deadline.remaining(),
        )
        evaluations += found.evaluations
        if before is not None and not found.is_feasible:
            # Nothing was found within the limits in the time there was: the tier before stands.
            found = replace(before, reason=found.reason)
            break
        if last or not found.is_feasible or found.interrupted:
            break
        if deadline.is_over():
            found = replace(found, reason=StoppingReason.TIME)
            break
        before = found
        best = found.energies[:1]
        allowed = torch.clamp(LEAST_SLACK * best.abs(), min=slack)
        limits, slacks = torch.cat([limits, best + allowed]), torch.cat([slacks, allowed])
        good = found.energies <= best + allowed
        seeds = found.points[good][:PASSED_ON]
    # An earlier tier passes on more than are asked for.
    found = found.take(torch.arange(len(found.energies), device=target.device) < designs)
    with torch.no_grad():
        energies = target.energy(found.points)
        required = target.requirements(found.points)
    return replace(
        found,
        energies=energies,
        margins=required,
        feasible=(required >= 0).all(1),
        evaluations=evaluations,
    )
