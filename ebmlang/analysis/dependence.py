"""Which variables each node depends on, and the parts of the energy that share none.

Variables are told apart by path; the elements of an array are not. So `x[0]` and `x[1]` count as
one, and a chain along the elements of `x` is one block.

An energy f(x) + g(y) falls into two blocks, though it is one term: a node that is linear in all
its inputs that vary, jointly, is a sum of one function of each.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ebmlang.analysis.framework import Derived, propagate
from ebmlang.graph import Node, RootKind
from ebmlang.lang.facts import Rules, SignOf, Slope
from ebmlang.lang.operator import Family
from ebmlang.lang.table import OPERATORS

if TYPE_CHECKING:
    from ebmlang.analysis.facts import GraphFacts


@dataclass(frozen=True, slots=True)
class Block:
    """Variables that no other variable meets, in any summand of E or in anything required.

    exp(-E) is a product over blocks, and a minimizer of E is one of each block.

    Attributes:
        variables: Paths, in order of declaration.
        terms: Paths of the terms that speak of them, in order; a term that is a sum may be in
            several blocks.
    """

    variables: tuple[str, ...]
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Summand:
    """A node that a sum adds, up to a constant factor.

    Attributes:
        node: Its number.
        sign: 1 where the factor is not negative, -1 where it is not positive, 0 where it is
            neither, or not known.
    """

    node: int
    sign: int


def infer_dependence(facts: "GraphFacts") -> tuple[Derived[frozenset[str]], ...]:
    """Return for each node the paths of the variables that it depends on."""

    def transfer(
        _number: int, node: Node, inputs: tuple[frozenset[str], ...]
    ) -> Derived[frozenset[str]]:
        if node.operator == "variable":
            path = node.option("path")
            return Derived(frozenset({path}), f"`{path}` is a variable")
        because = tuple(i for i, paths in zip(node.inputs, inputs, strict=True) if paths)
        return Derived(frozenset().union(*inputs), "what its operands depend on", because)

    return propagate(facts.graph, transfer)


def find_blocks(facts: "GraphFacts") -> tuple[Block, ...]:
    """Return the independent parts of E under its requirements, in order of their variables.

    Every variable is in one block; one that nothing touches is a block without terms.
    """
    order = [variable.path for variable in facts.graph.variables]
    # Not a library of graphs: for this alone its import would cost a tenth of a second each start.
    together = {path: {path} for path in order}
    touched: dict[str, set[str]] = {}
    for term, paths in _iterate_pieces(facts):
        touched.setdefault(term, set()).update(paths)
        joined = set[str]().union(*(together[path] for path in paths))
        if any(together[path] is not together[next(iter(paths))] for path in paths):
            together.update(dict.fromkeys(joined, joined))
    # In the order of their first variables.
    parts = list({id(together[path]): together[path] for path in order}.values())
    terms = [term.path for term in facts.graph.terms]
    return tuple(
        Block(
            tuple(path for path in order if path in part),
            tuple(term for term in terms if touched.get(term, set()) & part),
        )
        for part in parts
    )


def find_summands(facts: "GraphFacts", number: int) -> tuple[Summand, ...]:
    """Return the nodes that vary of which a node is a sum, with constant factors."""
    signs: dict[int, int] = {number: 1}
    found: list[Summand] = []
    while signs:
        # The largest first: by then all that lead to it have been seen.
        current = max(signs)
        sign = signs.pop(current)
        inputs = _split(facts, current)
        if inputs is None:
            found.append(Summand(current, sign))
            continue
        for position in inputs:
            i = facts.graph.nodes[current].inputs[position]
            here = sign * _factor_sign(facts, current, position)
            signs[i] = here if signs.get(i, here) == here else 0
    return tuple(reversed(found))


def find_conjuncts(facts: "GraphFacts", number: int) -> tuple[int, ...]:
    """Return the nodes whose elements make up a root HARD; each margin is required by itself."""
    found: dict[int, None] = {}
    waiting = [number]
    while waiting:
        current = waiting.pop()
        node = facts.graph.nodes[current]
        record = OPERATORS.get(node.operator)
        if record is not None and record.family is Family.STRUCTURAL:
            waiting.extend(i for i in reversed(node.inputs) if facts.dependence[i].value)
        else:
            found[current] = None
    return tuple(found)


def is_linear_in(node: Node, positions: Iterable[int]) -> bool:
    """Whether a node is affine in some of its operands jointly, the others held still."""
    record = OPERATORS.get(node.operator)
    if record is None or not isinstance(record.facts, Rules):
        return False
    last = len(record.parameters) - 1
    places = {min(position, last) for position in positions}
    return any(places <= set(group) for group in record.facts.linear)


def _iterate_pieces(facts: "GraphFacts") -> Iterator[tuple[str, frozenset[str]]]:
    """Yield a term's path and the variables of each of its summands, or of its requirements."""
    dependence = facts.dependence
    for root, number in facts.graph.roots.items():
        if root.kind is RootKind.ENERGY:
            for summand in find_summands(facts, number):
                if paths := dependence[summand.node].value:
                    yield root.path, paths
        elif root.kind is RootKind.HARD:
            for conjunct in find_conjuncts(facts, number):
                if paths := dependence[conjunct].value:
                    yield root.path, paths


def _split(facts: "GraphFacts", number: int) -> tuple[int, ...] | None:
    """Return the positions of the inputs that vary if the node is a sum over them, else None."""
    node = facts.graph.nodes[number]
    varying = tuple(p for p, i in enumerate(node.inputs) if facts.dependence[i].value)
    return varying if varying and is_linear_in(node, varying) else None


def _factor_sign(facts: "GraphFacts", number: int, position: int) -> int:
    """Return the sign of the factor that a linear node gives one operand; 0 if it is mixed."""
    node = facts.graph.nodes[number]
    record = OPERATORS[node.operator]
    assert isinstance(record.facts, Rules)
    slope = record.facts.slopes[min(position, len(record.facts.slopes) - 1)]
    if isinstance(slope, Slope):
        return slope.value or 0
    assert isinstance(slope, SignOf)
    bounds = facts.bounds[node.inputs[slope.operand]].value
    if (bounds.lower >= 0).all():
        return slope.factor
    return -slope.factor if (bounds.upper <= 0).all() else 0
