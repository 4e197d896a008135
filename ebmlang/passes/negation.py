"""NOT goes down to the relations, where it flips the margin.

`not (a and b)` becomes `not a or not b`, `not forall` becomes `exists not`, and a relation becomes
the one that holds where it does not. So De Morgan and double negation hold exactly: both sides
are the same graph.
"""

from dataclasses import replace

from ebmlang.graph import EnergyGraph, GraphBuilder, Kind, Node
from ebmlang.lang.logics import DUAL, RELATIONS
from ebmlang.passes.rewrite import Pass, Writer, with_bodies

_Wanted = tuple[int, bool]
"""A node, and whether its negation is meant."""


def push_negation(graph: EnergyGraph) -> EnergyGraph:
    """Return the graph without `not`."""
    graph = with_bodies(graph, push_negation)
    wanted = _wanted(graph)
    builder = GraphBuilder()
    numbers: dict[_Wanted, int] = {}
    for number, node in enumerate(graph.nodes):
        for negated in (False, True):
            if (number, negated) in wanted:
                numbers[number, negated] = _rewritten(builder, graph, node, numbers, negated)
    roots = {root: numbers[number, False] for root, number in graph.roots.items()}
    return replace(graph, nodes=tuple(builder.nodes), roots=roots)


def _wanted(graph: EnergyGraph) -> set[_Wanted]:
    """Return which nodes are needed as they are, and which negated."""
    wanted: set[_Wanted] = {(number, False) for number in graph.roots.values()}
    for number in range(len(graph.nodes) - 1, -1, -1):
        for negated in (False, True):
            if (number, negated) in wanted:
                wanted.update(_inputs(graph, graph.nodes[number], negated))
    return wanted


def _inputs(graph: EnergyGraph, node: Node, negated: bool) -> list[_Wanted]:
    flipped = negated is not (node.operator == "not")
    keeps = node.kind is Kind.CONSTRAINT
    return [(i, flipped and keeps and graph.nodes[i].kind is Kind.CONSTRAINT) for i in node.inputs]


def _rewritten(
    builder: GraphBuilder,
    graph: EnergyGraph,
    node: Node,
    numbers: dict[_Wanted, int],
    negated: bool,
) -> int:
    inputs = tuple(numbers[wanted] for wanted in _inputs(graph, node, negated))
    if node.operator == "not":
        return inputs[0]
    if not negated:
        return builder.add(node.reading(inputs))
    if node.operator in RELATIONS:
        rule = RELATIONS[node.operator]
        writer = Writer(builder, node.origin, len(node.shape))
        operands = rule.negated_operands(writer, *inputs)
        return builder.add(replace(node, operator=rule.negation, inputs=operands))
    options = dict(node.options)
    if node.operator == "guard":
        options["neutral"] = not options["neutral"]
    operator = DUAL.get(node.operator, node.operator)
    return builder.add(
        replace(node, operator=operator, inputs=inputs, options=tuple(sorted(options.items())))
    )


NEGATION = Pass(
    name="negation",
    needs=(),
    law="margins and energies of every term stay equal; no `not` is left",
    rewrite=push_negation,
)
