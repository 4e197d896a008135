"""Sums that torch takes in fewer calls than they have steps.

Torch adds a product to an array in one call (`addcmul`, `addcdiv`, `addmm`, `addmv`), and a call
costs as much as a thousand elements. So additions that only feed each other are one sum, and of
its addends those that are products and of no other use are taken along by the call that adds them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ebmlang.graph import EnergyGraph, Kind, Node

ELEMENTWISE = ("mul", "div", "square")
"""Products of elements, which an addition takes along."""

MATRICES = ("matvec", "vecmat", "dot")
"""Products with something fixed, which an addition takes along."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addend:
    """One of what is added up.

    Attributes:
        number: The node.
        negative: Whether it is taken away.
        is_taken: Whether the call that adds it computes it as well.
    """

    number: int
    negative: bool
    is_taken: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """Additions in one.

    Attributes:
        offsets: What is known before the unknowns are.
        addends: What varies, in the order of adding. The first has the shape of the whole; without
            offsets it is neither negative nor taken along.
    """

    offsets: tuple[Addend, ...]
    addends: tuple[Addend, ...]

    @property
    def calls(self) -> int:
        """How many calls of torch it takes, those of what it takes along included."""
        return len(self.addends) - (0 if self.offsets else 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """The sums of a graph.

    Attributes:
        by_node: Each by the node whose value it is.
        inner: Nodes that have no call of their own: those inside of a sum.
    """

    by_node: Mapping[int, Sum]
    inner: frozenset[int]


def find_sums(graph: EnergyGraph) -> Sums:
    """Return the sums of a graph that take fewer calls than they have steps."""
    found: dict[int, Sum] = {}
    inner: set[int] = set()
    for number in range(len(graph.nodes) - 1, -1, -1):
        if number in inner or not _is_addition(graph, number):
            continue
        joined, addends = _flatten(graph, number)
        whole = _arrange(graph, addends, graph.nodes[number].shape)
        if whole is None:
            continue
        taken = {addend.number for addend in whole.addends if addend.is_taken}
        if whole.calls < len(joined) + len(taken):
            found[number] = whole
            inner.update(taken, joined - {number})
    return Sums(by_node=found, inner=frozenset(inner))


def _is_addition(graph: EnergyGraph, number: int) -> bool:
    node = graph.nodes[number]
    real = all(graph.nodes[i].kind is Kind.REAL for i in node.inputs)
    return node.operator in ("add", "sub") and graph.varying[number] and real


def _flatten(graph: EnergyGraph, number: int) -> tuple[set[int], list[tuple[int, bool]]]:
    """Return the additions that only feed each other, and what they add up, with its sign."""
    shape = graph.nodes[number].shape
    joined: set[int] = set()
    addends: list[tuple[int, bool]] = []
    waiting = [(number, False)]
    while waiting:
        place, negative = waiting.pop()
        node = graph.nodes[place]
        inside = place == number or (graph.uses[place] == 1 and node.shape == shape)
        if not (inside and _is_addition(graph, place)):
            addends.append((place, negative))
            continue
        joined.add(place)
        a, b = node.inputs
        waiting.extend(((b, negative ^ (node.operator == "sub")), (a, negative)))
    return joined, addends


def _arrange(
    graph: EnergyGraph,
    addends: Sequence[tuple[int, bool]],
    shape: tuple[int, ...],
) -> Sum | None:
    def addend(number: int, negative: bool) -> Addend:
        taken = graph.uses[number] == 1 and _can_be_taken(graph, number, shape)
        return Addend(number=number, negative=negative, is_taken=taken)

    varying = [addend(*found) for found in addends if graph.varying[found[0]]]
    offsets = tuple(addend(*found) for found in addends if not graph.varying[found[0]])
    fitting = [i for i in varying if graph.nodes[i.number].shape == shape]
    if not offsets:
        fitting = [i for i in fitting if not i.negative]
    if not fitting:
        return None
    # Something has to be there before anything is added to it.
    plain = () if offsets else (i for i in fitting if not i.is_taken)
    first = next(iter(plain), fitting[0])
    varying.remove(first)
    start = first if offsets else replace(first, is_taken=False)
    return Sum(offsets=offsets, addends=(start, *varying))


def _can_be_taken(graph: EnergyGraph, number: int, shape: tuple[int, ...]) -> bool:
    node = graph.nodes[number]
    if not graph.varying[number] or node.kind is not Kind.REAL or node.shape != shape:
        return False
    operands = [graph.nodes[i] for i in node.inputs]
    if any(operand.kind is not Kind.REAL for operand in operands):
        return False
    return node.operator in ELEMENTWISE or _is_fixed_product(graph, node)


def _is_fixed_product(graph: EnergyGraph, node: Node) -> bool:
    """Whether it is a vector of each chain times something fixed that all chains share."""
    if node.operator not in MATRICES:
        return False
    ranks = {graph.varying[i]: len(graph.nodes[i].shape) for i in node.inputs}
    return ranks == {True: 1, False: 1 if node.operator == "dot" else 2}
