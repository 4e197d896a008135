"""The energy inside of a `normalize`, as a graph of its own.

Its variables are those that the energy depends on, in their domains; no other term, and nothing
that is required elsewhere, is part of it. What is known of the whole by way of roots that only
analyses read is kept as far as it is about this energy.
"""

from collections.abc import Mapping
from dataclasses import replace

from ebmlang.graph.graph import EnergyGraph, GivenInfo, TermInfo
from ebmlang.graph.node import Root, RootKind


def list_integrands(graph: EnergyGraph) -> tuple[GivenInfo, ...]:
    """Return the estimated inputs of a graph, each after those that its energy depends on."""
    return tuple(given for given in graph.givens if given.estimated)


def extract_integrand(graph: EnergyGraph, integral: GivenInfo) -> EnergyGraph:
    """Return the graph whose only term is the energy behind an estimated input.

    Args:
        graph: A graph in which constraints are numbers, and nothing is pruned.
        integral: One of its estimated inputs.
    """
    total = graph.roots[Root(RootKind.INTEGRAND, integral.path)]
    return extract_energy(
        graph, total, TermInfo(show_name(integral), "prefer", "energy", integral.span)
    )


def show_name(integral: GivenInfo) -> str:
    """Return what an estimated input is the integral of, as it is called in messages."""
    return integral.path.removeprefix("log Z of ")


def extract_energy(graph: EnergyGraph, total: int, term: TermInfo) -> EnergyGraph:
    """Return the graph whose only term, called `term`, is one node: a real scalar."""
    needed = graph.ancestors(total) | {total}
    paths = graph.variables_of(total)
    roots: dict[Root, int] = {Root(RootKind.ENERGY, term.path): total}
    for root, number in graph.roots.items():
        match root.kind:
            case RootKind.LOWER | RootKind.UPPER if root.path in paths:
                roots[root] = number
            case RootKind.INDEX | RootKind.POSITIVE | RootKind.DENSITY if number in needed:
                roots[root] = number
            case RootKind.LEFT if graph.roots[Root(RootKind.DENSITY, root.path)] in needed:
                roots[root] = number
            case _:
                pass
    roots[Root(RootKind.TOTAL)] = total
    kept = keep_roots(graph, roots)
    inputs = {n.option("path") for n in kept.nodes if n.operator == "given"}
    return replace(
        kept,
        variables=tuple(v for v in graph.variables if v.path in paths),
        givens=tuple(g for g in graph.givens if g.path in inputs),
        terms=(term,),
        weights={},
    )


def keep_roots(graph: EnergyGraph, roots: Mapping[Root, int]) -> EnergyGraph:
    """Return the graph with these roots, and only the nodes that they depend on."""
    needed = set(roots.values())
    for number in range(len(graph.nodes) - 1, -1, -1):
        if number in needed:
            needed.update(graph.nodes[number].inputs)
    numbers = {old: new for new, old in enumerate(sorted(needed))}
    nodes = tuple(
        graph.nodes[old].reading(tuple(numbers[i] for i in graph.nodes[old].inputs))
        for old in sorted(needed)
    )
    return replace(graph, nodes=nodes, roots={root: numbers[old] for root, old in roots.items()})
