"""The derivative of a recurrence: a recurrence that runs backwards.

With s[t + 1] = f(s[t], e[t], c), let G[t] be what the users of the states hand to s[t], and l[t]
the derivative by s[t] of all that follows. Then

    l[T] = G[T],    l[t] = G[t] + (df/ds)^T l[t + 1],

and e[t] gains (df/de)^T l[t + 1], and c the sum over t of (df/dc)^T l[t + 1], both at s[t], e[t].
Only the first is a recurrence. The states are known, as the forward one keeps them all, and so
once l is, the gains of all steps are computed at once (`passes.lifting`). So is what the steps
backwards need of states and elements alone (`passes.hoisting`).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from ebmlang.graph import EnergyGraph, GraphBuilder, Node
from ebmlang.passes.hoisting import steps_first, steps_inside, take_operand, write_steps
from ebmlang.passes.lifting import Lifted, Lifting
from ebmlang.passes.rewrite import Writer

Pullback: TypeAlias = Callable[
    [EnergyGraph, Node, Collection[int]], tuple[EnergyGraph, Mapping[int, int]]
]
"""From a body, a new parameter that is the cotangent of its next state, and indices of other
parameters, to a graph with the cotangent of each of those that has one, in full."""


def pull_recurrence(
    write: Writer, g: int, number: int, active: Collection[int], pullback: Pullback
) -> dict[int, int]:
    """Return what the cotangent of all states hands to operands, by their place.

    Args:
        write: Writes.
        g: The cotangent, in full.
        number: The recurrence.
        active: Places of the operands that have a derivative.
        pullback: Differentiates the body.
    """
    node = write.builder.nodes[number]
    steps, rank = node.option("steps"), node.option("rank")
    ranks: tuple[int, ...] = node.option("element_ranks")
    gifts = steps_first(write, g, rank)
    if not steps:
        return {0: _at(write, gifts, 0)} if 0 in active else {}
    places = len(node.inputs)
    cotangent = _parameter(node, places, write.builder.nodes[gifts].shape[1:])
    slopes, found = pullback(node.option("body"), cotangent, {0, *active})
    states = _run(write, steps_first(write, number, rank), 0, steps)
    parameters = {place: take_operand(write, node, place) for place in range(1, places)}
    parameters[0] = Lifted(states, along=True)
    following = gifts
    if 0 in found:
        slopes, total = _with_gift(slopes, found[0], cotangent)
        earlier = Lifted(_run(write, gifts, 0, steps), along=True)
        lifting = Lifting(slopes, write.builder, steps, {**parameters, places + 1: earlier})
        last = _at(write, gifts, steps)
        following = write_steps(lifting, total, cotangent, last, backwards=True)
    parameters[places] = Lifted(_run(write, following, 1, steps + 1), along=True)
    lifting = Lifting(slopes, write.builder, steps, parameters)
    gains = {0: _at(write, following, 0)}
    for place in sorted(found.keys() - {0}):
        (one,) = lifting.lift([found[place]])
        whole = lifting.along(one, slopes.nodes[found[place]])
        if place <= len(ranks):
            gains[place] = steps_inside(write, whole, ranks[place - 1])
        else:
            axis = -len(write.builder.nodes[whole].shape)
            gains[place] = write.apply("sum", (whole,), {"axes": (axis,)})
    return {place: gain for place, gain in gains.items() if place in active}


def _parameter(node: Node, index: int, shape: tuple[int, ...]) -> Node:
    options = (("index", index),)
    return replace(node, operator="parameter", inputs=(), options=options, shape=shape)


def _with_gift(slopes: EnergyGraph, slope: int, cotangent: Node) -> tuple[EnergyGraph, int]:
    """Return the derivatives of a body with the sum of a slope and of what users hand to it."""
    builder = GraphBuilder()
    for node in slopes.nodes:
        builder.add(node)
    gift = builder.add(_parameter(cotangent, cotangent.option("index") + 1, cotangent.shape))
    total = Writer(builder, cotangent.origin)("add", gift, slope)
    return replace(slopes, nodes=tuple(builder.nodes)), total


def _run(write: Writer, number: int, start: int, stop: int) -> int:
    """Return some steps of an array with the steps in front."""
    axis = -len(write.builder.nodes[number].shape)
    return write.apply("slice", (number,), {"axis": axis, "start": start, "stop": stop})


def _at(write: Writer, number: int, place: int) -> int:
    axis = -len(write.builder.nodes[number].shape)
    index = write.builder.constant(np.asarray(place), write.origin)
    return write.apply("take", (number, index), {"axis": axis})
