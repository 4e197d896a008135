"""Solving: starts over the whole domain, Adam to get near, L-BFGS to arrive.

spread starts -> Adam -> L-BFGS, in rounds of multipliers where anything is required
              -> polish what is still violated -> tell the designs apart
"""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.runtime import (
    UNLIMITED,
    Budget,
    Progress,
    SilentProgress,
    Target,
    derive_seed,
    threads_for,
    watch_interrupts,
)
from ebmlang.solve import augmented_lagrangian
from ebmlang.solve.augmented_lagrangian import ROUNDS, SLACK, AugmentedState
from ebmlang.solve.designs import tell_apart
from ebmlang.solve.loop import Minimum, Watch, run_adam, run_lbfgs
from ebmlang.solve.objective import Violation, differentiate
from ebmlang.solve.solution import Solution, StoppingReason
from ebmlang.source import Diagnostic, EbmError
from ebmlang.spaces import Layout, SolvingChart, build_solving_chart, draw_starts

STARTS = 128
"""Starts, where the caller does not say."""

ADAM_STEPS = 200
"""Steps of Adam, where the caller does not say."""

LBFGS_STEPS = 500
"""Evaluations of L-BFGS in the last phase, where the caller does not say."""

ROUND_SHARE = 4
"""A round of multipliers gets this fraction of the steps; the next one goes on from there."""

CANDIDATES = 8
"""Points looked at per start. Half of the starts are the first points, for the sake of spread,
half the best of the rest: an evaluation without gradient is cheap, and finds narrow basins."""

DESIGNS = 10
"""Most designs that are kept, where the caller does not say."""

REDRAWS = 10
"""How often starts where the energy is not finite are drawn again."""

REST_POWER, CONVERGED_POWER = 1 / 2, 1 / 3
"""Powers of eps that make the projected gradient small enough to stop, and to call converged."""


def solve(
    target: Target,
    layout: Layout,
    *,
    seed: int = 0,
    starts: int = STARTS,
    adam_steps: int = ADAM_STEPS,
    lbfgs_steps: int = LBFGS_STEPS,
    designs: int = DESIGNS,
    progress: Progress | None = None,
    budget: Budget = UNLIMITED,
) -> Solution:
    """Minimize an energy over its domain, under its requirements.

    Args:
        target: The energy; its dtype and device are those of the run.
        layout: Where its points live.
        seed: Chooses the starts.
        starts: How many there are.
        adam_steps: Steps of Adam.
        lbfgs_steps: Evaluations of L-BFGS per start after it, without requirements; with them,
            each round of multipliers gets a quarter.
        designs: Most designs to keep.
        progress: Hears how far the run is.
        budget: Limits the time; what is found by then is returned.

    Returns:
        The designs, lowest energy first. Ctrl-C ends the run early with what there is.

    Raises:
        EbmError: E0708 where there is no unknown; E0707 where no start has a finite energy.
    """
    if layout.dim == 0:
        raise EbmError(
            Diagnostic(
                code="E0708",
                headline="there is nothing to find: the model has no unknowns",
                helps=("declare what to find, such as `var x: real in [0, 1]`",),
            )
        )
    listener = SilentProgress() if progress is None else progress
    # The search differentiates, whatever mode the caller is in.
    differentiable = torch.inference_mode(False)
    with differentiable, threads_for(starts * layout.dim), watch_interrupts() as interrupt:
        chart = build_solving_chart(layout, dtype=target.dtype, device=target.device)
        watch = Watch(listener, budget.start(), interrupt)
        y, nonfinite = _draw(target, layout, chart, starts, seed, watch)
        end = _search(target, chart, y, adam_steps, lbfgs_steps, watch)
        rested = StoppingReason.RESTED if bool(end.done.all()) else StoppingReason.STEPS
        return tell_apart(
            target,
            chart,
            end,
            most=designs,
            tolerance=torch.finfo(target.dtype).eps ** CONVERGED_POWER,
            nonfinite_starts=nonfinite,
            evaluations=watch.evaluations,
            reason=watch.reason or rested,
        )


def _draw(
    target: Target, layout: Layout, chart: SolvingChart, count: int, seed: int, watch: Watch
) -> tuple[Float[Tensor, "start dim"], int]:
    """Draw starts; those where the energy or its gradient is not finite are drawn again."""
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
        parts = [y[i : i + count] for i in range(spread, len(y), count)]
        merit = torch.cat([_merit(target, chart, part) for part in parts])
    best = torch.argsort(merit, stable=True)[: count // 2] + spread
    return torch.cat([y[:spread], y[best]])


def _merit(
    target: Target, chart: SolvingChart, y: Float[Tensor, "start dim"]
) -> Float[Tensor, " start"]:
    """Return the energy, with half the squared violation of what is required."""
    x = chart.to_written(y)
    energy = target.energy(x)
    violation = target.requirements(x).clamp(max=0).square().sum(1) / 2
    return (energy + violation).nan_to_num(nan=torch.inf, neginf=torch.inf)


def _search(
    target: Target,
    chart: SolvingChart,
    y: Float[Tensor, "start dim"],
    adam_steps: int,
    lbfgs_steps: int,
    watch: Watch,
) -> Minimum:
    state = augmented_lagrangian.init(target, chart, y)
    required = state.lagrangian.multipliers.shape[1] > 0
    tolerance = torch.finfo(target.dtype).eps ** REST_POWER
    watch.progress.started(adam_steps, "getting near")
    y = run_adam(state.lagrangian, y, steps=adam_steps, watch=watch)
    watch.progress.finished("")
    if not required:
        watch.progress.started(lbfgs_steps, "descending")
        end = run_lbfgs(state.lagrangian, y, steps=lbfgs_steps, tolerance=tolerance, watch=watch)
        watch.progress.finished("")
        return end
    state = augmented_lagrangian.resume(state, y)
    end = _rounds(state, y, max(1, lbfgs_steps // ROUND_SHARE), tolerance, watch)
    return _polish(target, chart, end, lbfgs_steps, watch)


def _rounds(
    state: AugmentedState,
    y: Float[Tensor, "start dim"],
    steps: int,
    tolerance: float,
    watch: Watch,
) -> Minimum:
    """Alternate minimization and multipliers until every start is settled."""
    rows = torch.arange(len(y), device=y.device)
    end = Minimum(
        position=y.clone(),
        value=torch.full_like(y[:, 0], torch.inf),
        stationarity=torch.full_like(y[:, 0], torch.inf),
        done=torch.zeros_like(rows, dtype=torch.bool),
    )
    watch.progress.started(ROUNDS, "meeting requirements")
    for _ in range(ROUNDS):
        if watch.reason is not None or not len(rows):
            break
        found = run_lbfgs(
            state.lagrangian,
            end.position[rows],
            steps=steps,
            tolerance=tolerance,
            watch=watch,
        )
        state, info = augmented_lagrangian.step(state, found.position, found.done)
        end.position[rows] = found.position
        end.value[rows] = found.value
        end.stationarity[rows] = found.stationarity
        end.done[rows] = state.settled
        watch.progress.advance(1, f"violation {float(info.violation.min()):.2g}")
        left = torch.nonzero(~state.settled)[:, 0]
        rows, state = rows[left], augmented_lagrangian.take(state, left)
    watch.progress.finished("")
    return end


def _polish(target: Target, chart: SolvingChart, end: Minimum, steps: int, watch: Watch) -> Minimum:
    """Move starts that still violate something to the nearest points that do not, if they can."""
    with torch.no_grad():
        margins = target.requirements(chart.to_written(end.position))
    rows = torch.nonzero(~(margins >= 0).all(1))[:, 0]
    if not len(rows) or watch.reason is not None:
        return end
    violation = Violation(target=target, chart=chart, aim=SLACK[target.dtype])
    position = end.position.clone()
    # The violation is squared, so its gradient vanishes before it does: no early rest.
    found = run_lbfgs(violation, position[rows], steps=steps, tolerance=0.0, watch=watch)
    position[rows] = found.position
    return replace(end, position=position)
