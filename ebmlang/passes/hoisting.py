"""In the loop of a recurrence only what its state enters.

    scan s = a over e in es: s * exp(e)    ->    scan s = a over f in exp(es): s * f

The rest is computed for all steps at once, in front of it (`passes.lifting`). A recurrence that is
left with a sum is a running sum, and no loop at all.
"""

from dataclasses import replace

import numpy as np

from ebmlang.graph import EnergyGraph, GraphBuilder, Node, Root, RootKind
from ebmlang.passes.guards import plan_guards
from ebmlang.passes.lifting import Lifted, Lifting
from ebmlang.passes.rewrite import Writer, rewrite_nodes, with_bodies

_IDLE = frozenset({"parameter", "constant", "reshape", "expand", "moveaxis", "slice", "take"})
"""Operators that only say where elements are."""


def hoist_steps(graph: EnergyGraph) -> EnergyGraph:
    """Return the graph with recurrences that compute only what their states enter."""
    return rewrite_nodes(with_bodies(graph, hoist_steps), _hoisted)


def _hoisted(builder: GraphBuilder, node: Node) -> int:
    if node.operator != "scan" or not node.option("steps"):
        return builder.add(node)
    body: EnergyGraph = node.option("body")
    result = body.roots[Root(RootKind.NEXT)]
    state = next(
        (n for n in body.nodes if n.operator == "parameter" and n.option("index") == 0), None
    )
    if state is None or not _is_worth_it(body, result, state):
        return builder.add(node)
    write = Writer(builder, node.origin)
    parameters = {place: take_operand(write, node, place) for place in range(1, len(node.inputs))}
    lifting = Lifting(body, builder, node.option("steps"), parameters)
    states = write_steps(lifting, result, state, node.inputs[0])
    return steps_inside(write, states, node.option("rank"))


def _is_worth_it(body: EnergyGraph, result: int, state: Node) -> bool:
    moving = _find_moving(body, result, state)
    still = (body.ancestors(result) | {result}) - moving
    computes = any(body.nodes[number].operator not in _IDLE for number in still)
    return result in moving and (computes or _addend(body, result, state) is not None)


def take_operand(write: Writer, node: Node, place: int) -> Lifted:
    """Return an operand of a recurrence past the first, elements with the steps in front."""
    ranks: tuple[int, ...] = node.option("element_ranks")
    if place > len(ranks):
        return Lifted(node.inputs[place], along=False)
    return Lifted(steps_first(write, node.inputs[place], ranks[place - 1]), along=True)


def write_steps(
    lifting: Lifting, result: int, state: Node, start: int, *, backwards: bool = False
) -> int:
    """Return all states of a recurrence, with the steps in front, the start among them.

    Args:
        lifting: Of its body; it knows all parameters but the state.
        result: The node of the body that is the next state; the state enters it.
        state: The parameter of the body that is the state.
        start: The first state.
        backwards: Whether the steps run from the last to the first; the start then stands last.
    """
    body, builder, steps = lifting.body, lifting.builder, lifting.steps
    write = Writer(builder, state.origin)
    addend = _addend(body, result, state)
    if addend is not None:
        (found,) = lifting.lift([addend])
        whole = lifting.along(found, body.nodes[addend])
        return _running_sum(write, start, whole, backwards=backwards)
    moving = _find_moving(body, result, state)
    taken = sorted({i for number in moving for i in body.nodes[number].inputs} - moving)
    elements, captures = [], []
    for number, lifted in zip(taken, lifting.lift(taken), strict=True):
        if lifted.along:
            array = turned(write, lifted.number) if backwards else lifted.number
            elements.append((number, array))
        elif builder.nodes[lifted.number].operator != "constant":
            captures.append((number, lifted.number))
    inner = GraphBuilder()
    known = {}
    for number in moving:
        if body.nodes[number] == state:
            known[number] = inner.add(replace(state, options=(("index", 0),)))
    for index, (number, _) in enumerate((*elements, *captures), start=1):
        node = body.nodes[number]
        known[number] = inner.add(
            replace(node, operator="parameter", inputs=(), options=(("index", index),))
        )
    for number in sorted({*moving, *taken} - known.keys()):
        node = body.nodes[number]
        known[number] = inner.add(node.reading(tuple(known[i] for i in node.inputs)))
    options = {
        "body": EnergyGraph(tuple(inner.nodes), {Root(RootKind.NEXT): known[result]}),
        "steps": steps,
        "rank": len(state.shape),
        "element_ranks": tuple(len(body.nodes[number].shape) for number, _ in elements),
    }
    states = builder.add(
        replace(
            state,
            operator="scan",
            inputs=(start, *(number for _, number in (*elements, *captures))),
            options=tuple(sorted(options.items())),
            shape=(steps + 1, *state.shape),
        )
    )
    return turned(write, states) if backwards else states


def _find_moving(body: EnergyGraph, result: int, state: Node) -> set[int]:
    """Return the nodes that stay in the loop: those that the state enters.

    And those of branches that have to be guarded, since outside of the loop nothing could say at
    which steps they are taken.
    """
    guarded = {number for number, _ in plan_guards(body, body.varying)}
    found: set[int] = set()
    for number in sorted(body.ancestors(result) | {result}):
        node = body.nodes[number]
        if node == state or number in guarded or any(i in found for i in node.inputs):
            found.add(number)
    return found


# --- running sums --------------------------------------------------------------------


def _addend(body: EnergyGraph, result: int, state: Node) -> int | None:
    """Return what each step adds to the state, if it does nothing else."""
    node = body.nodes[result]
    if node.operator != "add":
        return None
    for own, other in (node.inputs, node.inputs[::-1]):
        if body.nodes[own] == state and body.nodes[other].kind is state.kind:
            return None if _find_moving(body, other, state) else other
    return None


def _running_sum(write: Writer, start: int, addends: int, *, backwards: bool) -> int:
    shape = (1, *write.builder.nodes[start].shape)
    rest = write.builder.nodes[addends].shape[1:]
    if rest != shape[1:]:
        wide = (write.builder.nodes[addends].shape[0], *shape[1:])
        addends = write.apply("expand", (addends,), {"shape": wide})
    if backwards:
        addends = turned(write, addends)
    whole = write.apply("concat", (write.reshape(start, shape), addends), {"axis": -len(shape)})
    rank = len(shape)
    if rank > 1:
        whole = write.apply("moveaxis", (whole,), {"source": -rank, "target": -1})
    sums = write("cumsum", whole)
    if rank > 1:
        sums = write.apply("moveaxis", (sums,), {"source": -1, "target": -rank})
    return turned(write, sums) if backwards else sums


# --- the axis of the steps -----------------------------------------------------------


def steps_first(write: Writer, number: int, rank: int) -> int:
    """Put the axis of the steps, which stands before the last `rank`, in front."""
    whole = len(write.builder.nodes[number].shape)
    if rank == whole - 1:
        return number
    return write.apply("moveaxis", (number,), {"source": -rank - 1, "target": -whole})


def steps_inside(write: Writer, number: int, rank: int) -> int:
    """Put the first axis before the last `rank`."""
    whole = len(write.builder.nodes[number].shape)
    if rank == whole - 1:
        return number
    return write.apply("moveaxis", (number,), {"source": -whole, "target": -rank - 1})


def turned(write: Writer, number: int) -> int:
    """Return an array with its first axis in the other order."""
    shape = write.builder.nodes[number].shape
    order = write.builder.constant(np.arange(shape[0])[::-1], write.origin)
    return write.apply("take", (number, order), {"axis": -len(shape)})
