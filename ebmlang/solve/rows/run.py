"""Solving many rows as one batch: each row's starts, brought to rest together, and its best end."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ebmlang.runtime import RowTarget
from ebmlang.solve.descent.method import Minimum
from ebmlang.solve.local import Local, bring_down
from ebmlang.solve.loop import Watch
from ebmlang.solve.problem import Problem
from ebmlang.solve.rows.starts import draw_for_rows, repeat_rows
from ebmlang.solve.run import CONVERGED_POWER
from ebmlang.spaces import Layout, build_solving_chart


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowSolution:
    """The best end of each row.

    Attributes:
        points: Packed points; those of a row whose energy is finite nowhere mean nothing.
        energies: The energy of each [nats]; `nan` where it is finite nowhere.
        feasible: Whether every margin is >= 0, exactly.
        converged: Whether the projected gradient of the Lagrangian vanishes to working accuracy.
        finite: Whether the energy is finite at any start.
    """

    points: Float[Tensor, "row dim"]
    energies: Float[Tensor, " row"]
    feasible: Bool[Tensor, " row"]
    converged: Bool[Tensor, " row"]
    finite: Bool[Tensor, " row"]


def solve_rows(
    target: RowTarget,
    layout: Layout,
    *,
    rows: int,
    starts: int,
    seed: int,
    local: Local,
    watch: Watch,
) -> RowSolution:
    """Minimize the energy of every row, under its requirements.

    No row knows of another: its starts, its penalties and its steps are those that it would have
    alone. A row at which the energy is finite nowhere takes no part.

    Args:
        target: The energy, with one point per row.
        layout: Where points live, whatever the row.
        rows: How many rows there are.
        starts: Of each row.
        seed: Chooses the starts.
        local: How they are brought to rest.
        watch: Counts evaluations, and may end it early.
    """
    chart = build_solving_chart(layout, dtype=target.dtype, device=target.device)
    y, finite = draw_for_rows(target, layout, chart, rows=rows, count=starts, seed=seed)
    sound = torch.nonzero(finite)[:, 0]
    best = RowSolution(
        points=chart.to_written(y[:, 0]),
        energies=y.new_full((rows,), torch.nan),
        feasible=torch.zeros_like(finite),
        converged=torch.zeros_like(finite),
        finite=finite,
    )
    if not len(sound):
        return best
    problem = Problem(
        target=repeat_rows(target.take(sound), len(sound), starts),
        layout=layout,
        chart=chart,
        seed=seed,
        watch=watch,
        group=starts,
    )
    end = bring_down(problem, y[sound].flatten(0, 1), local)
    found = _best_ends(problem, end, starts)
    for whole, part in (
        (best.points, found.points),
        (best.energies, found.energies),
        (best.feasible, found.feasible),
        (best.converged, found.converged),
    ):
        whole[sound] = part
    return best


def _best_ends(problem: Problem, end: Minimum, starts: int) -> RowSolution:
    """Return each row's feasible end of least energy, or its end of least violation."""
    target = problem.target
    with torch.no_grad():
        points = problem.chart.to_written(end.position)
        energies, margins = target.energy(points), target.requirements(points)
    finite = torch.isfinite(energies)
    # Written so that a margin that is not a number counts as violated.
    feasible = (margins >= 0).all(1) & finite
    violation = (-margins).clamp(min=0).nan_to_num(nan=torch.inf).sum(1)
    tolerance = torch.finfo(target.dtype).eps ** CONVERGED_POWER
    converged = end.stationarity <= tolerance * end.value.abs().clamp(min=1)
    converged = converged & torch.isfinite(end.value)
    if margins.shape[1]:
        converged = converged & end.done

    by_energy = torch.where(feasible, energies, torch.inf).view(-1, starts)
    by_violation = torch.where(finite, violation, torch.inf).view(-1, starts)
    any_feasible = feasible.view(-1, starts).any(1)
    chosen = torch.where(any_feasible, by_energy.argmin(1), by_violation.argmin(1))
    at = chosen + torch.arange(len(chosen), device=chosen.device) * starts
    return RowSolution(
        points=points[at],
        energies=energies[at],
        feasible=feasible[at],
        converged=converged[at],
        finite=finite[at],
    )
