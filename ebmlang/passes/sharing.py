"""What is computed twice is computed once.

The graph is hash-consed, so equal steps are one node already. This pass makes more of them equal:
it writes the operands of commutative operators in one order, and then merges.
"""

from ebmlang.graph import EnergyGraph, GraphBuilder, Node
from ebmlang.lang.table import OPERATORS
from ebmlang.passes.rewrite import Pass, rewrite_nodes, with_bodies


def share_steps(graph: EnergyGraph) -> EnergyGraph:
    """Return the graph with commutative operands in one order, and equal steps merged."""
    return rewrite_nodes(with_bodies(graph, share_steps), _ordered)


def _ordered(builder: GraphBuilder, node: Node) -> int:
    record = OPERATORS.get(node.operator)
    if record is not None and record.commutative:
        return builder.add(node.reading(tuple(sorted(node.inputs))))
    return builder.add(node)


SHARING = Pass(
    name="sharing",
    needs=(),
    law="every root keeps its value bit for bit",
    rewrite=share_steps,
)
