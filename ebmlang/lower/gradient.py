"""Values with their gradients, without autograd: one straight line, emitted when first asked for.

The gradient is a rewrite of the graph (`passes.gradient`), so the code computes what value and
gradient share once, and what no unknown decides before the first point.
"""

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor

from ebmlang.graph import EnergyGraph, RootKind
from ebmlang.lower.emit import Program, emit_gradient
from ebmlang.lower.execution import COMPILATIONS, Functions, execute, guard_externs
from ebmlang.lower.native.function import NativeFunction
from ebmlang.lower.native.slopes import build_slopes, is_possible
from ebmlang.lower.portions import count_rows, is_whole, list_portions
from ebmlang.passes.gradient import NoRuleError, differentiate, lagrangian, violation
from ebmlang.passes.simplification import move_inward
from ebmlang.runtime import ValueAndGradient

if TYPE_CHECKING:
    from ebmlang.lower.module import Binding, CompiledEnergy


class Question(Enum):
    """What is differentiated."""

    ENERGY = "energy"
    """E."""
    LAGRANGIAN = "lagrangian"
    """The augmented Lagrangian, see `passes.gradient.lagrangian`."""
    VIOLATION = "violation"
    """Half the squared distance of margins below an aim."""

    # Members are single objects; the hash of Enum is a call in Python, in every evaluation.
    __hash__ = object.__hash__


Slopes: TypeAlias = Callable[..., ValueAndGradient]
"""From packed points, and the data by row of each, to a value and its gradient."""

Derive: TypeAlias = Callable[[Question], Slopes | None]
"""From a question to its answer, compiled when first asked for; None where a node has no rule."""


def bind_derivatives(energy: "CompiledEnergy") -> Derive:
    """Return the derivatives of an energy, bound to the data and weights of now."""
    binding = energy.binding
    found: dict[Question, Slopes | None] = {}

    def derive(question: Question) -> Slopes | None:
        if question not in found:
            found[question] = _native(energy, question) or _straight(energy, binding, question)
        return found[question]

    return derive


def gradient_graph(graph: EnergyGraph, question: Question) -> EnergyGraph:
    """Return the graph of a value and its gradient: roots TOTAL and GRADIENT.

    Raises:
        NoRuleError: A node has no rule.
    """
    match question:
        case Question.ENERGY:
            asked = graph
        case Question.LAGRANGIAN:
            asked = lagrangian(graph)
        case Question.VIOLATION:
            asked = violation(graph)
    (total,) = [number for _, number in asked.roots_of(RootKind.TOTAL)]
    return differentiate(asked, total)


def show_gradient(graph: EnergyGraph) -> str:
    """Return the code of E and its gradient; or, as a comment, what leaves it to autograd."""
    try:
        return emit_gradient(move_inward(gradient_graph(graph, Question.ENERGY))).text
    except NoRuleError as error:
        return f"# The gradient is left to autograd: there is no rule for `{error.operator}`.\n"


Compiled: TypeAlias = tuple[Program, Functions, int]
"""Emitted code, its functions, and how many points they take at a time in a large batch."""


def derived_graph(energy: "CompiledEnergy", question: Question) -> EnergyGraph | None:
    """Return the graph of a value and its gradient, written once; None where a node has no rule."""
    if question not in energy.derived:
        try:
            energy.derived[question] = gradient_graph(energy.graph, question)
        except NoRuleError:
            energy.derived[question] = None
    return energy.derived[question]


def _native(energy: "CompiledEnergy", question: Question) -> Slopes | None:
    """Return machine code; None where there is none, or it is not worth it."""
    if not is_possible(energy):
        return None
    graph = derived_graph(energy, question)
    if graph is None:
        return None
    key = (question, energy.dtype, energy.ahead)
    if key not in energy.natives:
        energy.natives[key] = build_slopes(energy, graph)
    code = energy.natives[key]
    if code is None:
        return None
    function = NativeFunction(energy, code)

    def slopes(x: Tensor, *columns: Tensor) -> ValueAndGradient:
        value, gradient = function(x, *columns)
        return value, gradient

    return slopes


def _straight(energy: "CompiledEnergy", binding: "Binding", question: Question) -> Slopes | None:
    """Return torch code; None where a node has no rule."""
    compiled = _compiled(energy, question)
    if compiled is None:
        return None
    program, functions, rows = compiled
    inputs = energy.inputs(program, binding.givens, binding.weights, binding.dtype, binding.device)
    with torch.no_grad():
        prepared = functions.prepare(*inputs, binding.dtype, energy.check)
    return _in_pieces(functions, prepared, rows)


def _compiled(energy: "CompiledEnergy", question: Question) -> Compiled | None:
    if question not in energy.gradients:
        graph = derived_graph(energy, question)
        if graph is None:
            energy.gradients[question] = None
        else:
            graph = move_inward(graph)
            program = emit_gradient(graph)
            COMPILATIONS["gradient"] += 1
            externs = dict(zip(energy.program.externs, energy.externs, strict=True))
            chosen = [externs[name] for name in program.externs]
            guarded = guard_externs(energy.graph, program, chosen)
            energy.gradients[question] = (program, execute(program, guarded), count_rows(graph))
    return energy.gradients[question]


def _in_pieces(functions: Functions, prepared: tuple[Tensor, ...], rows: int) -> Slopes:
    """Return the function of points; large batches go through it `rows` at a time."""
    answer = functions.value_and_gradient

    def slopes(x: Tensor, *columns: Tensor) -> ValueAndGradient:
        if torch.is_grad_enabled():
            with torch.no_grad():
                return slopes(x, *columns)
        if is_whole(x, rows):
            return answer(x, (*prepared, *columns) if columns else prepared)
        value, gradient = x.new_empty(len(x)), torch.empty_like(x)
        for part in list_portions(len(x), rows):
            data = (*prepared, *(column[part] for column in columns))
            value[part], gradient[part] = answer(x[part], data)
        return value, gradient

    return slopes
