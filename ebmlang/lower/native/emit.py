"""A graph as a C function over a block of chains, or why there is none.

The function follows one form, whatever it computes:

    static void NAME(const real *restrict x, const inputs *in, real *const *restrict out,
                     real *restrict scratch);
    #define NAME_SCRATCH <reals>

`x` is `[dim][LANES]`, a packed point of each chain; `out[k]` is `[elements][LANES]`; all begin at
multiples of 64 bytes. The text does not grow with the sizes of arrays past a few elements.

Where it is for several blocks at once, `x` points to the points of each, and in `out` the outputs
of a block stand behind those of the one before. Each statement stands there once for each block: a
processor that waits for the result of one works on another meanwhile.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ebmlang.graph import Constant, EnergyGraph, Kind
from ebmlang.lower.native.cells import Copy, Read
from ebmlang.lower.native.lowering import Lowering
from ebmlang.lower.native.portions import link_portions, split_lines
from ebmlang.lower.native.recurrences import lower_scan
from ebmlang.lower.native.text import Body, write_cells
from ebmlang.lower.native.workshop import DeclinedError, Registry, Workshop

HEADERS = ("lanes.h", "elementary.h", "compositions.h", "special.h", "matrices.h")
"""What emitted functions build on, in this order."""

SCRATCH = 1 << 22
"""Most vectors of scratch that a block of chains may take: 256 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeProgram:
    """A C function, and what it is to be handed.

    Attributes:
        name: Of the function.
        text: Its definition; `support` and the prelude go in front.
        shared: The arrays of `in->shared`: nodes that no unknown decides, or constants.
        kinds: What their elements are.
        rows: The paths of the data of `in->rows`.
        sizes: For each output, how many elements it has.
        work: Elements that are computed for one chain.
    """

    name: str
    text: str
    shared: tuple[int | Constant, ...]
    kinds: tuple[Kind, ...]
    rows: tuple[str, ...]
    sizes: tuple[int, ...]
    work: int


@dataclass(frozen=True, slots=True)
class Declined:
    """Why there is no C for a graph, in words for people."""

    reason: str


@lru_cache(maxsize=1)
def support() -> str:
    """Return the C text that emitted functions build on."""
    folder = Path(__file__).parent
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in HEADERS)


def emit_native(
    graph: EnergyGraph, outputs: Sequence[int], name: str, blocks: int = 1
) -> NativeProgram | Declined:
    """Return a C function of some nodes of a graph, or why there is none.

    Args:
        graph: A graph that has been through the passes.
        outputs: Numbers of nodes, in the order of `out`; whole numbers come out as reals.
        name: The name of the function.
        blocks: For how many blocks of chains it is; where there are several, none of the data may
            be by row.
    """
    registry = Registry()
    bodies: list[Body] = []
    try:
        for block in range(blocks):
            prefix = _prefix(block)
            shop = Workshop(registry=registry, prefix=prefix)
            lowering = Lowering(
                graph=graph,
                shop=shop,
                varying=graph.varying,
                scan=lower_scan,
                known=_inputs(graph, shop),
            )
            lowering.lower(outputs)
            sizes = []
            for place, number in enumerate(outputs):
                read = shop.real(lowering.known[number])
                sizes.append(math.prod(read.shape))
                shop.cells.append(_output(read, f"{prefix}o{place}"))
            start = sum(body.room for body in bodies)
            bodies.append(write_cells(shop.cells, f"((vec *)scratch + {start})", prefix))
    except DeclinedError as declined:
        return Declined(str(declined))
    body = _join_bodies(bodies)
    if body.room > SCRATCH:
        return Declined(f"takes {body.room} vectors of scratch for each block of chains")
    return NativeProgram(
        name=name,
        text=_function(name, body, registry, len(sizes), blocks),
        shared=tuple(registry.shared),
        kinds=tuple(registry.kinds),
        rows=tuple(registry.rows),
        sizes=tuple(sizes),
        work=shop.count_work(),
    )


def _inputs(graph: EnergyGraph, shop: Workshop) -> dict[int, Read]:
    """Return the unknowns, and the data by row, as they stand in memory."""
    starts, start = {}, 0
    for variable in graph.variables:
        starts[variable.path] = start
        start += math.prod(variable.shape)
    by_row = [given.path for given in graph.givens if given.by_row]
    known = {}
    for number, node in enumerate(graph.nodes):
        if node.operator == "variable":
            offset = starts[node.option("path")]
            known[number] = shop.memory(f"{shop.prefix}X", Kind.REAL, node.shape, offset)
        elif node.operator == "given" and node.option("path") in by_row:
            known[number] = _row(shop, node.option("path"), node.kind, node.shape)
    return known


def _row(shop: Workshop, path: str, kind: Kind, shape: tuple[int, ...]) -> Read:
    place = shop.registry.rows.setdefault(path, len(shop.registry.rows))
    values = shop.memory(f"r{place}", Kind.REAL, shape)
    if kind is Kind.INT:
        return shop.compute("to_int({0})", values, kind=kind)
    return shop.compute("({0} != 0)", values, kind=kind) if kind is Kind.BOOL else values


def points_type(blocks: int) -> str:
    """Return the C type of what `x` points to."""
    return "real" if blocks == 1 else "real *const"


def _prefix(block: int) -> str:
    """Return what the names of variables of a block begin with."""
    return f"b{block}_" if block else ""


def _join_bodies(bodies: Sequence[Body]) -> Body:
    """Return the statements of all blocks in turn; the heads and ends of loops they share."""
    lines = [dict.fromkeys(one) for one in zip(*(body.lines for body in bodies), strict=True)]
    return Body(
        pointers=tuple(pointer for body in bodies for pointer in body.pointers),
        lines=tuple(line for one in lines for line in one),
        room=sum(body.room for body in bodies),
    )


def _output(read: Read, target: str) -> Copy:
    return Copy(
        kind=Kind.REAL,
        shape=read.shape,
        read=read,
        into=lambda index: index,
        size=read.shape,
        target=target,
    )


_ELEMENT = {Kind.REAL: "real", Kind.INT: "int64_t", Kind.BOOL: "uint8_t"}


def _function(name: str, body: Body, registry: Registry, outputs: int, blocks: int) -> str:
    pointers, lines, room = body.pointers, body.lines, body.room
    head = ["const vec *const X = (const vec *)x;"]
    if blocks > 1:
        head = [
            f"const vec *const restrict {_prefix(block)}X = (const vec *)x[{block}];"
            for block in range(blocks)
        ]
    head += [
        f"const {_ELEMENT[kind]} *const restrict s{i} = (const {_ELEMENT[kind]} *)in->shared[{i}];"
        for i, kind in enumerate(registry.kinds)
    ]
    head += [
        f"const vec *const r{i} = (const vec *)in->rows[{i}];" for i in range(len(registry.rows))
    ]
    head += [
        f"vec *const {_prefix(block)}o{i} = (vec *)out[{block * outputs + i}];"
        for block in range(blocks)
        for i in range(outputs)
    ]
    portions = split_lines(lines)
    if len(portions) == 1:
        return (
            _define(name, [*head, *pointers, *lines], blocks)
            + f"#define {name}_SCRATCH ({room} * LANES)\n"
        )
    linked, spilled = link_portions(portions, f"((vec *)scratch + {room})")
    text = ""
    for place, portion in enumerate(linked):
        words = set(re.findall(r"\w+", " ".join(portion)))
        used = [line for line in (*head, *pointers) if _named(line) in words]
        text += "__attribute__((noinline)) " + _define(f"{name}_{place}", [*used, *portion], blocks)
    calls = [f"{name}_{place}(x, in, out, scratch);" for place in range(len(linked))]
    size = f"#define {name}_SCRATCH ({room + spilled} * LANES)\n"
    return text + _define(name, calls, blocks) + size


def _named(line: str) -> str:
    """Return the name that a line declares."""
    return line.partition(" = ")[0].rpartition(" ")[2].lstrip("*")


def _define(name: str, body: Sequence[str], blocks: int) -> str:
    lines = "\n".join(f"  {line}" for line in body)
    return (
        f"static void {name}(const {points_type(blocks)} *restrict x, const inputs *in,\n"
        f"    real *const *restrict out, real *restrict scratch) {{\n{lines}\n}}\n"
    )
