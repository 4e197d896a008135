"""Many graphs in one translation unit, so that the compiler runs once for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from ebmlang.graph import EnergyGraph, RootKind
from ebmlang.lower.module import CompiledEnergy
from ebmlang.lower.native.build import Library, build_library
from ebmlang.lower.native.emit import NativeProgram
from ebmlang.lower.native.function import (
    PRECISIONS,
    NativeFunction,
    emit_groups,
    pair,
    write_function,
    write_unit,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Nodes of a graph, to be computed in machine code.

    Attributes:
        energy: Bound to its data.
        graph: Its graph, or one made of that.
        groups: For each result the nodes that make it up.
    """

    energy: CompiledEnergy
    graph: EnergyGraph
    groups: Sequence[Sequence[int]]


def build_functions(asked: Sequence[Asked]) -> list[NativeFunction]:
    """Return a function for each, all from one library."""
    programs, texts = [], []
    for number, one in enumerate(asked):
        program = emit_groups(one.graph, one.groups, f"f{number}")
        assert isinstance(program, NativeProgram), program
        programs.append(program)
        texts.append(write_function(one.graph, program, one.groups))
    (precision,) = {PRECISIONS[one.energy.dtype] for one in asked}
    library = build_library(write_unit(texts), precision)
    assert isinstance(library, Library), library
    return [
        NativeFunction(one.energy, pair(one.graph, program, one.groups, library))
        for one, program in zip(asked, programs, strict=True)
    ]


def reports(energy: CompiledEnergy) -> Asked:
    """Return the question for all reports, each by itself."""
    numbers = [number for _, number in energy.graph.roots_of(RootKind.REPORT)]
    return Asked(energy=energy, graph=energy.graph, groups=[[number] for number in numbers])
