"""`a or not a`: margins of which one is never below zero where another is, by their form."""

from dataclasses import dataclass, field

from ebmlang.analysis.findings.joins import find_operands
from ebmlang.graph import EnergyGraph, Node


def is_tautology(graph: EnergyGraph, margin: int) -> bool:
    """Whether a margin is that of an OR of a formula and its negation, among others.

    The negation of an AND is written out: `(p and q) or not p or not q`.
    """
    operands = find_operands(graph, margin, "max")
    forms = _Forms(graph)
    return len(operands) > 1 and any(
        all(
            any(forms.are_opposite(conjunct, other) for other in operands)
            for conjunct in find_operands(graph, operand, "min")
        )
        for operand in operands
    )


@dataclass(slots=True)
class _Forms:
    """Pairs of nodes of one graph that were compared; lives inside one call."""

    graph: EnergyGraph
    known: dict[tuple[int, int], bool] = field(default_factory=dict)

    def are_opposite(self, first: int, second: int) -> bool:
        """Whether one node is minus the other, element by element, by their form."""
        if (first, second) not in self.known:
            self.known[first, second] = self._compare(first, second)
        return self.known[first, second]

    def _compare(self, first: int, second: int) -> bool:
        a, b = self.graph.nodes[first], self.graph.nodes[second]
        if (a.operator == "neg" and a.inputs[0] == second) or (
            b.operator == "neg" and b.inputs[0] == first
        ):
            return True
        match a.operator, b.operator:
            case "sub", "sub":
                return a.inputs == b.inputs[::-1]
            case "sub", _ if self._is_zero(a.inputs[0]):
                return a.inputs[1] == second
            case _, "sub" if self._is_zero(b.inputs[0]):
                return b.inputs[1] == first
            case "div", "div":
                return a.inputs[1] == b.inputs[1] and self.are_opposite(a.inputs[0], b.inputs[0])
            case "mul", "mul":
                return any(
                    a.inputs[i] == b.inputs[j]
                    and self.are_opposite(a.inputs[1 - i], b.inputs[1 - j])
                    for i in (0, 1)
                    for j in (0, 1)
                )
            case ("reshape", "reshape") | ("expand", "expand") | ("stack", "stack"):
                return a.options == b.options and self._in_order(a, b)
            case ("min" | "minimum", "max" | "maximum"):
                return self._are_dual(first, second)
            case ("max" | "maximum", "min" | "minimum"):
                return self._are_dual(second, first)
            case _:
                return False

    def _in_order(self, a: Node, b: Node) -> bool:
        pairs = zip(a.inputs, b.inputs, strict=False)
        return len(a.inputs) == len(b.inputs) and all(self.are_opposite(*pair) for pair in pairs)

    def _are_dual(self, least: int, greatest: int) -> bool:
        """Whether a minimum is minus a maximum: over the same values negated, in any order."""
        some = find_operands(self.graph, least, "min")
        others = find_operands(self.graph, greatest, "max")
        if some == (least,) and others == (greatest,):
            a, b = self.graph.nodes[least], self.graph.nodes[greatest]
            return a.options == b.options and self._in_order(a, b)
        return all(any(self.are_opposite(i, j) for j in others) for i in some) and all(
            any(self.are_opposite(i, j) for i in some) for j in others
        )

    def _is_zero(self, number: int) -> bool:
        node = self.graph.nodes[number]
        return node.operator == "constant" and not node.option("value").array.any()
