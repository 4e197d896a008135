"""Ranges of many steps of one shape at once.

A spec of a thousand terms has a thousand small sums, and each call of interval arithmetic costs
as much for one number as for a thousand. So the nodes of a graph are taken level by level, and
those of one level with the same elementwise operator, options and shapes are put along a new first
axis. Elementwise ranges know nothing of their neighbors: what comes out is what each node alone
would give.
"""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ebmlang.analysis.framework import Derived
from ebmlang.analysis.long_axes import MANY
from ebmlang.graph import EnergyGraph, Node
from ebmlang.lang.behavior import enclose
from ebmlang.lang.interval import Interval
from ebmlang.lang.operator import Family
from ebmlang.lang.table import OPERATORS

LEAST = 4
"""Fewest nodes that are worth putting side by side."""

_ALONE = frozenset({"pow"})
"""Elementwise operators whose range over many numbers at once may be a wider one."""


def enclose_levels(
    graph: EnergyGraph,
    known: Mapping[int, Derived[Interval]],
    single: Callable[[int, Sequence[Derived[Interval]]], Derived[Interval]],
) -> list[Derived[Interval]]:
    """Return the range of each node, of its operator over those of its inputs.

    Args:
        graph: The graph.
        known: Ranges that are there already.
        single: Gives the range of a node, from those of all before it.
    """
    levels: list[int] = []
    groups: list[dict[object, list[int]]] = []
    for number, node in enumerate(graph.nodes):
        level = 1 + max((levels[i] for i in node.inputs), default=-1)
        levels.append(level)
        if level == len(groups):
            groups.append({})
        groups[level].setdefault(_key(graph, number, node), []).append(number)
    # Every place is filled before it is read: levels go from the leaves up.
    nothing = Derived(Interval.everything(()))
    found = [known.get(number, nothing) for number in range(len(graph.nodes))]
    for groups_of_level in groups:
        for members in groups_of_level.values():
            unknown = [number for number in members if number not in known]
            if len(unknown) >= LEAST and _is_elementwise(graph.nodes[unknown[0]]):
                _enclose_together(graph, unknown, found)
            else:
                for number in unknown:
                    found[number] = single(number, found)
    return found


def _is_elementwise(node: Node) -> bool:
    record = OPERATORS.get(node.operator)
    elementwise = record is not None and record.family is Family.ELEMENTWISE
    return elementwise and node.operator not in _ALONE and math.prod(node.shape) <= MANY


def _key(graph: EnergyGraph, number: int, node: Node) -> object:
    if not _is_elementwise(node):
        return number
    shapes = tuple(graph.nodes[i].shape for i in node.inputs)
    return (node.operator, node.options, shapes)


def _enclose_together(
    graph: EnergyGraph, members: Sequence[int], found: list[Derived[Interval]]
) -> None:
    """Put the ranges of nodes of one shape into their places."""
    nodes = [graph.nodes[number] for number in members]
    operands = []
    for place in range(len(nodes[0].inputs)):
        ranges = [found[node.inputs[place]].value for node in nodes]
        lower = np.stack([one.lower for one in ranges])
        upper = np.stack([one.upper for one in ranges])
        operands.append(Interval.make(lower, upper))
    name = nodes[0].operator
    together = enclose(OPERATORS[name], operands, dict(nodes[0].options))
    rule = f"the range of `{name}`"
    # `asarray`: an element of a vector is a NumPy number otherwise.
    for at, number in enumerate(members):
        value = Interval(np.asarray(together.lower[at]), np.asarray(together.upper[at]))
        found[number] = Derived(value, rule, graph.nodes[number].inputs)
