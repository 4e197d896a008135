"""Emitted C with the arrays that it reads: an energy's values and gradients, bound to its data.

What is left to whoever asks is to put loops around it and to compile the whole.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from torch import Tensor

from ebmlang.graph import EnergyGraph
from ebmlang.lower.gradient import Question, derived_graph
from ebmlang.lower.native.emit import Declined, NativeProgram
from ebmlang.lower.native.function import emit_groups, shared_arrays
from ebmlang.lower.native.slopes import group_slopes

if TYPE_CHECKING:
    from ebmlang.lower.module import Binding, CompiledEnergy


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoundProgram:
    """A C function of a value and its gradient.

    Attributes:
        program: Its outputs are the value, then the gradient by each variable.
        shared: The arrays of `in->shared`.
    """

    program: NativeProgram
    shared: tuple[Tensor, ...]


Code: TypeAlias = Callable[[Question], BoundProgram | Declined]
"""From a question to the C that answers it, emitted when first asked for, or why there is none."""


def bind_code(energy: "CompiledEnergy") -> Code:
    """Return the C of an energy, bound to the data and weights of now."""
    binding = energy.binding

    def code(question: Question) -> BoundProgram | Declined:
        if question not in binding.programs:
            binding.programs[question] = _bind(energy, binding, question)
        return binding.programs[question]

    return code


def _bind(
    energy: "CompiledEnergy", binding: "Binding", question: Question
) -> BoundProgram | Declined:
    if binding.device.type != "cpu":
        return Declined(f"runs on {binding.device.type}")
    emitted = emit_once(energy, question)
    if isinstance(emitted, Declined):
        return emitted
    if energy.binding is not binding:
        return Declined("the energy has been bound to other data since")
    graph, program = emitted
    return BoundProgram(program=program, shared=shared_arrays(energy, graph, program))


def emit_once(
    energy: "CompiledEnergy", question: Question, blocks: int = 1
) -> tuple[EnergyGraph, NativeProgram] | Declined:
    """Return the C that answers a question, with the graph that it was emitted from.

    Args:
        energy: The energy.
        question: What is asked.
        blocks: For how many blocks of chains the function is.
    """
    key = (question, blocks)
    if key not in energy.programs:
        energy.programs[key] = _emit(energy, question, blocks)
    return energy.programs[key]


def _emit(
    energy: "CompiledEnergy", question: Question, blocks: int
) -> tuple[EnergyGraph, NativeProgram] | Declined:
    asked = derived_graph(energy, question)
    if asked is None:
        return Declined("its gradient takes autograd")
    program = emit_groups(asked, group_slopes(asked), question.value, blocks)
    return program if isinstance(program, Declined) else (asked, program)
