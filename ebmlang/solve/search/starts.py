"""Where a search begins: points spread over the domain, half of them the best of many."""

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.runtime import Target, derive_seed
from ebmlang.solve.objective import differentiate
from ebmlang.solve.problem import Problem
from ebmlang.source import Diagnostic, EbmError
from ebmlang.spaces import Layout, SolvingChart, draw_starts

CANDIDATES = 8
"""Points looked at per start. Half of the starts are the first points, for the sake of spread,
half the best of the rest: an evaluation without gradient is cheap, and finds narrow basins."""

AT_ONCE = 1024
"""Fewest points whose merit is measured in one call."""

REDRAWS = 10
"""How often starts where the energy is not finite are drawn again."""


def draw(problem: Problem, count: int, seed: int) -> tuple[Float[Tensor, "start dim"], int]:
    """Draw starts; those where the energy or its gradient is not finite are drawn again.

    Args:
        problem: What is searched.
        count: How many starts.
        seed: Chooses them.

    Returns:
        Starts in the solver's coordinates, and how many had to be drawn again.

    Raises:
        EbmError: E0707 where no start has a finite energy.
    """
    target, layout, chart, watch = problem.target, problem.layout, problem.chart, problem.watch
    y = _screen(target, layout, chart, count, seed)
    finite = torch.isfinite(differentiate(chart, y, target.energy).value)
    watch.evaluations += count
    nonfinite = count - int(finite.sum())
    for attempt in range(REDRAWS):
        if bool(finite.all()):
            break
        again = _screen(target, layout, chart, count, derive_seed(seed, f"redraw {attempt}"))
        y = torch.where(finite[:, None], y, again)
        finite = torch.isfinite(differentiate(chart, y, target.energy).value)
        watch.evaluations += count
    if not bool(finite.any()):
        raise EbmError(
            Diagnostic(
                code="E0707",
                headline="the energy is not finite at any starting point",
                notes=(f"{CANDIDATES * count * (REDRAWS + 1)} points of the domain were tried",),
                helps=("give the unknowns bounds inside of which every term is finite",),
            )
        )
    return y, nonfinite


def _screen(
    target: Target, layout: Layout, chart: SolvingChart, count: int, seed: int
) -> Float[Tensor, "start dim"]:
    """Return the first points of a spread sequence, then the best of the others."""
    x = draw_starts(layout, CANDIDATES * count, seed=seed, dtype=target.dtype, device=target.device)
    y = chart.from_written(x)
    spread = count - count // 2
    with torch.no_grad():
        parts = torch.split(y[spread:], max(count, AT_ONCE))
        merit = torch.cat([measure_merit(target, chart, part) for part in parts])
    best = torch.argsort(merit, stable=True)[: count // 2] + spread
    return torch.cat([y[:spread], y[best]])


def measure_merit(
    target: Target, chart: SolvingChart, y: Float[Tensor, "start dim"]
) -> Float[Tensor, " start"]:
    """Return what starts are ranked by: the energy, with half the squared violation."""
    x = chart.to_written(y)
    energy = target.energy(x)
    violation = target.requirements(x).clamp(max=0).square().sum(1) / 2
    return (energy + violation).nan_to_num(nan=torch.inf, neginf=torch.inf)
