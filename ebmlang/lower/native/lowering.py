"""From nodes of a graph to cells: which rule each operator has.

A node that no unknown decides is computed once per binding, in torch, and handed over as an array.
Of the others each becomes a cell, or several, or only another way to read one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from ebmlang.graph import EnergyGraph, Kind, Node
from ebmlang.lang.operator import Family
from ebmlang.lang.table import OPERATORS
from ebmlang.lower.native.blocks import BLOCKS
from ebmlang.lower.native.cells import Leaf, Read
from ebmlang.lower.native.folding import FOLDS
from ebmlang.lower.native.movement import MOVEMENTS, Rule
from ebmlang.lower.native.templates import REAL, TRUTH, WHOLE
from ebmlang.lower.native.workshop import DeclinedError, Workshop, repeat

SQUARINGS = 16
"""Whole exponents up to which a power is a chain of multiplications."""


@dataclass(slots=True)
class Lowering:
    """The lowering of one graph.

    Attributes:
        graph: The graph.
        shop: Where its cells go.
        varying: For each node, whether it has a value per chain.
        known: What nodes have become.
        scan: The rule for recurrences.
    """

    graph: EnergyGraph
    shop: Workshop
    varying: Sequence[bool]
    scan: Callable[["Lowering", Node], Read]
    known: dict[int, Read] = field(default_factory=dict)

    def lower(self, numbers: Iterable[int]) -> None:
        """Lower these nodes and all that they depend on.

        Raises:
            DeclinedError: Something has no rule.
        """
        waiting = [(number, False) for number in reversed(list(numbers))]
        while waiting:
            number, ready = waiting.pop()
            if number in self.known:
                continue
            node = self.graph.nodes[number]
            if ready or not node.inputs or not self.varying[number]:
                self.known[number] = self._lowered(number, node)
                continue
            waiting.append((number, True))
            waiting.extend((i, False) for i in reversed(node.inputs))

    def _lowered(self, number: int, node: Node) -> Read:
        if node.operator == "constant":
            return self.shop.constant(node.option("value").array)
        if not self.varying[number]:
            return self.shop.shared(number, node.kind, node.shape)
        if node.operator == "scan":
            return self.scan(self, node)
        if node.operator not in RULES:
            path = node.origin.path
            raise DeclinedError(f"`{node.operator}` has no C form (in `{path}`)")
        reads = [self.known[i] for i in node.inputs]
        return RULES[node.operator](self.shop, node, reads)


# --- element by element --------------------------------------------------------------


def _elementwise(shop: Workshop, node: Node, reads: Sequence[Read]) -> Read:
    name, operands = node.operator, list(reads)
    if name == "to_real":
        return repeat(shop.real(operands[0]), node.shape)
    if name == "to_int" and operands[0].kind is Kind.INT:
        return operands[0]
    chosen = operands[1:] if name == "where" else operands
    whole = all(read.kind is Kind.INT for read in chosen)
    if node.kind is Kind.INT or (node.kind is Kind.BOOL and whole):
        template = WHOLE[name]
    elif name == "where" and node.kind is Kind.BOOL:
        template = TRUTH[name]
    else:
        template = REAL[name]
        chosen = [shop.real(read) for read in chosen]
    ready = [*operands[: len(operands) - len(chosen)], *chosen]
    wide = [repeat(read, node.shape) for read in ready]
    return shop.compute(template, *wide, kind=node.kind, shape=node.shape)


def _power(shop: Workshop, node: Node, reads: Sequence[Read]) -> Read:
    base, exponent = reads
    leaf = shop.cells[exponent.cell]
    known = leaf.constant if isinstance(leaf, Leaf) else None
    if node.kind is Kind.INT or known is None or known.size == 0:
        return _elementwise(shop, node, reads)
    first = float(known.reshape(-1)[0])
    if not (known == first).all():
        return _elementwise(shop, node, reads)
    x = repeat(shop.real(base), node.shape)
    if first in _POWERS:
        return shop.compute(_POWERS[first], x)
    if first == int(first) and abs(first) <= SQUARINGS:
        return shop.compute(f"whole_power({{0}}, {int(first)})", x)
    return _elementwise(shop, node, reads)


_POWERS: Mapping[float, str] = MappingProxyType(
    {0.5: "root({0})", -0.5: "1 / root({0})", 1.0: "{0}", 2.0: "{0} * {0}", -1.0: "1 / {0}"}
)

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        **{
            name: _elementwise
            for name, operator in OPERATORS.items()
            if operator.family is Family.ELEMENTWISE and (name in REAL or name in WHOLE)
        },
        "pow": _power,
        **FOLDS,
        **MOVEMENTS,
        **BLOCKS,
    }
)
"""Rule by the name of the operator; leaves and `scan` are the lowering's own."""
