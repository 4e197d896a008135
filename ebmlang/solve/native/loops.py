"""Many steps of a descent in one call, for objectives that are machine code.

The states are those of the descents themselves, so that starts can be taken out, chosen and begun
anew between calls as they are in the other tier.
"""

import ctypes
from dataclasses import replace
from typing import TypeVar

import torch
from torch import Tensor

from ebmlang.solve.descent.adam import Adam, AdamState, schedule
from ebmlang.solve.descent.lbfgs import Lbfgs, LbfgsState
from ebmlang.solve.descent.method import Descent
from ebmlang.solve.native.machine import point_to
from ebmlang.solve.objective import Evaluation, MachineObjective, Objective

State = TypeVar("State")


def leap(method: Descent[State], objective: Objective, state: State, count: int) -> State | None:
    """Return the state after some steps, or None where they have to be taken one by one."""
    if not isinstance(objective, MachineObjective) or objective.machine is None:
        return None
    match method:
        case Lbfgs():
            return _leap_lbfgs(method, objective, state, count)
        case Adam():
            return _leap_adam(method, objective, state, count)
        case _:
            return None


def _leap_lbfgs(
    method: Lbfgs, objective: MachineObjective, state: LbfgsState, count: int
) -> LbfgsState:
    assert objective.machine is not None
    before = _list_lbfgs(state)
    left = torch.nonzero(~state.done)[:, 0]
    after = _copy(before, whole=len(left) == len(state.value))
    objective.machine.run(
        "lbfgs",
        objective.chart,
        objective.columns(),
        left,
        count,
        [point_to(*before), point_to(*after), ctypes.c_double(method.tolerance)],
    )
    (position, value, gradient, moves, changes, known) = after[:6]
    (direction, modelled, size, trials, stationarity, converged, stalled) = after[6:]
    return LbfgsState(
        position=position,
        value=value,
        gradient=gradient,
        history=replace(state.history, moves=moves, changes=changes, known=known),
        direction=direction,
        modelled=modelled,
        size=size,
        trials=trials,
        stationarity=stationarity,
        converged=converged,
        stalled=stalled,
    )


def _list_lbfgs(state: LbfgsState) -> list[Tensor]:
    """Return the arrays in the order of `lbfgs_state` in `lbfgs.c`."""
    history = state.history
    listed = (
        *(state.position, state.value, state.gradient),
        *(history.moves, history.changes, history.known),
        *(state.direction, state.modelled, state.size, state.trials),
        *(state.stationarity, state.converged, state.stalled),
    )
    return [tensor.contiguous() for tensor in listed]


def _leap_adam(
    method: Adam, objective: MachineObjective, state: AdamState, count: int
) -> AdamState:
    assert objective.machine is not None
    before = _list_adam(state)
    after = _copy(before, whole=True)
    sizes = [schedule(state.count + step, method.steps) for step in range(count)]
    objective.machine.run(
        "adam",
        objective.chart,
        objective.columns(),
        torch.arange(len(state.caution)),
        count,
        [
            *(point_to(*before), point_to(*after)),
            *(ctypes.c_int64(state.count), (ctypes.c_double * count)(*sizes)),
        ],
    )
    position, value, gradient, first, second, caution, best_position, best_value = after
    return AdamState(
        count=state.count + count,
        position=position,
        evaluation=Evaluation(value=value, gradient=gradient),
        first=first,
        second=second,
        caution=caution,
        best_position=best_position,
        best_value=best_value,
    )


def _list_adam(state: AdamState) -> list[Tensor]:
    """Return the arrays in the order of `adam_state` in `adam.c`."""
    found = state.evaluation
    listed = (
        *(state.position, found.value, found.gradient, state.first, state.second),
        *(state.caution, state.best_position, state.best_value),
    )
    return [tensor.contiguous() for tensor in listed]


def _copy(tensors: list[Tensor], *, whole: bool) -> list[Tensor]:
    """Return where a call writes; where not all starts take part, the others stay as they are."""
    return [torch.empty_like(tensor) if whole else tensor.clone() for tensor in tensors]
