"""Where a search begins: points spread over the domain, half of them the best of many."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ebmlang.runtime import Target, derive_seed
from ebmlang.solve.local import Local, find_code
from ebmlang.solve.native.machine import Machine
from ebmlang.solve.objective import choose, differentiate
from ebmlang.solve.problem import Problem
from ebmlang.source import Diagnostic, EbmError
from ebmlang.spaces import SolvingChart, draw_starts

CANDIDATES = 8
"""Points looked at per start. Half of the starts are the first points, for the sake of spread,
half the best of the rest: one evaluation is cheap, and finds narrow basins."""

AT_ONCE = 1024
"""Fewest points whose merit is measured in one call."""

REDRAWS = 10
"""How often starts where the energy is not finite are drawn again."""


def draw(
    problem: Problem, count: int, seed: int, local: Local
) -> tuple[Float[Tensor, "start dim"], int]:
    """Draw starts; those where the energy or its gradient is not finite are drawn again.

    Args:
        problem: What is searched.
        count: How many starts.
        seed: Chooses them.
        local: How they will be brought to rest.

    Returns:
        Starts in the solver's coordinates, and how many had to be drawn again.

    Raises:
        EbmError: E0707 where no start has a finite energy.
    """
    watch, machines = problem.watch, find_code(problem, count, local)
    energy = None if machines is None else machines.energy
    y, finite = _screen(problem, energy, count, seed)
    watch.evaluations += count
    nonfinite = count - int(finite.sum())
    if not nonfinite:
        return y, 0
    for attempt in range(REDRAWS):
        if bool(finite.all()):
            break
        again, found = _screen(problem, energy, count, derive_seed(seed, f"redraw {attempt}"))
        y = choose(finite, y, again)
        finite = finite | found
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
    problem: Problem, energy: Machine | None, count: int, seed: int
) -> tuple[Float[Tensor, "start dim"], Bool[Tensor, " start"]]:
    """Return the first points of a spread sequence, then the best of the others.

    Args:
        problem: What is searched.
        energy: Its energy as machine code, which is quick enough to take all gradients too.
        count: How many points.
        seed: Chooses them.

    Returns:
        The points, and at which of them energy and gradient are finite.
    """
    target, chart = problem.target, problem.chart
    many, dtype, device = CANDIDATES * count, target.dtype, target.device
    x = draw_starts(problem.layout, many, seed=seed, dtype=dtype, device=device)
    y = chart.from_written(x)
    spread = count - count // 2
    if energy is not None:
        value, _ = energy.evaluate({}, y)
        kept = _pick(value[spread:], count)
        return y[kept], torch.isfinite(value[kept])
    with torch.no_grad():
        parts = torch.split(y[spread:], max(count, AT_ONCE))
        merit = torch.cat([measure_merit(target, chart, part) for part in parts])
    y = y[_pick(merit, count)]
    return y, torch.isfinite(differentiate(chart, y, target.energy).value)


def _pick(merit: Float[Tensor, " other"], count: int) -> Int[Tensor, " start"]:
    """Return the places of the first points, then of the best of the others."""
    spread = count - count // 2
    best = torch.argsort(merit, stable=True)[: count // 2] + spread
    return torch.cat([torch.arange(spread, device=best.device), best])


def measure_merit(
    target: Target, chart: SolvingChart, y: Float[Tensor, "start dim"]
) -> Float[Tensor, " start"]:
    """Return what starts are ranked by: the energy, with half the squared violation."""
    x = chart.to_written(y)
    energy = target.energy(x)
    violation = target.requirements(x).clamp(max=0).square().sum(1) / 2
    return (energy + violation).nan_to_num(nan=torch.inf, neginf=torch.inf)
