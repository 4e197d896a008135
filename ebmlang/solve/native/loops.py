"""Many steps of a descent in one call, for objectives that are machine code.

The states are those of the descents themselves, so that starts can be taken out, chosen and begun
anew between calls as they are in the other tier.
"""

import ctypes
from dataclasses import replace
from typing import TypeVar

import torch
from torch import Tensor

from ebmlang.runtime import list_tensors, with_tensors
from ebmlang.solve.descent.adam import Adam, AdamState, schedule
from ebmlang.solve.descent.lbfgs import Lbfgs, LbfgsState
from ebmlang.solve.descent.method import Descent
from ebmlang.solve.native.machine import point_to
from ebmlang.solve.objective import Lagrangian, Objective, Violation, find_machine

State = TypeVar("State")


def leap(
    method: Descent[State], objective: Objective, state: State, count: int
) -> tuple[State, int] | None:
    """Return the state after some steps, and how many evaluations of a start they took.

    None where they have to be taken one by one.
    """
    if find_machine(objective) is None:
        return None
    assert isinstance(objective, Lagrangian | Violation)
    match method:
        case Lbfgs():
            return _leap_lbfgs(method, objective, state, count)
        case Adam():
            return _leap_adam(method, objective, state, count)
        case _:
            return None


def _leap_lbfgs(
    method: Lbfgs, objective: Lagrangian | Violation, state: LbfgsState, count: int
) -> tuple[LbfgsState, int]:
    assert objective.machine is not None
    before = _list(state)
    left = torch.nonzero(~state.done)[:, 0]
    after = _copy(before, whole=len(left) == len(state.value))
    taken = objective.machine.run(
        "lbfgs",
        objective.columns(),
        left,
        count,
        [point_to(*before), point_to(*after), ctypes.c_double(method.tolerance)],
    )
    return with_tensors(state, after), taken


def _leap_adam(
    method: Adam, objective: Lagrangian | Violation, state: AdamState, count: int
) -> tuple[AdamState, int]:
    assert objective.machine is not None
    before = _list(state)
    after = _copy(before, whole=True)
    sizes = [schedule(state.count + step, method.steps) for step in range(count)]
    taken = objective.machine.run(
        "adam",
        objective.columns(),
        torch.arange(len(state.caution)),
        count,
        [
            *(point_to(*before), point_to(*after)),
            *(ctypes.c_int64(state.count), (ctypes.c_double * count)(*sizes)),
        ],
    )
    return replace(with_tensors(state, after), count=state.count + count), taken


def _list(state: object) -> list[Tensor]:
    """Return the arrays of a state as C reads them: its records have them in the same order."""
    return [tensor.contiguous() for tensor in list_tensors(state)]


def _copy(tensors: list[Tensor], *, whole: bool) -> list[Tensor]:
    """Return where a call writes; where not all starts take part, the others stay as they are."""
    return [torch.empty_like(tensor) if whole else tensor.clone() for tensor in tensors]
