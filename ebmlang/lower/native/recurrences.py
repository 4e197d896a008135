"""Recurrences: a C loop over the steps, around the cells of the body.

All states stand in memory, one behind the other; a step reads one and writes the next.
"""

from ebmlang.graph import EnergyGraph, Kind, Node, Root, RootKind
from ebmlang.lower.native.cells import At, Block, Copy, Leaf, Read
from ebmlang.lower.native.lowering import Lowering
from ebmlang.lower.native.places import Place
from ebmlang.lower.native.text import CTYPE, write_cells
from ebmlang.lower.native.workshop import Workshop, repeat

_ROOM = "scan_room"


def _at_step(axis: int, step: Place) -> At:
    """Return the map into an array with time, at a place along that axis."""
    return lambda index: (*index[:axis], step, *index[axis:])


def lower_scan(outer: Lowering, node: Node) -> Read:
    """Return all states of a recurrence."""
    shop = outer.shop
    body: EnergyGraph = node.option("body")
    rank, ranks = node.option("rank"), node.option("element_ranks")
    lead = len(node.shape) - rank - 1
    start, *rest = (outer.known[i] for i in node.inputs)
    if node.kind is Kind.REAL:
        start = shop.real(start)
    prefix = f"{shop.prefix}n{len(shop.cells)}_"
    step = f"{prefix}t"
    states = shop.join(node.kind, node.shape, [(start, _at_step(lead, 0))])
    inner = Workshop(registry=shop.registry, prefix=prefix)
    state = f"{prefix}state"
    sources, names, parameters = [states.cell], [state], {}
    shape = (*node.shape[:lead], *node.shape[lead + 1 :])
    parameters[0] = inner.memory(state, node.kind, node.shape).through(shape, _at_step(lead, step))
    for place, read in enumerate(rest, start=1):
        leaf = shop.cells[read.cell]
        if isinstance(leaf, Leaf):
            seen = Read(cell=inner.add(leaf).cell, shape=read.shape, kind=read.kind, at=read.at)
        else:
            name = f"{prefix}{place}"
            sources.append(shop.in_memory(read))
            names.append(name)
            seen = inner.memory(name, read.kind, read.shape)
        if place <= len(ranks):
            own = len(read.shape) - ranks[place - 1] - 1
            one = (*read.shape[:own], *read.shape[own + 1 :])
            seen = seen.through(one, _at_step(own, step))
        parameters[place] = seen

    lowering = Lowering(
        graph=body,
        shop=inner,
        varying=[inner_node.operator != "constant" for inner_node in body.nodes],
        scan=outer.scan,
        known={
            number: parameters[inner_node.option("index")]
            for number, inner_node in enumerate(body.nodes)
            if inner_node.operator == "parameter"
        },
    )
    result = body.roots[Root(RootKind.NEXT)]
    lowering.lower([result])
    after = lowering.known[result]
    if node.kind is Kind.REAL:
        after = inner.real(after)
    inner.cells.append(
        Copy(
            kind=node.kind,
            shape=shape,
            read=repeat(after, shape),
            into=_at_step(lead, f"({step} + 1)"),
            size=node.shape,
            target=state,
        )
    )
    inside = write_cells(inner.cells, f"{prefix}{_ROOM}", prefix)
    kinds = [shop.cells[source].kind for source in sources]

    def write(_out: str, memories: tuple[str, ...], scratch: str) -> str:
        pointers = [
            f"{CTYPE[kind]} *const {name} = {memory};"
            for kind, name, memory in zip(kinds, names, memories, strict=True)
        ]
        head = f"for (int64_t {step} = 0; {step} < {node.option('steps')}; {step}++) {{"
        pointer = f"vec *const {prefix}{_ROOM} = {scratch};"
        return "\n".join(["{", *pointers, pointer, head, *inside.pointers, *inside.lines, "}", "}"])

    return shop.add(
        Block(
            kind=node.kind,
            shape=node.shape,
            sources=tuple(sources),
            write=write,
            room=inside.room,
            inside=True,
            work=inner.count_work() * node.option("steps"),
        )
    )
