"""The operands of AND and OR, read off a margin: AND is a minimum, OR a maximum."""

from ebmlang.graph import EnergyGraph

_BINARY = {"min": "minimum", "max": "maximum"}


def find_operands(graph: EnergyGraph, number: int, reduction: str) -> tuple[int, ...]:
    """Return the operands of one connective, those of the same one inside it written out.

    Args:
        graph: The graph.
        number: A margin; one that is no such connective is its own only operand.
        reduction: `min` for AND, `max` for OR.
    """
    node = graph.nodes[number]
    if node.operator == _BINARY[reduction]:
        inputs = node.inputs
    elif node.operator == reduction and _joins_a_stack(graph, number):
        inputs = graph.nodes[node.inputs[0]].inputs
    else:
        return (number,)
    plain = (_unexpanded(graph, i) for i in inputs)
    return tuple(found for i in plain for found in find_operands(graph, i, reduction))


def _joins_a_stack(graph: EnergyGraph, number: int) -> bool:
    node = graph.nodes[number]
    stack = graph.nodes[node.inputs[0]]
    return node.option("axes") == (-1,) and stack.operator == "stack" and stack.option("axis") == -1


def _unexpanded(graph: EnergyGraph, number: int) -> int:
    while graph.nodes[number].operator == "expand":
        number = graph.nodes[number].inputs[0]
    return number
