"""Values with their gradients in machine code, where that is possible and worth it."""

from dataclasses import replace
from typing import TYPE_CHECKING

from ebmlang.graph import EnergyGraph, RootKind
from ebmlang.lower.native.build import Absence
from ebmlang.lower.native.emit import Declined
from ebmlang.lower.native.function import (
    PRECISIONS,
    NativeCode,
    build_emitted,
    emit_groups,
)
from ebmlang.lower.tiers import Tier, asked_tier, count_operations, pays, say_once

if TYPE_CHECKING:
    from ebmlang.lower.module import CompiledEnergy


def is_possible(energy: "CompiledEnergy") -> bool:
    """Whether an energy is where machine code could run, and nobody has asked for another tier."""
    if energy.device.type != "cpu" or energy.dtype not in PRECISIONS:
        return False
    asked = asked_tier()
    return asked is Tier.NATIVE or (asked is None and energy.ahead is not None)


def group_slopes(graph: EnergyGraph) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the nodes of a value, and those of its gradient, in the order of a packed point."""
    (total,) = [number for _, number in graph.roots_of(RootKind.TOTAL)]
    slopes = {root.path: number for root, number in graph.roots_of(RootKind.GRADIENT)}
    return (total,), tuple(slopes[variable.path] for variable in graph.variables)


def build_slopes(energy: "CompiledEnergy", graph: EnergyGraph) -> NativeCode | None:
    """Return machine code of a value and its gradient; None where torch code does better.

    Args:
        energy: Knows the work ahead of it.
        graph: A graph that `passes.gradient` has differentiated.
    """
    asked = asked_tier()
    groups = group_slopes(graph)
    program = emit_groups(graph, groups)
    if isinstance(program, Declined):
        if asked is Tier.NATIVE:
            say_once(program.reason)
        return None
    if asked is None:
        worth = energy.ahead is not None and pays(
            energy.ahead,
            operations=count_operations(graph),
            elements=program.work,
            lines=program.text.count("\n"),
        )
        if not worth:
            return None
    code = build_emitted(graph, program, groups, PRECISIONS[energy.dtype])
    if isinstance(code, Absence):
        say_once(code.reason)
        return None
    # The gradient by a single number is a vector of one.
    return replace(code, shapes=((), (sum(program.sizes[1:]),)))
