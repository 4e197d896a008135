"""The designs of a convex problem: one set of minima, proved from below where that succeeds."""

from dataclasses import replace

import torch

from ebmlang.runtime import Deadline, Target
from ebmlang.solve.answers.agreement import AGREEING_POWER
from ebmlang.solve.answers.lower_bound import certify
from ebmlang.solve.solution import Solution
from ebmlang.spaces import Layout, build_solving_chart


def improve(
    target: Target, layout: Layout, solution: Solution, deadline: Deadline
) -> tuple[Solution, float | None]:
    """Prove the first design of a convex problem, or find a better one on the way.

    Args:
        target: An energy known to be convex, under margins known to be concave.
        layout: Where its points live.
        solution: What was found; the first design is feasible.
        deadline: Ends the proof early.

    Returns:
        The designs, and by how much a point could be lower at most [nats]; None where that is
        not proved to be little. Once it is proved, designs that are higher are no minima, and are
        left out.
    """
    chart = build_solving_chart(layout, dtype=target.dtype, device=target.device)
    proof = certify(target, chart, solution.points, deadline)
    if proof is None:
        return solution, None
    if proof.energy < float(solution.energies[0]):
        solution = _put_first(target, solution, proof.point)
    if not proof.enough:
        return solution, None
    best = solution.energies[0]
    limit = best + torch.finfo(target.dtype).eps ** AGREEING_POWER * best.abs().clamp(min=1)
    kept = solution.energies <= limit
    # A minimum at a kink has no small gradient; the proof says that it is one all the same.
    return replace(solution.take(kept), converged=torch.ones_like(kept[kept])), proof.gap


def _put_first(target: Target, solution: Solution, point: torch.Tensor) -> Solution:
    """Return the solution with a better point in the place of its first one."""
    with torch.no_grad():
        energy, margins = target.energy(point[None]), target.requirements(point[None])
    return replace(
        solution,
        points=torch.cat([point[None], solution.points[1:]]),
        energies=torch.cat([energy, solution.energies[1:]]),
        margins=torch.cat([margins, solution.margins[1:]]),
    )
