"""The ORs at the top of a problem: what each chooses from, as a problem of its own.

    E = F + (A or B)        gives  F + A  and  F + B,  each nowhere lower than E
    require A or B          gives  require A  and  require B,  each for a part of what is feasible

So a minimum of a part is a point whose energy can be reached, and searches that know nothing of
each other cannot all be drawn to the same side. Where the OR takes the least of its operands
exactly (`logic godel`, and everything required) the parts are *exact*: the least minimum of all
parts is the minimum of the whole. Where it is smooth (`product`, and densities) E may be lower by
the log of the number of operands, so a minimum of the whole is near that of a part, and not at it.

An OR is at the top where E holds it as a summand, up to a positive factor, or where it is required.
Those inside of quantifiers have one choice for each element, and are left whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ebmlang.analysis.dependence import find_conjuncts, find_summands
from ebmlang.analysis.facts import GraphFacts
from ebmlang.graph import EnergyGraph, GraphBuilder, Root, RootKind
from ebmlang.graph.integrands import keep_roots
from ebmlang.lang.facts import Envelope, Rules
from ebmlang.lang.table import OPERATORS

MOST_ALTERNATIVES = 16
"""Parts past which a problem is left whole: each is compiled and searched by itself."""

EXACT = frozenset({"min", "max", "minimum", "maximum"})
"""Operators whose value is that of one of their operands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """One of the parts.

    Attributes:
        name: The paths of the terms that open up, with the number of what each OR chose.
        paths: The terms that open up.
        graph: The problem with every OR replaced by what it chose.
        exact: Whether every OR takes the least of its operands exactly.
    """

    name: str
    paths: tuple[str, ...]
    graph: EnergyGraph
    exact: bool


def find_alternatives(facts: GraphFacts) -> tuple[Alternative, ...]:
    """Return what a problem opens up into; () where there is no OR at its top, or too many parts.

    Args:
        facts: Of the whole, with data and weights.
    """
    if _find_choice(facts) is None:
        return ()
    found: list[Alternative] = []
    for alternative in _open(facts, "", (), exact=True):
        found.append(alternative)
        if len(found) > MOST_ALTERNATIVES:
            return ()
    return tuple(found)


def _open(
    facts: GraphFacts, name: str, paths: tuple[str, ...], *, exact: bool
) -> Iterator[Alternative]:
    """Yield the parts of a problem, those of the first OR's first operand first."""
    choice = _find_choice(facts)
    if choice is None:
        yield Alternative(name=name, paths=paths, graph=facts.graph, exact=exact)
        return
    node = facts.graph.nodes[choice]
    path = node.origin.path
    for place, (source, element) in enumerate(_list_operands(facts.graph, choice)):
        graph = _choose(facts.graph, choice, source, element)
        yield from _open(
            GraphFacts(graph, facts.inputs),
            f"{name} {path}[{place}]".lstrip(),
            paths if path in paths else (*paths, path),
            exact=exact and node.operator in EXACT,
        )


def _find_choice(facts: GraphFacts) -> int | None:
    """Return the first OR at the top."""
    graph = facts.graph
    wanted: dict[int, Envelope | None] = {
        summand.node: {1: Envelope.MIN, -1: Envelope.MAX}.get(summand.sign)
        for summand in find_summands(facts, graph.roots[Root(RootKind.TOTAL)])
    }
    hard = [n for _, root in graph.roots_of(RootKind.HARD) for n in find_conjuncts(facts, root)]
    for number in hard:
        # What stands in E too would have to choose there as well.
        wanted[number] = None if number in wanted else Envelope.MAX
    for number, envelope in wanted.items():
        if envelope is not None and _chooses(facts, number, envelope):
            others = (other for other in wanted if other > number)
            if not any(number in graph.ancestors(other) for other in others):
                return number
    return None


def _chooses(facts: GraphFacts, number: int, wanted: Envelope) -> bool:
    node = facts.graph.nodes[number]
    record = OPERATORS.get(node.operator)
    if node.shape or record is None or not isinstance(record.facts, Rules):
        return False
    if record.facts.envelope is not wanted:
        return False
    operands = _list_operands(facts.graph, number)
    return len(operands) > 1 and all(facts.dependence[i].value for i, _ in operands)


def _list_operands(graph: EnergyGraph, number: int) -> list[tuple[int, int | None]]:
    """Return the scalars a node chooses from: nodes, or a vector with a place in it."""
    node = graph.nodes[number]
    if len(node.inputs) > 1:
        return (
            []
            if any(graph.nodes[i].shape for i in node.inputs)
            else [(i, None) for i in node.inputs]
        )
    (inner,) = node.inputs
    vector = graph.nodes[inner]
    if vector.operator == "stack" and all(not graph.nodes[i].shape for i in vector.inputs):
        return [(i, None) for i in vector.inputs]
    # Elements that a condition leaves out are written by `where`: there is nothing to choose.
    if len(vector.shape) != 1 or any(
        graph.nodes[i].operator == "where" for i in (inner, *graph.ancestors(inner))
    ):
        return []
    return [(inner, place) for place in range(vector.shape[0])]


def _choose(graph: EnergyGraph, choice: int, source: int, element: int | None) -> EnergyGraph:
    """Return the graph with an OR replaced by one of its operands, and the roots of a search."""
    builder = GraphBuilder()
    numbers: list[int] = []
    for number, node in enumerate(graph.nodes):
        if number == choice:
            chosen = numbers[source]
            numbers.append(chosen if element is None else builder.element(chosen, element))
        else:
            inputs = tuple(numbers[i] for i in node.inputs)
            numbers.append(builder.add(node.reading(inputs)))
    roots = {root: numbers[number] for root, number in graph.roots.items()}
    changed = replace(graph, nodes=tuple(builder.nodes), roots=roots)
    runs = (RootKind.TOTAL, RootKind.ENERGY, RootKind.HARD, RootKind.LOWER, RootKind.UPPER)
    needed = {n for root, n in roots.items() if root.kind in runs}
    needed |= {i for n in needed for i in changed.ancestors(n)}
    checks = (RootKind.INDEX, RootKind.POSITIVE)
    return keep_roots(
        changed,
        {
            root: n
            for root, n in roots.items()
            if root.kind in runs or (root.kind in checks and n in needed)
        },
    )
