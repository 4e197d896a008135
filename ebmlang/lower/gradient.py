"""Values with their gradients, without autograd: emitted as one straight line, when first asked for.

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
from ebmlang.passes.gradient import NoRuleError, differentiate, lagrangian, violation
from ebmlang.runtime import ValueAndGradient

if TYPE_CHECKING:
    from ebmlang.lower.module import CompiledEnergy

LARGE = 16_384
"""Rows past which temporaries no longer fit the cache, and each costs a page fault."""

PIECE = 4_096
"""Rows that are evaluated together past that: measured best, on one core."""


class Question(Enum):
    """What is differentiated."""

    ENERGY = "energy"
    """E."""
    LAGRANGIAN = "lagrangian"
    """The augmented Lagrangian, see `passes.gradient.lagrangian`."""
    VIOLATION = "violation"
    """Half the squared distance of margins below an aim."""


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
            compiled = _compiled(energy, question)
            if compiled is None:
                found[question] = None
            else:
                program, functions = compiled
                inputs = energy.inputs(
                    program, binding.givens, binding.weights, binding.dtype, binding.device
                )
                with torch.no_grad():
                    prepared = functions.prepare(*inputs, binding.dtype, energy.check)
                found[question] = _in_pieces(functions, prepared)
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


def _compiled(energy: "CompiledEnergy", question: Question) -> tuple[Program, Functions] | None:
    if question not in energy.gradients:
        try:
            program = emit_gradient(gradient_graph(energy.graph, question))
        except NoRuleError:
            energy.gradients[question] = None
        else:
            COMPILATIONS["gradient"] += 1
            externs = dict(zip(energy.program.externs, energy.externs, strict=True))
            chosen = [externs[name] for name in program.externs]
            guarded = guard_externs(energy.graph, program, chosen)
            energy.gradients[question] = (program, execute(program, guarded))
    return energy.gradients[question]


def _in_pieces(functions: Functions, prepared: tuple[Tensor, ...]) -> Slopes:
    """Return the function of points; large batches go through it piece by piece."""

    def slopes(x: Tensor, *columns: Tensor) -> ValueAndGradient:
        with torch.no_grad():
            if len(x) <= LARGE or x.device.type != "cpu":
                return functions.value_and_gradient(x, (*prepared, *columns))
            value, gradient = x.new_empty(len(x)), torch.empty_like(x)
            for start in range(0, len(x), PIECE):
                rows = slice(start, start + PIECE)
                data = (*prepared, *(column[rows] for column in columns))
                value[rows], gradient[rows] = functions.value_and_gradient(x[rows], data)
            return value, gradient

    return slopes
