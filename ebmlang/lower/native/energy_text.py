"""An energy with its gradient, and what it requires, as C text for loops around it."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ebmlang.graph import EnergyGraph
from ebmlang.lower.gradient import Question
from ebmlang.lower.native.bound import emit_once
from ebmlang.lower.native.emit import Declined, NativeProgram, emit_native, points_type
from ebmlang.lower.native.function import shared_arrays
from ebmlang.lower.native.slopes import group_slopes
from ebmlang.passes.clauses import list_required
from ebmlang.runtime import EnergyText

if TYPE_CHECKING:
    from ebmlang.lower.module import CompiledEnergy


def write_energy(energy: "CompiledEnergy", blocks: int = 1) -> EnergyText | None:
    """Return the text of an energy bound to data and weights; None where it has no such form.

    Args:
        energy: The energy.
        blocks: For how many blocks of chains its function is.
    """
    required = [number for _, number in list_required(energy.graph)]
    emitted = emit_once(energy, Question.ENERGY, blocks)
    if isinstance(emitted, Declined):
        return None
    graph, valued = emitted
    groups = group_slopes(graph)
    margined = emit_native(energy.graph, required, "margin_parts") if required else None
    if valued.rows:
        return None
    text = _join(valued, "energy_of_block", [len(group) for group in groups], blocks)
    if margined is None:
        return EnergyText(
            text=text,
            energy="energy_of_block",
            energy_arrays=shared_arrays(energy, graph, valued),
            work=valued.work,
            blocks=blocks,
        )
    if not isinstance(margined, NativeProgram) or margined.rows:
        return None
    return EnergyText(
        text=text + _join(margined, "margins_of_block", [len(required)]),
        energy="energy_of_block",
        margins="margins_of_block",
        required=_count(energy.graph, required),
        energy_arrays=shared_arrays(energy, graph, valued),
        margin_arrays=shared_arrays(energy, energy.graph, margined),
        work=valued.work,
        blocks=blocks,
    )


def _count(graph: EnergyGraph, numbers: Sequence[int]) -> int:
    return sum(math.prod(graph.nodes[number].shape) for number in numbers)


def _join(program: NativeProgram, name: str, groups: Sequence[int], blocks: int = 1) -> str:
    """Return the program, and a function whose outputs are groups of its own, side by side."""
    pointers = []
    for block in range(blocks):
        done = 0
        for place, many in enumerate(groups, start=block * len(groups)):
            start = 0
            for size in program.sizes[done : done + many]:
                pointers.append(f"out[{place}] + {start} * LANES")
                start += size
            done += many
    return (
        f"{program.text}\n"
        f"#define {name}_SCRATCH {program.name}_SCRATCH\n"
        f"static void {name}(const {points_type(blocks)} *restrict x, const inputs *in,\n"
        f"    real *const *restrict out, real *restrict scratch) {{\n"
        f"  real *const parts[] = {{{', '.join(pointers)}}};\n"
        f"  {program.name}(x, in, parts, scratch);\n}}\n"
    )
