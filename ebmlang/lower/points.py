"""Packed points in emitted code: variables side by side are the point itself, or a run of it.

Steps of many variables read them from one array, which the graph puts together out of all of them
(`passes.batching`). It is what the code is called with.
"""

import math

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
