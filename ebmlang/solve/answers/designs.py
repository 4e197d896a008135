"""From where the starts ended to a set of designs, told apart and ordered."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ebmlang.runtime import Target
from ebmlang.solve.descent.method import Minimum
from ebmlang.solve.solution import Solution, StoppingReason
from ebmlang.spaces import SolvingChart

SAME = 1e-3
"""Points closer than this in every coordinate are one design, in half widths of a bounded
coordinate, else relative to the coordinate where it is above 1."""


def tell_apart(
    target: Target,
    chart: SolvingChart,
    end: Minimum,
    *,
    most: int,
    tolerance: float,
    nonfinite_starts: int,
    evaluations: int,
    reason: StoppingReason,
) -> Solution:
    """Judge every end point and keep the best of each group of equal ones.

    Args:
        target: The model.
        chart: The solver's coordinates.
        end: Where the starts have come to.
        most: How many designs to keep at most.
        tolerance: Projected gradient below which a start has converged, relative to the value.
        nonfinite_starts: Passed on.
        evaluations: Passed on.
        reason: Passed on.
    """
    with torch.no_grad():
        points = chart.to_written(end.position)
        energies, margins = target.energy(points), target.requirements(points)
    # Written so that a margin that is not a number counts as violated.
    feasible = (margins >= 0).all(1)
    violation = (-margins).clamp(min=0).nan_to_num(nan=torch.inf).sum(1)
    order = _order(energies, feasible, violation)
    kept, share = _representatives(points, order, chart.spread, most)
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
    points: Float[Tensor, "start dim"],
    order: Int[Tensor, " kept"],
    spread: Float[Tensor, " dim"],
    most: int,
) -> tuple[Int[Tensor, " design"], Float[Tensor, " design"]]:
    """Take the best point, drop all equal to it, and so on; return rows and shares."""
    rows: list[Tensor] = []
    shares: list[float] = []
    left = order
    while len(left) and len(rows) < most:
        best = points[left[0]]
        scale = torch.maximum(spread, torch.where(spread == 1, best.abs(), 0))
        same = ((points[left] - best).abs() <= SAME * scale).all(1)
        rows.append(left[0])
        shares.append(float(same.sum()) / len(points))
        left = left[~same]
    return torch.stack(rows), points.new_tensor(shares)
