"""An OR of densities at the top of E: exp(-E) as a sum of parts, each with its own energy.

    E = F - log(sum_i w_i p_i)    gives    exp(-E) = sum_i w_i exp(-(F - log p_i))

So each *branch* can be drawn by itself, and all of them combined by their masses, whatever lies
between them. The mass of a branch is its weight times the integral of p_i exp(-F); where the branch
is nothing but densities, one for each variable, that integral is 1.

An OR is at the top where E holds it as a plain summand of weight 1; an OR inside of a branch, and a
second one beside the first, open up in turn.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from ebmlang.analysis.facts import GraphFacts
from ebmlang.graph import EnergyGraph, GraphBuilder, Node, Root, RootKind
from ebmlang.graph.integrands import keep_roots
from ebmlang.lang.types import DomainKind
from ebmlang.source import Span

MOST_BRANCHES = 64
"""Past so many an OR is left whole: each branch has its own warm-up."""

MOST_ESTIMATED = 8
"""The same where masses have to be estimated, one after the other."""

_Scalar: TypeAlias = tuple[int, int | None]
"""A scalar node, or a vector's node and a place in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One of the parts.

    Attributes:
        name: The paths of the terms that open up, with the number of the operand of each OR:
            `fold[1]`, `fold[0][2]`, `fold[1] side[0]`.
        span: Where what it chose last is written.
        graph: E with every OR replaced by what it chose; its weight is part of it.
        log_weight: log of its weight, if its mass is that; None where an integral decides.
    """

    name: str
    span: Span | None
    graph: EnergyGraph
    log_weight: float | None


def find_branches(facts: GraphFacts) -> tuple[Branch, ...]:
    """Return what E opens up into; () where it has no OR at its top, or too many branches.

    Args:
        facts: Of the whole, with data and weights.
    """
    if _find_choice(facts) is None:
        return ()
    found: list[Branch] = []
    for branch in _open(facts, "", "", None):
        found.append(branch)
        if len(found) > MOST_BRANCHES:
            return ()
    estimated = any(branch.log_weight is None for branch in found)
    return () if estimated and len(found) > MOST_ESTIMATED else tuple(found)


def _open(facts: GraphFacts, name: str, latest: str, span: Span | None) -> Iterator[Branch]:
    """Yield the branches of an energy, the first OR's first."""
    choice = _find_choice(facts)
    if choice is None:
        log_weight = _find_weight(facts)
        yield Branch(name=name, span=span, graph=facts.graph, log_weight=log_weight)
        return
    number, operands = choice
    path = facts.graph.nodes[number].origin.path
    head = name if path == latest else f"{name} {path}".lstrip()
    for place, operand in enumerate(operands):
        graph = _choose(facts.graph, number, operand)
        where = _find_span(facts, number, operand) or span
        inner = GraphFacts(graph, facts.inputs)
        yield from _open(inner, f"{head}[{place}]", path, where)


# --- finding an OR -------------------------------------------------------------------


def _find_choice(facts: GraphFacts) -> tuple[int, list[_Scalar]] | None:
    """Return the first OR that E holds as a plain summand, and what it chooses from."""
    for (number, _), sign in _list_summands(facts):
        if sign < 0 and facts.graph.nodes[number].operator == "logsumexp":
            operands = _list_operands(facts.graph, number)
            if len(operands) > 1:
                return number, operands
    return None


def _list_summands(facts: GraphFacts) -> Iterator[tuple[_Scalar, int]]:
    """Yield what E is a plain sum of, each with a factor of 1 or -1; densities are left whole."""
    total: _Scalar = (facts.graph.roots[Root(RootKind.TOTAL)], None)
    pending = [(total, 1)]
    while pending:
        scalar, sign = pending.pop()
        parts = _split(facts, scalar) if _find_known(facts, scalar) is None else []
        if parts:
            pending.extend((part, sign * factor) for part, factor in reversed(parts))
        else:
            yield scalar, sign


def _split(facts: GraphFacts, scalar: _Scalar) -> list[tuple[_Scalar, int]]:
    """Return what a scalar is a sum of, each with its sign; nothing where it is none."""
    graph, (number, place) = facts.graph, scalar
    node = graph.nodes[number]
    inputs = [_element(graph, i, place) for i in node.inputs]
    match node.operator:
        case "add":
            return [(i, 1) for i in inputs]
        case "sub":
            return [(inputs[0], 1), (inputs[1], -1)]
        case "neg":
            return [(inputs[0], -1)]
        case "mul":
            for factor, other in (inputs, inputs[::-1]):
                if _value(facts, factor) == 1:
                    return [(other, 1)]
        case "sum" if not node.shape:
            inner = graph.nodes[node.inputs[0]]
            if _is_stack(graph, inner):
                return [((i, None), 1) for i in inner.inputs]
            if inner.operator == "slice" and inner.shape == (1,):
                return [((inner.inputs[0], inner.option("start")), 1)]
    return []


def _element(graph: EnergyGraph, number: int, place: int | None) -> _Scalar:
    """Return what of an operand meets the place of a result."""
    shape = graph.nodes[number].shape
    if place is None or not shape:
        return number, None
    return number, place if shape[-1] > 1 else 0


def _list_operands(graph: EnergyGraph, number: int) -> list[_Scalar]:
    """Return the scalars that a node is the logsumexp of."""
    inner = graph.nodes[number].inputs[0]
    node = graph.nodes[inner]
    if _is_stack(graph, node):
        return [(i, None) for i in node.inputs]
    if len(node.shape) == 1 and not _has_mask(graph, inner):
        return [(inner, place) for place in range(node.shape[0])]
    return []


def _has_mask(graph: EnergyGraph, number: int) -> bool:
    """Whether elements of a vector may be left out: there is nothing to draw of them."""
    node = graph.nodes[number]
    elementwise = ("add", "sub", "neg", "where")
    return node.operator == "where" or (
        node.operator in elementwise and any(_has_mask(graph, i) for i in node.inputs)
    )


def _is_stack(graph: EnergyGraph, node: Node) -> bool:
    return node.operator == "stack" and all(not graph.nodes[i].shape for i in node.inputs)


def _value(facts: GraphFacts, scalar: _Scalar) -> float | None:
    """Return the number that a scalar is, up to rounding; None where it moves or is not known."""
    number, place = scalar
    if facts.dependence[number].value:
        return None
    bounds = facts.bounds[number].value
    if bounds.lower.size != 1 and place is None:
        return None
    low, high = (float(side.reshape(-1)[place or 0]) for side in (bounds.lower, bounds.upper))
    return (low + high) / 2 if math.isfinite(low) and math.isfinite(high) else None


# --- choosing ------------------------------------------------------------------------


def _choose(graph: EnergyGraph, number: int, operand: _Scalar) -> EnergyGraph:
    """Return the graph with an OR replaced by one of its operands."""
    builder = GraphBuilder()
    numbers: list[int] = []
    for here, node in enumerate(graph.nodes):
        if here == number:
            source, place = operand
            found = numbers[source]
            numbers.append(found if place is None else builder.element(found, place))
        else:
            numbers.append(builder.add(node.reading(tuple(numbers[i] for i in node.inputs))))
    roots = {root: numbers[old] for root, old in graph.roots.items()}
    chosen = replace(graph, nodes=tuple(builder.nodes), roots=roots)
    # Densities that only the others were made of are gone.
    needed = {chosen.roots[root] for root in roots if root.kind is not RootKind.DENSITY}
    needed |= {i for n in needed for i in chosen.ancestors(n)}
    gone = {root.path for root, n in chosen.roots_of(RootKind.DENSITY) if n not in needed}
    analyzed = (RootKind.DENSITY, RootKind.LEFT)
    return keep_roots(
        chosen,
        {r: n for r, n in chosen.roots.items() if r.kind not in analyzed or r.path not in gone},
    )


def _find_span(facts: GraphFacts, choice: int, operand: _Scalar) -> Span | None:
    """Return where the density of an operand is written: behind its weight and its minus sign."""
    number, _ = operand
    nodes = facts.graph.nodes
    while nodes[number].operator in ("add", "sub", "neg") and (
        _find_known(facts, (number, None)) is None
    ):
        varying = [i for i in nodes[number].inputs if facts.dependence[i].value]
        if len(varying) != 1:
            break
        number = varying[0]
    found, around = nodes[number].origin.span, nodes[choice].origin.span
    # A density of one number is written out in the standard library only.
    return around if found is None or around is None or found.source is not around.source else found


# --- weights -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Known:
    """A summand that integrates to one over its variables, whatever the given ones are."""

    over: frozenset[str]
    given: frozenset[str]


def _find_weight(facts: GraphFacts) -> float | None:
    """Return log of the integral of exp(-E) where E is densities of all variables; else None."""
    graph = facts.graph
    if any(True for _ in graph.roots_of(RootKind.HARD)):
        return None
    log_weight = 0.0
    parts: list[_Known] = []
    for scalar, sign in _list_summands(facts):
        number = _value(facts, scalar)
        if number is not None:
            log_weight -= sign * number
            continue
        part = _find_known(facts, scalar)
        if part is None or sign < 0:
            return None
        parts.append(part)
    over = [path for part in parts for path in part.over]
    if sorted(over) != sorted(variable.path for variable in graph.variables):
        return None
    return log_weight if _is_ordered(parts) else None


def _is_ordered(parts: list[_Known]) -> bool:
    """Whether densities can be integrated out one after the other."""
    left = list(parts)
    while left:
        given = frozenset().union(*(part.given for part in left))
        free = [part for part in left if not part.over & given]
        if not free:
            return False
        left = [part for part in left if part.over & given]
    return True


def _find_known(facts: GraphFacts, scalar: _Scalar) -> _Known | None:
    """Return a scalar as a density over variables as a whole, if it is one."""
    number, place = scalar
    return _find_density(facts, number) or (
        _find_normalized(facts.graph, number) if place is None else None
    )


def _find_normalized(graph: EnergyGraph, number: int) -> _Known | None:
    """Return a node as what a `normalize` makes, if it is one."""
    node = graph.nodes[number]
    if node.operator != "add":
        return None
    for integral, energy in (node.inputs, node.inputs[::-1]):
        leaf = graph.nodes[integral]
        if leaf.operator == "given":
            root = Root(RootKind.INTEGRAND, leaf.option("path"))
            if graph.roots.get(root) == energy:
                return _Known(frozenset(graph.variables_of(energy)), frozenset())
    return None


def _find_density(facts: GraphFacts, number: int) -> _Known | None:
    """Return a node, or the elements of one, as a density over a free variable, if it is one."""
    graph = facts.graph
    node = graph.nodes[number]
    for root, energy in graph.roots_of(RootKind.DENSITY):
        left = graph.roots[Root(RootKind.LEFT, root.path)]
        summed = node.operator == "sum" and node.inputs == (energy,)
        own = len(graph.nodes[left].shape)
        if summed and len(node.option("axes")) != own:
            continue
        if not (
            summed
            or (energy == number and len(node.shape) in (0, len(graph.nodes[energy].shape) - own))
        ):
            continue
        if graph.nodes[left].operator == "variable" and _is_free(facts, left):
            path = graph.nodes[left].option("path")
            return _Known(frozenset({path}), facts.dependence[energy].value - {path})
    return None


def _is_free(facts: GraphFacts, leaf: int) -> bool:
    """Whether a variable is any real array: that is what densities integrate to one over."""
    path = facts.graph.nodes[leaf].option("path")
    (info,) = (variable for variable in facts.graph.variables if variable.path == path)
    bounds = facts.bounds[leaf].value
    endless = not (
        math.isfinite(bounds.lower.max(initial=-math.inf))
        or math.isfinite(bounds.upper.min(initial=math.inf))
    )
    return info.domain is DomainKind.REAL and endless
