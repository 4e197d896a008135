"""Packed points in emitted code: variables side by side are the point itself, or a run of it.

Steps of many variables read them from one array, which the graph puts together out of all of them
(`passes.batching`). It is what the code is called with.
"""

import math
from collections.abc import Sequence

from ebmlang.graph import EnergyGraph


def name_points(graph: EnergyGraph) -> dict[int, str]:
    """Return expressions of nodes that put variables side by side as a packed point does."""
    starts: dict[int, tuple[int, int]] = {}
    offset = 0
    for place, variable in enumerate(graph.variables):
        starts[place] = (offset, offset + math.prod(variable.shape))
        offset = starts[place][1]
    places = {variable.path: place for place, variable in enumerate(graph.variables)}
    own: dict[int, int] = {}
    names: dict[int, str] = {}
    for number, node in enumerate(graph.nodes):
        if node.operator == "variable":
            own[number] = places[node.option("path")]
        elif node.operator == "reshape" and node.inputs[0] in own and len(node.shape) == 1:
            own[number] = own[node.inputs[0]]
        elif node.operator in ("stack", "concat") and len(node.inputs) > 1:
            found = [own.get(i, -1) for i in node.inputs]
            rank = 0 if node.operator == "stack" else 1
            flat = all(len(graph.nodes[i].shape) == rank for i in node.inputs)
            if flat and found[0] >= 0 and found == list(range(found[0], found[0] + len(found))):
                first, last = starts[found[0]][0], starts[found[-1]][1]
                whole = last - first == offset
                names[number] = "x" if whole else f"x.narrow(1, {first}, {last - first})"
    return names


def find_point(graph: EnergyGraph, numbers: Sequence[int]) -> int | None:
    """Return the vector that these nodes are the elements of, all and in order; None otherwise.

    The derivatives by many variables are that, where their array was differentiated.
    """
    if len(numbers) < 2:
        return None
    start = 0
    whole = -1
    for number in numbers:
        node = graph.nodes[number]
        while node.operator == "reshape":
            node = graph.nodes[node.inputs[0]]
        if node.operator == "slice":
            first = node.option("start")
        elif node.operator == "take" and graph.nodes[node.inputs[1]].operator == "constant":
            index = graph.nodes[node.inputs[1]]
            if index.shape != ():
                return None
            first = int(index.option("value").array)
        else:
            return None
        whole = node.inputs[0] if start == 0 else whole
        if node.inputs[0] != whole or first != start or len(graph.nodes[whole].shape) != 1:
            return None
        start += math.prod(node.shape)
    return whole if (start,) == graph.nodes[whole].shape else None
