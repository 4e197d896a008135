"""Where an energy that is not finite comes from, node by node.

Slow, and run only once something has gone wrong: all values on the way to E are computed by the
same kernels, in the same dtype, and followed from E back to the first step that is not finite.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ebmlang.graph import EnergyGraph, Node, RootKind
from ebmlang.lang.operator import Family
from ebmlang.lang.table import OPERATORS
from ebmlang.lower.emit import emit_trace
from ebmlang.lower.execution import COMPILATIONS, execute, guard_externs
from ebmlang.lower.module import CompiledEnergy
from ebmlang.source import Diagnostic, Label

Values: TypeAlias = Mapping[int, NDArray[Any]]
"""Node number to its array in one chain. Any: float, int or bool."""


@dataclass(frozen=True, slots=True)
class _Blame:
    number: int
    places: NDArray[np.bool_]


def explain_nonfinite(energy: CompiledEnergy, point: Mapping[str, Tensor]) -> Diagnostic | None:
    """Return a message about the first chain whose E is nan or infinite; None if there is none.

    Args:
        energy: The energy, bound to its data.
        point: A batch of points, as `energy` takes them.
    """
    graph = energy.graph
    (total,) = [number for _, number in graph.roots_of(RootKind.TOTAL)]
    numbers = sorted({*graph.ancestors(total), total})
    traced = trace_nodes(energy, numbers)(energy.pack(point))
    arrays = [value.detach().cpu().numpy() for value in traced]
    finite = np.isfinite(arrays[numbers.index(total)])
    if finite.all():
        return None
    chain = int(np.argmin(finite))
    values = {number: array[chain] for number, array in zip(numbers, arrays, strict=True)}
    return _describe(graph, values, _follow(graph, values, total), chain)


class Trace(Protocol):
    """A function from packed points, and the data that each has of its own, to values of nodes."""

    def __call__(self, x: Tensor, *columns: Tensor) -> tuple[Tensor, ...]:
        """Return the values, each `[chain, ...]`."""


def trace_nodes(energy: CompiledEnergy, numbers: Sequence[int]) -> Trace:
    """Return a function from packed points to the values of these nodes, each `[chain, ...]`.

    Args:
        energy: The energy, bound to its data.
        numbers: Of nodes of its graph.
    """
    key = tuple(numbers)
    if key not in energy.traces:
        emitted = emit_trace(energy.graph, numbers)
        COMPILATIONS["trace"] += 1
        externs = dict(zip(energy.program.externs, energy.externs, strict=True))
        chosen = guard_externs(energy.graph, emitted, [externs[name] for name in emitted.externs])
        energy.traces[key] = (emitted, execute(emitted, chosen))
    program, functions = energy.traces[key]
    binding = energy.binding
    inputs = energy.inputs(program, binding.givens, binding.weights, binding.dtype, binding.device)
    prepared = functions.prepare(*inputs, binding.dtype, energy.check)
    return lambda x, *columns: functions.trace(x, (*prepared, *columns))


def _follow(graph: EnergyGraph, values: Values, number: int) -> _Blame:
    """Go back to the step that made a number that is not finite out of numbers that are."""
    while True:
        node, array = graph.nodes[number], values[number]
        test = np.isnan if np.isnan(array).any() else np.isinf
        places = test(array)
        guilty = [
            i
            for i in node.inputs
            # An infinity written as a constant, such as a missing bound, is nobody's mistake.
            if graph.nodes[i].operator != "constant"
            and test(_concerned(node, values[i], places).astype(float)).any()
        ]
        if not guilty:
            return _Blame(number, places)
        number = guilty[0]


def _concerned(node: Node, value: NDArray[Any], places: NDArray[np.bool_]) -> NDArray[Any]:
    """Return the elements of an input that have to do with these places of a node's value."""
    operator = OPERATORS.get(node.operator)
    if operator is None or operator.family is not Family.ELEMENTWISE:
        return value
    return np.broadcast_to(value, places.shape)[places]


def _describe(graph: EnergyGraph, values: Values, blame: _Blame, chain: int) -> Diagnostic:
    node = graph.nodes[blame.number]
    bad = float(values[blame.number][blame.places].reshape(-1)[0])
    origin = node.origin
    terms = graph.terms_of(blame.number)
    if origin.members:
        # Steps of several terms at once stand one behind the other along the first axis.
        origin = origin.members[int(np.argwhere(blame.places)[0][0])]
        terms = (origin.path,)
    span = origin.span
    notes = [_origin_note(values, node, blame)]
    if terms:
        notes.append(f"it is part of {', '.join(f'`{path}`' for path in terms)}")
    total = values[next(n for _, n in graph.roots_of(RootKind.TOTAL))]
    return Diagnostic(
        code="E0707",
        headline=f"the energy of chain {chain} is {_word(float(total))}",
        primary=Label(span, f"this is {_word(bad)}") if span else None,
        notes=tuple(notes),
    )


def _word(value: float) -> str:
    if math.isnan(value):
        return "not a number"
    return "infinite" if value > 0 else "minus infinity"


def _origin_note(values: Values, node: Node, blame: _Blame) -> str:
    """Return what the guilty step is and, where each element has its own operands, those."""
    place = tuple(int(i) for i in np.argwhere(blame.places)[0])
    if node.operator == "scan":
        axis = len(place) - node.option("rank") - 1
        steps = np.argwhere(blame.places)[:, axis]
        return f"the state of the recurrence is first so after step {int(steps.min())}"
    operator = OPERATORS.get(node.operator)
    operands = ""
    if node.inputs and operator is not None and operator.family is Family.ELEMENTWISE:
        shown = [np.broadcast_to(values[i], blame.places.shape)[place] for i in node.inputs]
        operands = f" of {', '.join(f'{value:g}' for value in shown)}"
    where = f" at {list(place)}" if place else ""
    return f"the step is `{node.operator}`{operands}{where}"
