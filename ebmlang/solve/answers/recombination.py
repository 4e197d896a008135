"""Designs of independent blocks, put together to designs of the whole."""

import heapq
from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Tensor

from ebmlang.runtime import Target
from ebmlang.solve.solution import Solution, StoppingReason

ENDED_BEFORE = (StoppingReason.INTERRUPTED, StoppingReason.TIME, StoppingReason.STEPS)
"""Why a search of several parts ended: the first of these that holds for any part."""


def recombine(
    target: Target,
    parts: Sequence[tuple[Solution, Int[Tensor, " _"]]],
    *,
    most: int,
) -> Solution:
    """Return the best designs of the whole, by the whole's own energy.

    E is a sum over the blocks, so the best designs are the sums of small energies, one of each
    block, and what is feasible is feasible in each.

    Args:
        target: The whole.
        parts: For each block what was found, and where its numbers lie in a packed point.
        most: How many designs to keep at most.

    Returns:
        The designs. The share of one is the product of the shares of what it is made of: of
        starts of the whole that descend in all blocks at once, so many would end there.
    """
    solutions = [solution for solution, _ in parts]
    chosen = _best_sums([solution.energies.tolist() for solution in solutions], most)
    shape = (len(chosen), target.dim)
    points = torch.zeros(shape, dtype=target.dtype, device=target.device)
    for place, (solution, columns) in enumerate(parts):
        rows = torch.tensor([choice[place] for choice in chosen], device=points.device)
        points[:, columns] = solution.points[rows]
    with torch.no_grad():
        energies, margins = target.energy(points), target.requirements(points)

    def gather(values: Sequence[Tensor]) -> Tensor:
        columns = [
            value[[choice[place] for choice in chosen]] for place, value in enumerate(values)
        ]
        return torch.stack(columns, 1)

    weakest = min(solutions, key=lambda s: s.agreement.reached / max(s.agreement.starts, 1))
    reasons = {solution.reason for solution in solutions}
    return Solution(
        points=points,
        energies=energies,
        margins=margins,
        feasible=(margins >= 0).all(1),
        converged=gather([solution.converged for solution in solutions]).all(1),
        stationarity=gather([solution.stationarity for solution in solutions]).amax(1),
        share=gather([solution.share for solution in solutions]).prod(1),
        starts=max(solution.starts for solution in solutions),
        nonfinite_starts=sum(solution.nonfinite_starts for solution in solutions),
        evaluations=sum(solution.evaluations for solution in solutions),
        reason=next((r for r in ENDED_BEFORE if r in reasons), StoppingReason.RESTED),
        agreement=weakest.agreement,
        end_energies=energies[:0],
        end_feasible=(margins[:0] >= 0).all(1),
    )


def _best_sums(energies: Sequence[Sequence[float]], most: int) -> list[tuple[int, ...]]:
    """Return the choices of one number from each list that have the least sums, least first.

    >>> _best_sums([[0.0, 1.0], [0.0, 0.5, 3.0]], 4)
    [(0, 0), (0, 1), (1, 0), (1, 1)]
    """
    first = (0,) * len(energies)
    waiting = [(sum(values[0] for values in energies), first)]
    seen = {first}
    found: list[tuple[int, ...]] = []
    while waiting and len(found) < most:
        _, choice = heapq.heappop(waiting)
        found.append(choice)
        for place, values in enumerate(energies):
            following = (*choice[:place], choice[place] + 1, *choice[place + 1 :])
            if following[place] < len(values) and following not in seen:
                seen.add(following)
                total = sum(v[i] for v, i in zip(energies, following, strict=True))
                heapq.heappush(waiting, (total, following))
    return found
