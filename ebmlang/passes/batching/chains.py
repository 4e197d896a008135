"""Long chains of two-operand sums become one sum: `a + b + c + ...` is `sum(stack(a, b, c, ...))`.

Only what stands side by side in one array can be computed as one axis. Links of a chain that
something else reads stay where they are, and so do operands that broadcast.
"""

from collections import Counter
from dataclasses import replace

from ebmlang.graph import EnergyGraph, GraphBuilder
from ebmlang.passes.rewrite import Writer

_REDUCTIONS = {"add": "sum", "minimum": "min", "maximum": "max"}


def widen_chains(graph: EnergyGraph, least: int) -> EnergyGraph:
    """Return the graph with chains of at least `least` operands written as reductions."""
    if sum(node.operator in _REDUCTIONS for node in graph.nodes) < least - 1:
        return graph
    links = _find_links(graph)
    chains = {
        number: operands
        for number, node in enumerate(graph.nodes)
        if node.operator in _REDUCTIONS and number not in links
        if len(operands := _list_operands(graph, links, number)) >= least
    }
    if not chains:
        return graph
    builder = GraphBuilder()
    numbers: list[int] = []
    for number, node in enumerate(graph.nodes):
        if number in chains:
            write = Writer(builder, node.origin)
            operands = [numbers[i] for i in chains[number]]
            stacked = write.apply("stack", operands, {"axis": -1})
            reduction = _REDUCTIONS[node.operator]
            numbers.append(write.apply(reduction, (stacked,), {"axes": (-1,)}))
        else:
            inputs = tuple(numbers[i] for i in node.inputs)
            numbers.append(builder.add(node.reading(inputs)))
    roots = {root: numbers[number] for root, number in graph.roots.items()}
    return replace(graph, nodes=tuple(builder.nodes), roots=roots)


def _find_links(graph: EnergyGraph) -> set[int]:
    """Return the nodes that are inside of a chain: read once, by the same operator."""
    nodes = graph.nodes
    uses = Counter(i for node in nodes for i in node.inputs)
    uses.update(graph.roots.values())
    return {
        i
        for node in nodes
        if node.operator in _REDUCTIONS
        for i in node.inputs
        if nodes[i].operator == node.operator
        and uses[i] == 1
        and nodes[i].shape == node.shape
        and nodes[i].kind is node.kind
    }


def _list_operands(graph: EnergyGraph, links: set[int], number: int) -> list[int]:
    """Return what a chain that ends at a node joins, in order; nothing where it cannot be one."""
    top = graph.nodes[number]
    found: list[int] = []
    waiting = list(reversed(top.inputs))
    while waiting:
        current = waiting.pop()
        node = graph.nodes[current]
        if current in links and node.operator == top.operator:
            waiting.extend(reversed(node.inputs))
            continue
        if node.shape != top.shape or node.kind is not top.kind:
            return []
        found.append(current)
    return found
