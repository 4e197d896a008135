"""A derivative along a direction: with reverse mode after it, a Hessian times a vector.

The gradient times a direction is one number; its gradient is H v, without H. The direction comes
as data by row: one vector per chain.
"""

from dataclasses import replace

from ebmlang.graph import EnergyGraph, GivenInfo, GraphBuilder, Kind, Node, Origin, Root, RootKind
from ebmlang.passes.gradient.reverse import differentiate, sweep_back
from ebmlang.passes.rewrite import Writer

DIRECTION = "direction of "
"""What stands before a variable's path in the path of the data that is its direction."""


def direct(graph: EnergyGraph, output: int) -> EnergyGraph:
    """Return the graph of (gradient of an output) times a direction, and the gradient of that.

    Args:
        graph: A graph without constraints.
        output: A node: a real scalar.

    Returns:
        A graph with TOTAL, the derivative along the direction, and GRADIENT, the Hessian times it;
        for each variable a given by row, `direction of PATH`, comes last among the givens.

    Raises:
        NoRuleError: A node has no rule, or its slope has none.
    """
    slopes = sweep_back(graph, output, again=True)
    builder = GraphBuilder()
    for node in slopes.nodes:
        builder.add(node)
    write = Writer(builder, Origin(None, ""))
    total = write.number(0.0)
    givens: list[GivenInfo] = []
    for root, number in slopes.roots_of(RootKind.GRADIENT):
        shape = slopes.nodes[number].shape
        path = DIRECTION + root.path
        givens.append(GivenInfo(path, Kind.REAL, shape, None, by_row=True))
        given = builder.add(
            Node(
                operator="given",
                options=(("path", path),),
                kind=Kind.REAL,
                shape=shape,
                origin=Origin(None, ""),
            )
        )
        product = write("mul", number, given)
        axes = tuple(range(-len(shape), 0))
        total = write("add", total, write.apply("sum", (product,), {"axes": axes}))
    directed = replace(
        slopes,
        nodes=tuple(builder.nodes),
        roots={Root(RootKind.TOTAL): total},
        givens=(*slopes.givens, *givens),
    )
    return differentiate(directed, total)
