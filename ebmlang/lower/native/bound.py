"""Emitted C with the arrays that it reads: an energy's values and gradients, bound to its data.

What is left to whoever asks is to put loops around it and to compile the whole.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor

from ebmlang.graph import Constant, EnergyGraph, Kind, RootKind
from ebmlang.lower.emit import emit_trace
from ebmlang.lower.execution import execute, guard_externs
from ebmlang.lower.gradient import Question, gradient_graph
from ebmlang.lower.native.emit import Declined, NativeProgram, emit_native
from ebmlang.passes.gradient import NoRuleError

if TYPE_CHECKING:
    from ebmlang.lower.module import Binding, CompiledEnergy


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoundProgram:
    """A C function of a value and its gradient.

    Attributes:
        program: Its outputs are the value, then the gradient by each variable.
        shared: The arrays of `in->shared`.
        widths: How many elements each of the data by row has, in the order of `program.rows`.
    """

    program: NativeProgram
    shared: tuple[Tensor, ...]
    widths: tuple[int, ...]


Code: TypeAlias = Callable[[Question], BoundProgram | Declined]
"""From a question to the C that answers it, emitted when first asked for, or why there is none."""


def bind_code(energy: "CompiledEnergy") -> Code:
    """Return the C of an energy, bound to the data and weights of now."""
    binding = energy.binding
    found: dict[Question, BoundProgram | Declined] = {}

    def code(question: Question) -> BoundProgram | Declined:
        if question not in found:
            found[question] = _bind(energy, binding, question)
        return found[question]

    return code


def _bind(
    energy: "CompiledEnergy", binding: "Binding", question: Question
) -> BoundProgram | Declined:
    if binding.device.type != "cpu":
        return Declined(f"runs on {binding.device.type}")
    if question not in energy.programs:
        energy.programs[question] = _emit(energy.graph, question)
    emitted = energy.programs[question]
    if isinstance(emitted, Declined):
        return emitted
    graph, program = emitted
    sizes = {given.path: _count(given.shape) for given in graph.givens}
    return BoundProgram(
        program=program,
        shared=_compute_shared(energy, binding, graph, program),
        widths=tuple(sizes[path] for path in program.rows),
    )


def _emit(graph: EnergyGraph, question: Question) -> tuple[EnergyGraph, NativeProgram] | Declined:
    try:
        asked = gradient_graph(graph, question)
    except NoRuleError as error:
        return Declined(str(error))
    (total,) = [number for _, number in asked.roots_of(RootKind.TOTAL)]
    slopes = {root.path: number for root, number in asked.roots_of(RootKind.GRADIENT)}
    outputs = [total, *(slopes[variable.path] for variable in asked.variables)]
    program = emit_native(asked, outputs, question.value)
    return program if isinstance(program, Declined) else (asked, program)


def _compute_shared(
    energy: "CompiledEnergy", binding: "Binding", graph: EnergyGraph, program: NativeProgram
) -> tuple[Tensor, ...]:
    """Return the arrays that are known before the unknowns, as C reads them."""
    numbers = [each for each in program.shared if not isinstance(each, Constant)]
    values = iter(_trace(energy, binding, graph, numbers) if numbers else ())
    arrays = [
        torch.tensor(each.array) if isinstance(each, Constant) else next(values)
        for each in program.shared
    ]
    dtypes = {Kind.REAL: binding.dtype, Kind.INT: torch.int64, Kind.BOOL: torch.uint8}
    return tuple(
        array.to(dtypes[kind]).contiguous()
        for array, kind in zip(arrays, program.kinds, strict=True)
    )


def _trace(
    energy: "CompiledEnergy", binding: "Binding", graph: EnergyGraph, numbers: list[int]
) -> list[Tensor]:
    """Return nodes that no unknown decides, from the data and weights of now."""
    emitted = emit_trace(graph, numbers)
    externs = dict(zip(energy.program.externs, energy.externs, strict=True))
    chosen = guard_externs(graph, emitted, [externs[name] for name in emitted.externs])
    functions = execute(emitted, chosen)
    inputs = energy.inputs(emitted, binding.givens, binding.weights, binding.dtype, binding.device)
    with torch.no_grad():
        prepared = functions.prepare(*inputs, binding.dtype, energy.check)
        # Its values are the same for every chain: one of zeros stands for all.
        anywhere = torch.zeros((1, energy.dim), dtype=binding.dtype)
        values = functions.trace(anywhere, (*prepared, *(anywhere for _ in emitted.rows)))
    return [value[0] for value in values]


def _count(shape: tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count
