"""Minimization and multipliers in turns, each start in its own time.

A start whose minimization has come to rest gets its next multipliers while others are still on
their way: what a batch costs is what its slowest start takes, not the sum of the slowest turns.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.solve.constraints import augmented_lagrangian
from ebmlang.solve.constraints.augmented_lagrangian import ROUNDS, AugmentedState
from ebmlang.solve.descent.method import Descent, Minimum
from ebmlang.solve.loop import CHECK_EVERY, take_steps
from ebmlang.solve.objective import choose
from ebmlang.solve.problem import Problem
from ebmlang.solve.states import choose_each, take_each

WAITING = 4
"""One in so many starts that are at rest is enough to begin their next turn: a turn costs an
evaluation of all, or some steps of Newton's method."""


# Any: the state of a descent is its own.
def take_turns(
    problem: Problem,
    state: AugmentedState,
    y: Float[Tensor, "start dim"],
    method: Descent[Any],
    steps: int,
) -> Minimum:
    """Alternate minimization and multipliers until every start is settled.

    Args:
        problem: What is searched.
        state: The first Lagrangian.
        y: Where the starts are.
        method: What minimizes a Lagrangian.
        steps: Most evaluations of a turn.
    """
    watch = problem.watch
    rows = torch.arange(len(y), device=y.device)
    end = Minimum(
        position=y.clone(),
        value=torch.full_like(y[:, 0], torch.inf),
        stationarity=torch.full_like(y[:, 0], torch.inf),
        done=torch.zeros_like(rows, dtype=torch.bool),
    )
    inner = method.init(state.lagrangian, y)
    watch.evaluations += len(y)
    begun, age, turns = y, torch.zeros_like(rows), torch.zeros_like(rows)
    said = ""
    watch.progress.started(ROUNDS * steps, "meeting requirements")
    while len(rows) and watch.reason is None:
        inner = take_steps(
            method, state.lagrangian, inner, CHECK_EVERY, starts=len(rows), watch=watch
        )
        found = method.read(inner)
        end.position[rows] = found.position
        age = age + CHECK_EVERY
        watch.progress.advance(CHECK_EVERY, said)
        late = age >= steps
        over = found.done | late
        # How long a start goes on depends on no other, so one that is late is never kept waiting.
        if not bool(late.any()) and WAITING * int(over.sum()) < len(rows):
            continue
        escaped = augmented_lagrangian.find_escaped(state, begun, found.position) & over
        # One that has escaped tries again from where it was, under the next penalty.
        position = choose(escaped, begun, found.position)
        ended = (found.done & over) | escaped
        state, info = augmented_lagrangian.step(state, position, ended)
        state, position, stationarity = augmented_lagrangian.finish(state, position)
        end.position[rows] = position
        end.value[rows] = found.value
        # Those that no penalty helps are done too, and nowhere near a minimum.
        rest = torch.minimum(found.stationarity, stationarity)
        end.stationarity[rows] = torch.where(state.hopeless, torch.inf, rest)
        end.done[rows] = state.settled | state.hopeless
        said = f"violation {float(info.violation.min()):.2g}"
        begun, age, turns = choose(over, position, begun), torch.where(over, 0, age), turns + over
        # One that is only late goes on with what it has learned.
        inner = choose_each(ended, method.init(state.lagrangian, position), inner)
        watch.evaluations += len(rows)
        left = torch.nonzero(~(state.settled | state.hopeless) & (turns < ROUNDS))[:, 0]
        if len(left) < len(rows):
            rows, begun, age, turns = rows[left], begun[left], age[left], turns[left]
            state, inner = take_each(state, left), take_each(inner, left)
    watch.progress.finished("")
    return end
