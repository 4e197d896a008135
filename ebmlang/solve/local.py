"""From starts to rest.

Adam gets near, a descent arrives, in rounds of multipliers where anything is required. There every
second start first meets what is required, whatever its energy, since the way down may lead past
all that is feasible. What is still violated at the end is moved to the nearest points that are not.
"""

from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ebmlang.solve.constraints import augmented_lagrangian
from ebmlang.solve.constraints.rounds import take_turns
from ebmlang.solve.descent.adam import Adam
from ebmlang.solve.descent.lbfgs import Lbfgs
from ebmlang.solve.descent.method import Descent, Minimum
from ebmlang.solve.loop import descend
from ebmlang.solve.native.building import Work, find_machines
from ebmlang.solve.native.machine import Machines
from ebmlang.solve.objective import Lagrangian, Violation, choose
from ebmlang.solve.problem import Problem

ADAM_STEPS = 200
"""Steps of Adam, where the caller does not say."""

STEPS = 500
"""Evaluations of the last descent, where the caller does not say."""

ROUND_SHARE = 4
"""A round of multipliers gets this fraction of the steps; the next one goes on from there."""

REST_POWER = 1 / 2
"""Power of eps that makes the projected gradient small enough to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """How starts are brought to rest.

    Attributes:
        method: The descent that arrives; None is L-BFGS. Any: its state is its own.
        adam_steps: Steps of Adam before it.
        steps: Evaluations of the descent per start, without requirements; with them, each round
            of multipliers gets a quarter.
        repeats: How often a search does so at least: what compiling for it pays off over.
    """

    method: Descent[Any] | None = None
    adam_steps: int = ADAM_STEPS
    steps: int = STEPS
    repeats: int = 1


def bring_down(problem: Problem, y: Float[Tensor, "start dim"], local: Local) -> Minimum:
    """Bring every start to rest, feasible if it can be.

    Args:
        problem: What is searched.
        y: Starts, in the solver's coordinates.
        local: How.
    """
    watch, group, begun = problem.watch, problem.group, y
    machines = find_code(problem, len(y), local)
    state = augmented_lagrangian.init(problem.target, problem.chart, y, group, machines)
    required = state.lagrangian.multipliers.shape[1] > 0
    tolerance = torch.finfo(problem.target.dtype).eps ** REST_POWER
    method = Lbfgs(tolerance=tolerance) if local.method is None else local.method
    if local.adam_steps:
        watch.progress.started(local.adam_steps, "getting near")
        adam = Adam(steps=local.adam_steps)
        near = descend(adam, state.lagrangian, y, steps=local.adam_steps, watch=watch, advance=1)
        watch.progress.finished("")
        y = near.position
    if not required:
        watch.progress.started(local.steps, "descending")
        end = descend(method, state.lagrangian, y, steps=local.steps, watch=watch, advance=1)
        watch.progress.finished("")
        return end
    # Half of the starts about each energy go first to where what is required holds.
    met = torch.arange(len(y), device=y.device) % (group or len(y)) % 2 == 1
    share = max(1, local.steps // ROUND_SHARE)
    y = y.clone()
    y[met] = _meet(problem, state.lagrangian.take(torch.nonzero(met)[:, 0]), begun[met], share)
    state = augmented_lagrangian.resume(state, y, met, group)
    end = take_turns(problem, state, y, method, share)
    return _polish(problem, state.lagrangian, end, local.steps)


def find_code(problem: Problem, starts: int, local: Local) -> Machines | None:
    """Return the machine code that so many starts descend by; None where they do without."""
    if local.method is not None:
        return None
    work = Work(starts=starts, adam_steps=local.adam_steps, repeats=local.repeats)
    if work not in problem.machines:
        problem.machines[work] = find_machines(problem.target, problem.chart, work)
    return problem.machines[work]


def _polish(problem: Problem, lagrangian: Lagrangian, end: Minimum, steps: int) -> Minimum:
    """Move starts that still violate something to the nearest points that do not, if they can."""
    rows = torch.nonzero(~_is_feasible(problem, end.position))[:, 0]
    if not len(rows) or problem.watch.reason is not None:
        return end
    position = end.position.clone()
    position[rows] = _meet(problem, lagrangian.take(rows), position[rows], steps)
    count = problem.group or len(position)
    met = _is_feasible(problem, position).view(-1, count).any(1).repeat_interleave(count)
    lost = torch.nonzero(~met)[:, 0]
    if len(lost):
        # What is shown then is the nearest point in tolerances, which are what a user knows.
        plain = replace(lagrangian, scale=torch.ones_like(lagrangian.scale)).take(lost)
        position[lost] = _meet(problem, plain, position[lost], steps)
    return replace(end, position=position)


def _is_feasible(problem: Problem, y: Float[Tensor, "start dim"]) -> Bool[Tensor, " start"]:
    with torch.no_grad():
        return (problem.target.requirements(problem.chart.to_written(y)) >= 0).all(1)


def _meet(
    problem: Problem, lagrangian: Lagrangian, y: Float[Tensor, "start dim"], steps: int
) -> Float[Tensor, "start dim"]:
    """Return where starts come to when only what is required counts."""
    violation = Violation(
        target=lagrangian.target,
        chart=lagrangian.chart,
        scale=lagrangian.scale,
        aim=lagrangian.slack,
        machine=None if lagrangian.machines is None else lagrangian.machines.violation,
    )
    # The violation is squared, so its gradient vanishes before it does: no early rest.
    found = descend(Lbfgs(tolerance=0.0), violation, y, steps=steps, watch=problem.watch)
    with torch.no_grad():
        energy = lagrangian.target.energy(problem.chart.to_written(found.position))
    # Where the energy is not finite there is no point that could be shown.
    return choose(torch.isfinite(energy), found.position, y)
