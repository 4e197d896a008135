"""States of a batch of starts: dataclasses of tensors, each with the start as its first axis.

A state may hold other such dataclasses, and an objective; whatever else it holds is the same for
all starts.
"""

from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass, replace
from typing import TypeVar

from jaxtyping import Bool, Int
from torch import Tensor

from ebmlang.solve.objective import Lagrangian, choose

State = TypeVar("State")


def take_each(state: State, index: Int[Tensor, " kept"]) -> State:
    """Return the state of some of the starts."""

    def take(value: object) -> object:
        if isinstance(value, Tensor):
            return value[index]
        if isinstance(value, Lagrangian):
            return value.take(index)
        return take_each(value, index) if is_dataclass(value) else value

    return _map(take, state)


def choose_each(condition: Bool[Tensor, " start"], yes: State, no: State) -> State:
    """Return a state of the starts, with those of `yes` where the condition holds.

    What is no state of single starts is kept as it is in `no`.
    """

    def pick(mine: object, other: object) -> object:
        if isinstance(mine, Tensor) and isinstance(other, Tensor):
            return choose(condition, mine, other)
        return choose_each(condition, mine, other) if is_dataclass(other) else other

    return _map(pick, yes, no)


def list_tensors(state: object) -> list[Tensor]:
    """Return the tensors of a state, in the order of its fields."""
    found: list[Tensor] = []

    def collect(value: object) -> object:
        if isinstance(value, Tensor):
            found.append(value)
        elif is_dataclass(value):
            _map(collect, value)
        return value

    _map(collect, state)
    return found


def with_tensors(state: State, tensors: Iterable[Tensor]) -> State:
    """Return the state with other tensors, in the order of `list_tensors`."""
    given = iter(tensors)

    def put(value: object) -> object:
        if isinstance(value, Tensor):
            return next(given)
        return _map(put, value) if is_dataclass(value) else value

    return _map(put, state)


def _map(function: Callable[..., object], *states: State) -> State:
    """Return the last of some states of one kind, each field made of theirs."""
    last = states[-1]
    assert is_dataclass(last)
    assert not isinstance(last, type)
    names = [field.name for field in fields(last)]
    made = {name: function(*(getattr(state, name) for state in states)) for name in names}
    return replace(last, **made)
