"""The derivative of a recurrence: a recurrence that runs backwards.

With s[t + 1] = f(s[t], e[t], c), let G[t] be what the users of the states hand to s[t], and l[t]
the derivative by s[t] of all that follows. Then

    l[T] = G[T],    l[t] = G[t] + (df/ds)^T l[t + 1],

and e[t] gains (df/de)^T l[t + 1], and c the sum over t of (df/dc)^T l[t + 1], both at s[t], e[t].
Only the first is a recurrence. The states are known, as the forward one keeps them all, and so
once l is, the gains of all steps are computed at once (`passes.lifting`). So is what the steps
backwards need of states and elements alone.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from ebmlang.graph import EnergyGraph, GraphBuilder, Node, Root, RootKind
from ebmlang.passes.gradient.algebra import Algebra
from ebmlang.passes.gradient.rule import Step
from ebmlang.passes.lifting import Lifted, Lifting
from ebmlang.passes.rewrite import Writer

Pullback: TypeAlias = Callable[
    [EnergyGraph, Node, Collection[int]], tuple[EnergyGraph, Mapping[int, int]]
]
"""From a body, a new parameter that is the cotangent of its next state, and indices of other
parameters, to a graph with the cotangent of each of those that has one, in full."""


def pull_recurrence(
    f: Algebra, g: int, step: Step, active: Collection[int], pullback: Pullback
) -> dict[int, int]:
    """Return what the cotangent of all states hands to operands, by their place.

    Args:
        f: Writes.
        g: The cotangent, in full.
        step: The recurrence.
        active: Places of the operands that have a derivative.
        pullback: Differentiates the body.
    """
    steps, rank = step.options["steps"], step.options["rank"]
    ranks: tuple[int, ...] = step.options["element_ranks"]
    gifts = _steps_first(f, g, rank)
    if not steps:
        return {0: _at(f, gifts, 0)} if 0 in active else {}
    cotangent = replace(
        f.node(step.y),
        operator="parameter",
        inputs=(),
        options=(("index", len(step.x)),),
        shape=f.shape(gifts)[1:],
    )
    slopes, found = pullback(step.options["body"], cotangent, {0, *active})
    states = _run(f, _steps_first(f, step.y, rank), 0, steps)
    parameters = {0: Lifted(states, along=True)}
    for place, source in enumerate(step.x[1:], start=1):
        along = place <= len(ranks)
        number = _steps_first(f, source, ranks[place - 1]) if along else source
        parameters[place] = Lifted(number, along=along)
    lifting = Lifting(slopes, f.builder, steps, parameters)
    following = gifts
    if 0 in found:
        following = _backwards(f, gifts, lifting, cotangent, found[0])
    lifting.know(len(step.x), Lifted(_run(f, following, 1, steps + 1), along=True))
    gains = {0: _at(f, following, 0)}
    for place in sorted(found.keys() - {0}):
        (one,) = lifting.lift([found[place]])
        whole = lifting.along(one, slopes.nodes[found[place]])
        if place <= len(ranks):
            gains[place] = _steps_inside(f, whole, ranks[place - 1])
        else:
            gains[place] = f.apply("sum", whole, axes=(-len(f.shape(whole)),))
    return {place: gain for place, gain in gains.items() if place in active}


def _backwards(f: Algebra, gifts: int, lifting: Lifting, cotangent: Node, slope: int) -> int:
    """Return l[0], l[1], ..., l[T]: a recurrence from its end to its start.

    Args:
        f: Writes.
        gifts: What the users of each state hand to it.
        lifting: Of the body's derivatives; it knows all parameters but the cotangent.
        cotangent: That parameter.
        slope: The node of the derivatives that is the cotangent of the state.
    """
    slopes, steps = lifting.body, lifting.steps
    moving = _dependents(slopes, slope, cotangent)
    taken = (
        [slope]
        if slope not in moving
        else sorted({i for number in moving for i in slopes.nodes[number].inputs} - moving)
    )
    inputs = [_at(f, gifts, steps), _turned(f, _run(f, gifts, 0, steps))]
    elements, captures = [], []
    for number, lifted in zip(taken, lifting.lift(taken), strict=True):
        if lifted.along:
            elements.append((number, _turned(f, lifted.number)))
        elif f.node(lifted.number).operator != "constant":
            captures.append((number, lifted.number))
    inputs += [number for _, number in (*elements, *captures)]
    builder = GraphBuilder()
    state, gift = (builder.add(replace(cotangent, options=(("index", index),))) for index in (0, 1))
    known = {}
    for index, (number, _) in enumerate((*elements, *captures), start=2):
        one = slopes.nodes[number]
        parameter = replace(one, operator="parameter", inputs=(), options=(("index", index),))
        known[number] = builder.add(parameter)
    for number in sorted({*moving, *taken} - known.keys()):
        node = slopes.nodes[number]
        is_state = number in moving and node.operator == "parameter"
        known[number] = (
            state if is_state else builder.add(node.reading(tuple(known[i] for i in node.inputs)))
        )
    after = Writer(builder, cotangent.origin)("add", gift, known[slope])
    body = EnergyGraph(tuple(builder.nodes), {Root(RootKind.NEXT): after})
    ranks = [len(cotangent.shape), *(len(slopes.nodes[number].shape) for number, _ in elements)]
    options = {
        "body": body,
        "steps": steps,
        "rank": len(cotangent.shape),
        "element_ranks": tuple(ranks),
    }
    node = replace(
        cotangent,
        operator="scan",
        inputs=tuple(inputs),
        options=tuple(sorted(options.items())),
        shape=(steps + 1, *cotangent.shape),
    )
    return _turned(f, f.builder.add(node))


def _dependents(graph: EnergyGraph, result: int, source: Node) -> set[int]:
    """Return the nodes on ways from a leaf to a result."""
    needed = graph.ancestors(result) | {result}
    found: set[int] = set()
    for number in sorted(needed):
        node = graph.nodes[number]
        if node == source or any(i in found for i in node.inputs):
            found.add(number)
    return found


# --- the axis of the steps -------------------------------------------------------------


def _steps_first(f: Algebra, number: int, rank: int) -> int:
    """Put the axis of the steps, which stands before the last `rank`, in front."""
    before = len(f.shape(number))
    if rank == before - 1:
        return number
    return f.apply("moveaxis", number, source=-rank - 1, target=-before)


def _steps_inside(f: Algebra, number: int, rank: int) -> int:
    """Put the first axis before the last `rank`."""
    before = len(f.shape(number))
    if rank == before - 1:
        return number
    return f.apply("moveaxis", number, source=-before, target=-rank - 1)


def _run(f: Algebra, number: int, start: int, stop: int) -> int:
    """Return some steps of an array with the steps in front."""
    axis = -len(f.shape(number))
    return f.apply("slice", number, axis=axis, start=start, stop=stop)


def _at(f: Algebra, number: int, place: int) -> int:
    axis = -len(f.shape(number))
    return f.apply("take", number, f.array(np.asarray(place)), axis=axis)


def _turned(f: Algebra, number: int) -> int:
    """Return the steps in the other order."""
    shape = f.shape(number)
    return f.apply("take", number, f.array(np.arange(shape[0])[::-1]), axis=-len(shape))
