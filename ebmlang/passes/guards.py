"""Where a choice must keep the branch not taken from spoiling gradients.

`where(m, log(x), 0)` has the right value where x = -1 and m is false. Its gradient there should
be 0, and comes out as 0 * nan = nan: the zero that `where` sends back meets the slope of `log`. The
cure is to stop gradients once more where they leave the branch: `x` is replaced by
`where(m, x, x.detach())`, the same number with no gradient where m is false.

A branch here is what only this choice uses, elementwise, and it is guarded only if it has a
steep operator: one whose slope can be infinite or undefined where its value is not used.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ebmlang.graph import EnergyGraph, Node
from ebmlang.lang.operator import Family
from ebmlang.lang.table import OPERATORS

_BRANCHES = {"where": {1: True, 2: False}, "supported": {3: True}}
"""For operators that choose: operand number to the mask's value where that operand is taken."""

_STEEP = frozenset(
    {
        *("acos", "asin", "atan2", "cosh", "div", "exp", "expm1", "lgamma", "log", "log1mexp"),
        *("log1p", "mod", "pow", "sinh", "sqrt", "tan"),
    }
)


@dataclass(frozen=True, slots=True)
class Guard:
    """Gradients pass only where the mask of node `choice` is `taken`."""

    choice: int
    taken: bool


Edge: TypeAlias = tuple[int, int]
"""A node and the place of one of its inputs."""


def plan_guards(graph: EnergyGraph, varying: Sequence[bool]) -> Mapping[Edge, tuple[Guard, ...]]:
    """Return, for edges that need them, the guards that gradients pass, outermost first."""
    nodes = graph.nodes
    choices = [
        (number, place, taken)
        for number, node in enumerate(nodes)
        for place, taken in _BRANCHES.get(node.operator, {}).items()
        if varying[node.inputs[place]]
    ]
    if not choices:
        return {}
    users = _users(graph)
    guards: dict[Edge, list[Guard]] = {}
    for number, place, taken in choices:
        branch = _branch(nodes, users, varying, (number, place))
        if any(_is_steep(nodes, member) for member in branch):
            for member in branch:
                for i, source in enumerate(nodes[member].inputs):
                    if varying[source] and source not in branch:
                        guards.setdefault((member, i), []).append(Guard(number, taken))
    return {edge: tuple(found) for edge, found in guards.items()}


def mask_inputs(graph: EnergyGraph, guard: Guard) -> tuple[int, ...]:
    """Return the nodes that the mask of a guard is made of."""
    choice = graph.nodes[guard.choice]
    return choice.inputs[:1] if choice.operator == "where" else choice.inputs[:3]


def _users(graph: EnergyGraph) -> list[set[Edge]]:
    users: list[set[Edge]] = [set() for _ in graph.nodes]
    for number, node in enumerate(graph.nodes):
        for place, source in enumerate(node.inputs):
            users[source].add((number, place))
    for number in graph.roots.values():
        users[number].add((len(graph.nodes), 0))
    return users


def _branch(
    nodes: Sequence[Node], users: Sequence[set[Edge]], varying: Sequence[bool], choice: Edge
) -> set[int]:
    """Return the varying elementwise nodes that serve nothing but this operand of the choice."""
    branch: set[int] = set()
    rank = len(nodes[choice[0]].shape)
    # Largest number first: every user of a node is settled before the node is.
    waiting = [-nodes[choice[0]].inputs[choice[1]]]
    while waiting:
        number = -heapq.heappop(waiting)
        operator = OPERATORS.get(nodes[number].operator)
        only = all(edge == choice or edge[0] in branch for edge in users[number])
        if (
            number not in branch
            and varying[number]
            and operator is not None
            and operator.family is Family.ELEMENTWISE
            and len(nodes[number].shape) == rank
            and only
        ):
            branch.add(number)
            for source in nodes[number].inputs:
                heapq.heappush(waiting, -source)
    return branch


def _is_steep(nodes: Sequence[Node], number: int) -> bool:
    node = nodes[number]
    if node.operator not in _STEEP:
        return False
    if node.operator not in ("div", "mod", "pow"):
        return True
    right = nodes[node.inputs[1]]
    if right.operator != "constant":
        return True
    known = right.option("value").array
    return bool(np.any(known < 1)) if node.operator == "pow" else bool(np.any(known == 0))
