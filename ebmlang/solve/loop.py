"""The one loop of all solvers: steps until all is done, the budget spent, or the user stops it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ebmlang.runtime import Deadline, Interrupt, Progress
from ebmlang.solve import adam, lbfgs
from ebmlang.solve.adam import AdamState
from ebmlang.solve.lbfgs import LbfgsState
from ebmlang.solve.objective import Objective
from ebmlang.solve.solution import StoppingReason

CHECK_EVERY = 10
"""Steps between looks at which starts are done: each look waits for the device."""

State = TypeVar("State")


class Watch:
    """What a run has spent, and whether it must end."""

    def __init__(self, progress: Progress, deadline: Deadline, interrupt: Interrupt) -> None:
        self.progress = progress
        self.evaluations = 0
        self._deadline = deadline
        self._interrupt = interrupt

    @property
    def reason(self) -> StoppingReason | None:
        """Why the run must end now; None to go on."""
        if self._interrupt.requested:
            return StoppingReason.INTERRUPTED
        return StoppingReason.TIME if self._deadline.is_over() else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Minimum:
    """Where the starts have come to.

    Attributes:
        stationarity: Largest entry of the projected gradient, per start.
        done: Starts that have converged or stalled; the others would go on.
    """

    position: Float[Tensor, "start dim"]
    value: Float[Tensor, " start"]
    stationarity: Float[Tensor, " start"]
    done: Bool[Tensor, " start"]


def iterate(
    step: Callable[[State], State], state: State, *, limit: int, rows: int, watch: Watch
) -> State:
    """Take steps, each of which evaluates so many rows, up to a limit."""
    for _ in range(limit):
        if watch.reason is not None:
            break
        state = step(state)
        watch.evaluations += rows
    return state


def run_adam(
    objective: Objective, y: Float[Tensor, "start dim"], *, steps: int, watch: Watch
) -> Float[Tensor, "start dim"]:
    """Return the best point of each start after so many steps of Adam."""

    def step(state: AdamState) -> AdamState:
        return adam.step(objective, state, steps)[0]

    state = adam.init(objective, y)
    watch.evaluations += len(y)
    for count in _pieces(steps):
        state = iterate(step, state, limit=count, rows=len(y), watch=watch)
        watch.progress.advance(count, f"energy {float(state.best_value.min()):.6g}")
    return state.best_position


def run_lbfgs(
    objective: Objective,
    y: Float[Tensor, "start dim"],
    *,
    steps: int,
    tolerance: float,
    watch: Watch,
) -> Minimum:
    """Minimize from each start; starts that are done leave the batch."""
    state = lbfgs.init(objective, y, tolerance)
    watch.evaluations += len(y)
    rows = torch.arange(len(y), device=y.device)
    result = Minimum(
        position=y.clone(),
        value=state.value.clone(),
        stationarity=state.stationarity.clone(),
        done=state.done.clone(),
    )
    here = objective
    for count in _pieces(steps):
        if watch.reason is not None or bool(result.done.all()):
            break
        state = iterate(
            _lbfgs_step(here, tolerance), state, limit=count, rows=len(rows), watch=watch
        )
        _write(result, rows, state)
        left = torch.nonzero(~state.done)[:, 0]
        if 0 < 2 * len(left) <= len(rows):
            rows, here, state = rows[left], here.take(left), lbfgs.take(state, left)
    return result


def _lbfgs_step(objective: Objective, tolerance: float) -> Callable[[LbfgsState], LbfgsState]:
    def step(state: LbfgsState) -> LbfgsState:
        return lbfgs.step(objective, state, tolerance)[0]

    return step


def _write(result: Minimum, rows: Tensor, state: LbfgsState) -> None:
    # The result's tensors belong to this loop alone until it returns them.
    result.position[rows] = state.position
    result.value[rows] = state.value
    result.stationarity[rows] = state.stationarity
    result.done[rows] = state.done


def _pieces(steps: int) -> list[int]:
    full, rest = divmod(steps, CHECK_EVERY)
    return [CHECK_EVERY] * full + ([rest] if rest else [])
