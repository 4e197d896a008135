"""From where the starts ended to a set of designs, told apart and ordered."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ebmlang.runtime import Target
from ebmlang.solve.answers.agreement import Agreement
from ebmlang.solve.answers.diversity import Diversity, select_spread
from ebmlang.solve.answers.sameness import Ends, build_ends, find_same
from ebmlang.solve.descent.method import Minimum
from ebmlang.solve.places import Places
from ebmlang.solve.solution import Solution, StoppingReason
from ebmlang.spaces import SolvingChart


def tell_apart(
    target: Target,
    chart: SolvingChart,
    end: Minimum,
    places: Places,
    *,
    most: int,
    tolerance: float,
    nonfinite_starts: int,
    evaluations: int,
    reason: StoppingReason,
    agreement: Agreement,
    diversity: Diversity | None = None,
) -> Solution:
    """Judge every end point and keep the best of each group of equal ones.

    Args:
        target: The model.
        chart: The solver's coordinates.
        end: Where the starts have come to.
        places: What the energy says there.
        most: How many designs to keep at most.
        tolerance: Projected gradient below which a start has converged, relative to the value.
        nonfinite_starts: Passed on.
        evaluations: Passed on.
        reason: Passed on.
        agreement: Passed on.
        diversity: Where the designs kept are to differ, how good they must be; without it the
            best are kept.
    """
    ends = build_ends(target, chart, places)
    points, energies, margins = places.points, places.energies, places.margins
    # Written so that a margin that is not a number counts as violated.
    feasible = (margins >= 0).all(1)
    violation = (-margins).clamp(min=0).nan_to_num(nan=torch.inf).sum(1)
    order = _order(energies, feasible, violation)
    if diversity is None or not bool(feasible[order].any()):
        kept, share = _representatives(ends, order, most)
    else:
        good = order[energies[order] <= energies[order[0]] + diversity.band]
        kept, share = _representatives(ends, good, len(good))
        chosen = select_spread(points[kept], chart.spread, most)
        chosen = chosen[torch.argsort(energies[kept[chosen]], stable=True)]
        kept, share = kept[chosen], share[chosen]
    limit = tolerance * end.value.abs().clamp(min=1)
    converged = (end.stationarity <= limit) & torch.isfinite(end.value)
    if margins.shape[1]:
        converged = converged & end.done
    return Solution(
        points=points[kept],
        energies=energies[kept],
        margins=margins[kept],
        feasible=feasible[kept],
        converged=converged[kept],
        stationarity=end.stationarity[kept],
        share=share,
        end_energies=energies,
        end_feasible=feasible,
        starts=len(points),
        nonfinite_starts=nonfinite_starts,
        evaluations=evaluations,
        reason=reason,
        agreement=agreement,
    )


def _order(
    energies: Float[Tensor, " start"],
    feasible: Bool[Tensor, " start"],
    violation: Float[Tensor, " start"],
) -> Int[Tensor, " kept"]:
    """Return the starts worth keeping, best first."""
    finite = torch.isfinite(energies)
    candidates = feasible & finite
    merit = energies
    if not bool(candidates.any()):
        candidates, merit = finite, violation
    rows = torch.nonzero(candidates)[:, 0]
    return rows[torch.argsort(merit[rows], stable=True)]


def _representatives(
    ends: Ends, order: Int[Tensor, " kept"], most: int
) -> tuple[Int[Tensor, " design"], Float[Tensor, " design"]]:
    """Take the best point, drop all equal to it, and so on; return rows and shares."""
    rows: list[Tensor] = []
    shares: list[float] = []
    left = order
    while len(left) and len(rows) < most:
        same = find_same(ends, left[0], left)
        rows.append(left[0])
        shares.append(float(same.sum()) / len(ends.points))
        left = left[~same]
    return torch.stack(rows), ends.points.new_tensor(shares)
