"""Emitted C as a function of tensors: bound to data and weights, called with batches of points."""

import ctypes
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.graph import Constant, EnergyGraph, Kind
from ebmlang.lower.constants import read_constant
from ebmlang.lower.emit import emit_trace
from ebmlang.lower.execution import execute, guard_externs
from ebmlang.lower.native.build import Absence, Library, Precision, build_library
from ebmlang.lower.native.driver import HEAD, write_driver
from ebmlang.lower.native.emit import Declined, NativeProgram, emit_native, support
from ebmlang.runtime.memory import make_room
from ebmlang.runtime.threads import thread_count

if TYPE_CHECKING:
    from ebmlang.lower.module import CompiledEnergy

PRECISIONS: Mapping[torch.dtype, Precision] = {
    torch.float32: "float32",
    torch.float64: "float64",
}
"""The name of a dtype's precision, for those that there is C for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeCode:
    """Machine code of some outputs of a graph, not bound to anything yet.

    Attributes:
        graph: The graph.
        program: What was emitted.
        library: What was built of it.
        shapes: For each result, its shape for one chain: one scalar node has none.
    """

    graph: EnergyGraph
    program: NativeProgram
    library: Library
    shapes: tuple[tuple[int, ...], ...]


def emit_groups(
    graph: EnergyGraph, groups: Sequence[Sequence[int]], name: str = "energy", blocks: int = 1
) -> NativeProgram | Declined:
    """Return the C function of some nodes of a graph, or why there is none.

    Args:
        graph: A graph that has been through the passes.
        groups: For each result the nodes that make it up, one behind the other.
        name: The name of the function.
        blocks: For how many blocks of chains it is.
    """
    return emit_native(graph, [number for group in groups for number in group], name, blocks)


def build_emitted(
    graph: EnergyGraph,
    program: NativeProgram,
    groups: Sequence[Sequence[int]],
    precision: Precision,
) -> NativeCode | Absence:
    """Return machine code of what was emitted, or why there is none."""
    library = build_library(write_unit([write_function(graph, program, groups)]), precision)
    if isinstance(library, Absence):
        return library
    return pair(graph, program, groups, library)


def pair(
    graph: EnergyGraph,
    program: NativeProgram,
    groups: Sequence[Sequence[int]],
    library: Library,
) -> NativeCode:
    """Return what was emitted with the library that it was built into."""
    shapes = tuple(_shape(graph, group) for group in groups)
    return NativeCode(graph=graph, program=program, library=library, shapes=shapes)


def _shape(graph: EnergyGraph, group: Sequence[int]) -> tuple[int, ...]:
    own = [graph.nodes[number].shape for number in group]
    return () if own == [()] else (sum(map(math.prod, own)),)


def write_unit(functions: Sequence[str]) -> str:
    """Return the C text of functions with what they build on, without the prelude."""
    return "\n".join([HEAD, support(), *functions])


def write_function(
    graph: EnergyGraph, program: NativeProgram, groups: Sequence[Sequence[int]]
) -> str:
    """Return the C text of a function of batches of points."""
    sizes = {given.path: math.prod(given.shape) for given in graph.givens}
    places: list[list[int]] = []
    start = 0
    for group in groups:
        places.append(list(range(start, start + len(group))))
        start += len(group)
    dim = sum(math.prod(variable.shape) for variable in graph.variables)
    driver = write_driver(program, dim, [sizes[path] for path in program.rows], places)
    return program.text + driver


def shared_arrays(
    energy: "CompiledEnergy", graph: EnergyGraph, program: NativeProgram
) -> tuple[Tensor, ...]:
    """Return the values of `in->shared`, bound to the data and weights of now.

    Args:
        energy: Bound to data and weights.
        graph: What was emitted: the energy's own graph, or one made of it.
        program: What was emitted of it.
    """
    numbers = [key for key in program.shared if isinstance(key, int)]
    values = dict(zip(numbers, _values(energy, graph, numbers), strict=True))
    elements = {Kind.REAL: energy.dtype, Kind.INT: torch.int64, Kind.BOOL: torch.uint8}

    def ready(key: int | Constant, kind: Kind) -> Tensor:
        if isinstance(key, Constant):
            value = read_constant(key, elements[Kind.REAL], torch.device("cpu"))
        else:
            value = values[key]
        return value.to(device=energy.device, dtype=elements[kind]).contiguous()

    return tuple(ready(key, kind) for key, kind in zip(program.shared, program.kinds, strict=True))


def _values(
    energy: "CompiledEnergy", graph: EnergyGraph, numbers: Sequence[int]
) -> tuple[Tensor, ...]:
    """Return the values of nodes that no unknown decides."""
    if not numbers:
        return ()
    key = tuple(numbers)
    if key not in energy.fixed or energy.fixed[key][0] is not graph:
        emitted = emit_trace(graph, numbers)
        externs = dict(zip(energy.program.externs, energy.externs, strict=True))
        chosen = guard_externs(graph, emitted, [externs[name] for name in emitted.externs])
        energy.fixed[key] = (graph, emitted, execute(emitted, chosen))
    _, traced, functions = energy.fixed[key]
    binding = energy.binding
    inputs = energy.inputs(traced, binding.givens, binding.weights, binding.dtype, binding.device)
    with torch.no_grad():
        prepared = functions.prepare(*inputs, binding.dtype, lambda *_: None)
        point = torch.zeros((1, energy.dim), dtype=energy.dtype, device=energy.device)
        return tuple(value[0] for value in functions.trace(point, prepared))


def point_to(tensors: Sequence[Tensor]) -> ctypes.Array[ctypes.c_void_p]:
    """Return the addresses of tensors, for C; they stay valid as long as the tensors live."""
    return (ctypes.c_void_p * max(1, len(tensors)))(*[tensor.data_ptr() for tensor in tensors])


class NativeFunction:
    """Results of batches of packed points, in machine code.

    Attributes:
        code: What runs.
    """

    def __init__(self, energy: "CompiledEnergy", code: NativeCode) -> None:
        self.code = code
        self._dtype = energy.dtype
        self._shared = shared_arrays(energy, code.graph, code.program)
        self._addresses = point_to(self._shared)
        by_row = [given.path for given in code.graph.givens if given.by_row]
        self._work = code.program.work
        self._shapes = code.shapes
        self._results = ctypes.c_void_p * len(code.shapes)
        self._rows = tuple(by_row.index(path) for path in code.program.rows)
        self._run: Callable[..., int] = getattr(code.library.handle, f"{code.program.name}_run")
        # Any: ctypes takes the types of arguments only as an attribute of the function.
        typed: Any = self._run
        typed.argtypes = [
            *(ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p),
            *(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p),
        ]
        typed.restype = ctypes.c_int

    def __call__(self, x: Float[Tensor, "chain dim"], *columns: Tensor) -> tuple[Tensor, ...]:
        """Return all results, each `[chain, width]`, or `[chain]` where that is one scalar.

        Args:
            x: Packed points.
            columns: For each given of the graph that is by row, in order, its value per point.
        """
        chains, dtype = x.shape[0], self._dtype
        x = _ready(x, dtype)
        rows = [_ready(columns[place], dtype) for place in self._rows]
        results = tuple([make_room((chains, *own), dtype, x.device) for own in self._shapes])
        threads = thread_count(chains * self._work, torch.get_num_threads())
        out = self._results(*[result.data_ptr() for result in results])
        given = point_to(rows) if rows else None
        if self._run(chains, threads, x.data_ptr(), self._addresses, given, out):
            raise MemoryError("there is no room for the work of a block of chains")
        return results


def _ready(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """Return a tensor as C reads it."""
    if tensor.dtype is not dtype:
        tensor = tensor.to(dtype)
    return tensor if tensor.is_contiguous() else tensor.contiguous()
