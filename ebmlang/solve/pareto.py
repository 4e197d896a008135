"""The front of two or three terms: designs of which none is better in one without loss in another.

First each of the terms f_i is minimized by itself, and again with a little of the others, which
gives the corner z of what can be reached and the range r_i that is traded. Then one batch of
starts, each with a direction w of its own, solves

    minimize t   subject to   (f_i(x) - z_i) / r_i <= t w_i   for every i,

which goes from the corner along w to where the front is met, on convex and on concave stretches
alike; a weighted sum would miss the latter. A direction is a point of the simplex, drawn with the
start: it is a column of the packed point that no gradient moves. What other points dominate is
dropped, and of the rest those are kept that lie far from each other, in units of the ranges.

Other soft terms are not traded: among points that the named ones leave equal they decide.

Sources: Pascoletti and Serafini, Scalarizing vector optimization problems (1984), for the
directions; Miettinen, Nonlinear Multiobjective Optimization (1999), section 3.4.5, for the small
sum that keeps weakly optimal points out.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ebmlang.lang import DomainKind
from ebmlang.runtime import Budget, DerivedTarget, Progress, Target, derive_seed
from ebmlang.solve.answers.diversity import select_spread
from ebmlang.solve.local import Local
from ebmlang.solve.run import search
from ebmlang.solve.search.hinted import Hinted
from ebmlang.solve.search.multistart import Multistart
from ebmlang.solve.solution import Solution
from ebmlang.solve.tiers import Columns, Terms
from ebmlang.spaces import ConcreteDomain, Layout, build_layout

LEAST_SHARE = 1e-3
"""Least entry of a direction: at 0 the other terms could be as bad as they like."""

SUM = 1e-3
"""Weight of the sum of the terms, in units of their ranges, beside t."""

TIE = 1e-3
"""Weight of the terms that are not traded, in units of what they range over at the corners. It
moves the front by the square of it, and a smaller one would not be felt by a descent."""

PASSED_ON = 64
"""Most minima of one objective among which the others choose its corner."""

FEW = 4
"""This fraction of the starts is drawn anew for that."""

SAME = 1e-6
"""Differences below this share of a range do not make a design better."""

DIRECTION, DISTANCE = "direction of the front", "distance to the front"
"""Names of the added columns, which no variable can have."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Front:
    """What was found of a front.

    Attributes:
        solution: The designs, by the first term; nothing where no point is feasible.
        values: The terms' energies there [nats].
        ideal: The least of each term by itself [nats].
        worst: The most that each comes to where another one is least [nats].
    """

    solution: Solution
    values: Float[Tensor, "design objective"]
    ideal: Float[Tensor, " objective"]
    worst: Float[Tensor, " objective"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CornerTarget(DerivedTarget):
    """One objective as the energy, with a little of others.

    Attributes:
        target: The model.
        terms: What there is, `[chain, column]`.
        weights: Of each column.
    """

    terms: Callable[[Tensor], Tensor]
    weights: Float[Tensor, " column"]

    def energy(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, " chain"]:
        """Return the weighted sum."""
        columns = self.terms(x)[:, self.weights > 0]
        return (columns * self.weights[self.weights > 0]).sum(1)

    def requirements(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain requirement"]:
        """Return the margins of everything required."""
        return self.target.requirements(x)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DirectedTarget(DerivedTarget):
    """Distances from the corner along directions, over points `[x | w | t]`.

    Attributes:
        target: The model.
        objectives: What is traded, `[chain, objective]`, at its packed points.
        rest: The sum of the other soft terms.
        ideal: The corner [nats].
        scale: What each objective ranges over [nats].
        tie: The weight of the rest [per nat].
    """

    objectives: Callable[[Tensor], Tensor]
    rest: Callable[[Tensor], Tensor]
    ideal: Float[Tensor, " objective"]
    scale: Float[Tensor, " objective"]
    tie: float

    @property
    def dim(self) -> int:
        """The length of a packed point."""
        return self.target.dim + len(self.ideal) + 1

    def energy(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, " chain"]:
        """Return t, with the little that breaks ties."""
        own = x[:, : self.target.dim]
        total = self._scaled(own).sum(1)
        return x[:, -1] + SUM * total + self.tie * self.rest(own)

    def requirements(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain requirement"]:
        """Return the margins of everything required, then those along the direction."""
        own = x[:, : self.target.dim]
        direction = x[:, self.target.dim : -1].detach().clamp(min=LEAST_SHARE)
        gaps = x[:, -1:] * direction - self._scaled(own)
        return torch.cat([self.target.requirements(own), gaps], 1)

    def _scaled(self, x: Tensor) -> Tensor:
        return (self.objectives(x) - self.ideal) / self.scale


def find_front(
    target: Target,
    layout: Layout,
    terms: Terms,
    groups: tuple[Columns, ...],
    others: Columns,
    *,
    seed: int,
    starts: int,
    designs: int,
    progress: Progress | None = None,
    budget: Budget,
) -> Front:
    """Find designs all along the front of some terms.

    Args:
        target: The model.
        layout: Where its points live.
        terms: The energies of its soft terms, `[chain, term]`.
        groups: The columns of the terms of each objective.
        others: The columns of the terms that are not traded.
        seed: Chooses starts and directions.
        starts: How many of each search.
        designs: Most designs to keep.
        progress: Hears how far the run is.
        budget: Limits the time.

    Raises:
        EbmError: As `search` does.
    """

    def objectives(x: Tensor) -> Tensor:
        energies = terms(x)
        return torch.stack([energies[:, columns].sum(1) for columns in groups], 1)

    def rest(x: Tensor) -> Tensor:
        return terms(x)[:, others].sum(1)

    def columns(x: Tensor) -> Tensor:
        return torch.cat([objectives(x), rest(x)[:, None]], 1)

    deadline = budget.start()
    alone: list[Solution] = []
    corners: list[Solution] = []
    local = Local()
    scales = torch.ones(len(groups) + 1, dtype=target.dtype, device=target.device)
    for number in range(len(groups)):
        weights = torch.zeros_like(scales)
        weights[number] = 1
        found = search(
            CornerTarget(target=target, terms=columns, weights=weights),
            layout,
            Multistart(starts=starts, local=local),
            seed=derive_seed(seed, f"corner {number}"),
            designs=PASSED_ON,
            width=starts,
            progress=progress,
            budget=deadline.remaining(),
        )
        if not found.is_feasible or found.interrupted:
            values = objectives(found.points).detach()
            return Front(solution=found, values=values, ideal=values[0], worst=values[0])
        alone.append(found)
    with torch.no_grad():
        table = columns(torch.cat([found.points[:1] for found in alone]))
    scales = _measure(table)
    for number, found in enumerate(alone):
        # Where an objective is least at many points, the others say which of them is a corner.
        weights = SUM / scales
        weights[number] = 1 / scales[number]
        good = found.energies <= found.energies[0] + scales[number] * SUM
        corner = search(
            CornerTarget(target=target, terms=columns, weights=weights),
            layout,
            Hinted(hints=found.points[good], starts=max(1, starts // FEW), local=local),
            seed=derive_seed(seed, f"corner {number} again"),
            designs=1,
            width=starts,
            progress=progress,
            budget=deadline.remaining(),
        )
        # A run that ends early may have lost what the first search had.
        corners.append(corner if corner.is_feasible else found)
    with torch.no_grad():
        table = columns(torch.cat([found.points[:1] for found in corners]))
        least = torch.stack([found.energies[0] for found in alone])
    ideal, worst = torch.minimum(table[:, :-1].amin(0), least), table[:, :-1].amax(0)
    scales = _measure(table)
    directed = DirectedTarget(
        target=target,
        objectives=objectives,
        rest=rest,
        ideal=ideal,
        scale=scales[:-1],
        tie=TIE / float(scales[-1]),
    )
    between = search(
        directed,
        _extend(layout, len(groups)),
        Multistart(starts=starts, local=local),
        seed=derive_seed(seed, "front"),
        designs=starts,
        width=starts,
        progress=progress,
        budget=deadline.remaining(),
    )
    return _collect(
        target,
        (*corners, between),
        objectives,
        ideal=ideal,
        worst=worst,
        scale=scales[:-1],
        designs=designs,
    )


def _measure(table: Float[Tensor, "corner column"]) -> Float[Tensor, " column"]:
    """Return what each column ranges over; what does not differ is measured in nats."""
    span = table.amax(0) - table.amin(0)
    return torch.where(span > SAME * table.abs().amax(0).clamp(min=1), span, 1.0)


def _extend(layout: Layout, objectives: int) -> Layout:
    """Return a layout with a direction and a distance behind the variables."""
    reach = 2.0 * objectives
    return build_layout(
        {
            **{block.path: block.domain for block in layout.blocks},
            DIRECTION: ConcreteDomain(kind=DomainKind.SIMPLEX, shape=(objectives,)),
            # On a front between its corners t is at most the number of objectives.
            DISTANCE: ConcreteDomain(
                kind=DomainKind.REAL, shape=(), lower=np.array(-reach), upper=np.array(reach)
            ),
        }
    )


def _collect(
    target: Target,
    found: tuple[Solution, ...],
    objectives: Callable[[Tensor], Tensor],
    *,
    ideal: Float[Tensor, " objective"],
    worst: Float[Tensor, " objective"],
    scale: Float[Tensor, " objective"],
    designs: int,
) -> Front:
    """Judge all points by the model alone, and keep those that are on the front and far apart."""
    points = torch.cat([part.points[:, : target.dim] for part in found])
    with torch.no_grad():
        values, energies = objectives(points), target.energy(points)
        margins = target.requirements(points)
    feasible = (margins >= 0).all(1) & torch.isfinite(values).all(1)
    rows = torch.nonzero(feasible)[:, 0]
    rows = rows[find_undominated((values[rows] - ideal) / scale)]
    rows = rows[select_spread(values[rows] / scale, torch.ones_like(scale), designs)]
    rows = rows[torch.argsort(values[rows, 0], stable=True)]

    def kept(pick: Callable[[Solution], Tensor]) -> Tensor:
        return torch.cat([pick(part) for part in found])[rows]

    last = found[-1]
    return Front(
        solution=Solution(
            points=points[rows],
            energies=energies[rows],
            margins=margins[rows],
            feasible=feasible[rows],
            converged=kept(lambda part: part.converged),
            stationarity=kept(lambda part: part.stationarity),
            share=kept(lambda part: part.share),
            starts=sum(part.starts for part in found),
            nonfinite_starts=sum(part.nonfinite_starts for part in found),
            evaluations=sum(part.evaluations for part in found),
            reason=last.reason,
            agreement=last.agreement,
            end_energies=energies[:0],
            end_feasible=feasible[:0],
        ),
        values=values[rows],
        ideal=ideal,
        worst=worst,
    )


def find_undominated(values: Float[Tensor, "point objective"]) -> Bool[Tensor, " point"]:
    """Return which points no other one beats: as good in each objective and better in one.

    Args:
        values: In units of what each ranges over; lower is better.

    >>> find_undominated(torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])).tolist()
    [True, True, False]
    """
    gain = values[:, None] - values[None]
    # What is worse by rounding alone is as good.
    beaten = (gain >= -SAME / 10).all(2) & (gain > SAME).any(2)
    return ~beaten.any(1)
