"""The one loop of all local methods: steps until all is done, or the run must end."""

from typing import TypeVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ebmlang.runtime import Deadline, Interrupt, Progress
from ebmlang.solve.descent.method import Descent, Minimum
from ebmlang.solve.native.loops import leap
from ebmlang.solve.objective import Objective, find_machine
from ebmlang.solve.solution import StoppingReason
from ebmlang.solve.states import take_each

CHECK_EVERY = 10
"""Steps between looks at which starts are done: each look waits for the device."""

WORTH_A_LOOK = 20_000
"""Coordinates that machine code moves in about the time that a look takes. It stops by itself where
all is done, so that few starts need no more looks than these."""

LEAP = 4_000_000
"""Coordinates that machine code moves in one call: some tenths of a second, between which a run can
be interrupted."""

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


def descend(
    method: Descent[State],
    objective: Objective,
    y: Float[Tensor, "start dim"],
    *,
    steps: int,
    watch: Watch,
    advance: int = 0,
) -> Minimum:
    """Let each start descend; those that are done leave the batch.

    Args:
        method: How.
        objective: What is minimized.
        y: Where the starts are, in the objective's coordinates.
        steps: Most steps, each of which evaluates every start that is left once.
        watch: Counts evaluations, and may end it early.
        advance: By how much the progress advances with each step.
    """
    state = method.init(objective, y)
    watch.evaluations += len(y)
    rows = torch.arange(len(y), device=y.device)
    result = method.read(state)
    here, left_over = objective, steps
    while left_over and watch.reason is None and not bool(result.done.all()):
        count = min(left_over, _pace(here, len(rows)))
        left_over -= count
        state = take_steps(method, here, state, count, starts=len(rows), watch=watch)
        found = method.read(state)
        result = found if len(rows) == len(y) else _put(result, rows, found)
        if advance:
            watch.progress.advance(advance * count, f"energy {float(result.value.min()):.6g}")
        left = torch.nonzero(~found.done)[:, 0]
        if 0 < 2 * len(left) <= len(rows):
            rows, here, state = rows[left], here.take(left), take_each(state, left)
    return result


def _put(whole: Minimum, rows: Int[Tensor, " kept"], part: Minimum) -> Minimum:
    """Return where all starts are, of which some have gone on."""
    return Minimum(
        position=whole.position.index_copy(0, rows, part.position),
        value=whole.value.index_copy(0, rows, part.value),
        stationarity=whole.stationarity.index_copy(0, rows, part.stationarity),
        done=whole.done.index_copy(0, rows, part.done),
    )


def take_steps(
    method: Descent[State],
    objective: Objective,
    state: State,
    count: int,
    *,
    starts: int,
    watch: Watch,
) -> State:
    """Take some steps: in one call where the objective is machine code, else one by one.

    Args:
        method: How.
        objective: What is minimized.
        state: Where the starts are.
        count: How many steps, unless the run must end before.
        starts: How many there are.
        watch: Counts evaluations, and may end it early.
    """
    pace = max(1, LEAP // max(1, starts * objective.chart.lower.shape[0]))
    left = count
    while left and watch.reason is None:
        taken = min(left, pace)
        leapt = leap(method, objective, state, taken)
        if leapt is None:
            taken = 1
            state, _info = method.step(objective, state)
            watch.evaluations += starts
        else:
            state, evaluations = leapt
            watch.evaluations += evaluations
        left -= taken
    return state


def _pace(objective: Objective, starts: int) -> int:
    """Return the steps until the next look."""
    if find_machine(objective) is None:
        return CHECK_EVERY
    return max(CHECK_EVERY, WORTH_A_LOOK // (starts * objective.chart.lower.shape[0]))
