"""States of a batch of starts: dataclasses of tensors, each with the start as its first axis.

A state may hold other such dataclasses, and an objective; whatever else it holds is the same for
all starts.
"""

from dataclasses import is_dataclass
from typing import TypeVar

from jaxtyping import Bool, Int
from torch import Tensor

from ebmlang.runtime import map_fields
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

    return map_fields(take, state)


def choose_each(condition: Bool[Tensor, " start"], yes: State, no: State) -> State:
    """Return a state of the starts, with those of `yes` where the condition holds.

    What is no state of single starts is kept as it is in `no`.
    """

    def pick(mine: object, other: object) -> object:
        if isinstance(mine, Tensor) and isinstance(other, Tensor):
            return choose(condition, mine, other)
        return choose_each(condition, mine, other) if is_dataclass(other) else other

    return map_fields(pick, yes, no)
