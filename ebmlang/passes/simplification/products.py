"""Products of several fixed matrices with one vector become one product.

A call of torch costs more than a small product does, and one large product runs at a higher rate
than several small ones.
"""

from collections import defaultdict
from dataclasses import replace

from ebmlang.graph import EnergyGraph, GraphBuilder, Kind, Node
from ebmlang.passes.rewrite import Writer


def join_products(graph: EnergyGraph) -> EnergyGraph:
    """Return the graph with one `matvec` for all fixed matrices that one vector is given to."""
    groups = _groups(graph)
    if not groups:
        return graph
    place = {number: (x, i) for x, group in groups.items() for i, number in enumerate(group)}
    builder = GraphBuilder()
    numbers: dict[int, int] = {}
    joined: dict[int, int] = {}

    def add(number: int) -> None:
        node = graph.nodes[number]
        numbers[number] = builder.add(replace(node, inputs=tuple(numbers[i] for i in node.inputs)))

    # What is fixed first: the matrices of a group are there before any of its products is.
    order = sorted(range(len(graph.nodes)), key=lambda number: graph.varying[number])
    for number in order:
        if number not in place:
            add(number)
            continue
        x, _ = place[number]
        if x not in joined:
            joined[x] = _product(graph, builder, numbers, groups[x])
        numbers[number] = _part(graph, builder, groups[x], number, joined[x])
    return replace(
        graph,
        nodes=tuple(builder.nodes),
        roots={root: numbers[number] for root, number in graph.roots.items()},
    )


def _groups(graph: EnergyGraph) -> dict[int, list[int]]:
    """Return, by vector, the products of different fixed matrices with it, where several."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for number, node in enumerate(graph.nodes):
        if node.operator == "matvec" and node.kind is Kind.REAL:
            matrix, x = node.inputs
            plain = len(graph.nodes[matrix].shape) == 2 and not graph.varying[matrix]
            if plain and graph.nodes[matrix].kind is Kind.REAL and graph.varying[x]:
                found[x].append(number)
    return {x: group for x, group in found.items() if len(group) > 1}


def _product(
    graph: EnergyGraph, builder: GraphBuilder, numbers: dict[int, int], group: list[int]
) -> int:
    first = graph.nodes[group[0]]
    write = Writer(builder, first.origin)
    matrices = [numbers[graph.nodes[number].inputs[0]] for number in group]
    whole = write.apply("concat", matrices, {"axis": -2})
    return write.apply("matvec", (whole, numbers[first.inputs[1]]))


def _part(
    graph: EnergyGraph, builder: GraphBuilder, group: list[int], number: int, product: int
) -> int:
    sizes = [_rows(graph.nodes[one]) for one in group]
    at = group.index(number)
    start = sum(sizes[:at])
    options = {"axis": -1, "start": start, "stop": start + sizes[at]}
    return Writer(builder, graph.nodes[number].origin).apply("slice", (product,), options)


def _rows(node: Node) -> int:
    return node.shape[-1]
