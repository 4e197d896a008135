"""One block of independent variables as an energy graph of its own.

E is a sum, and each of its summands speaks of one block only. So what speaks of others is a
constant as far as the block is concerned, and is replaced by one: a summand by 0, a required margin
by 1, which holds.

    E(x, y) = f(x) + g(y)    gives    f(x) + 0
"""

from dataclasses import replace

import numpy as np

from ebmlang.analysis.dependence import Block, find_conjuncts, find_summands
from ebmlang.analysis.facts import GraphFacts
from ebmlang.graph import EnergyGraph, GraphBuilder, Root, RootKind
from ebmlang.graph.integrands import keep_roots


def separate(facts: GraphFacts, block: Block) -> EnergyGraph:
    """Return the graph of one block: its variables, its share of E, and what is required of it.

    Args:
        facts: Of the whole.
        block: One of its blocks.
    """
    graph = facts.graph
    total = graph.roots[Root(RootKind.TOTAL)]
    energies = {
        root.path: n for root, n in graph.roots_of(RootKind.ENERGY) if root.path in block.terms
    }
    hard = {root.path: n for root, n in graph.roots_of(RootKind.HARD) if root.path in block.terms}
    summands = {
        summand.node for n in (total, *energies.values()) for summand in find_summands(facts, n)
    }
    conjuncts = {n for number in hard.values() for n in find_conjuncts(facts, number)}
    own = set(block.variables)
    fill = dict.fromkeys(_foreign(facts, summands, own), 0.0)
    fill |= dict.fromkeys(_foreign(facts, conjuncts, own), 1.0)
    return cut_down(_replace(graph, fill), block.variables, block.terms)


def cut_down(graph: EnergyGraph, variables: tuple[str, ...], terms: tuple[str, ...]) -> EnergyGraph:
    """Return the graph with what a search of some of its variables needs.

    Args:
        graph: One whose E and requirements, of these terms, depend on these variables alone.
        variables: Their paths.
        terms: The paths of those that speak of them.
    """
    aims = (RootKind.ENERGY, RootKind.HARD)
    roots = {
        root: number
        for root, number in graph.roots.items()
        if root.kind is RootKind.TOTAL
        or (root.kind in aims and root.path in terms)
        or (root.kind in (RootKind.LOWER, RootKind.UPPER) and root.path in variables)
    }
    needed = {i for number in roots.values() for i in (*graph.ancestors(number), number)}
    for root, number in graph.roots.items():
        match root.kind:
            case RootKind.INDEX | RootKind.POSITIVE if number in needed:
                roots[root] = number
            case RootKind.DENSITY:
                left = Root(RootKind.LEFT, root.path)
                spoken = {*graph.variables_of(number), *graph.variables_of(graph.roots[left])}
                if number in needed and spoken and spoken <= set(variables):
                    roots |= {root: number, left: graph.roots[left]}
            case _:
                pass
    # In the order of the whole, which is that of the program.
    kept = keep_roots(graph, {root: roots[root] for root in graph.roots if root in roots})
    inputs = {n.option("path") for n in kept.nodes if n.operator == "given"}
    return replace(
        kept,
        variables=tuple(v for v in graph.variables if v.path in variables),
        givens=tuple(g for g in graph.givens if g.path in inputs),
        terms=tuple(term for term in graph.terms if term.path in terms),
    )


def _foreign(facts: GraphFacts, numbers: set[int], own: set[str]) -> list[int]:
    """Return those of some nodes that speak of other variables."""
    return [n for n in sorted(numbers) if facts.dependence[n].value - own]


def _replace(graph: EnergyGraph, fill: dict[int, float]) -> EnergyGraph:
    """Return the graph with a number in the place of some of its nodes."""
    builder = GraphBuilder()
    numbers: list[int] = []
    for number, node in enumerate(graph.nodes):
        if number in fill:
            value = np.full(node.shape, fill[number])
            numbers.append(builder.constant(value, node.origin))
        else:
            inputs = tuple(numbers[i] for i in node.inputs)
            numbers.append(builder.add(node.reading(inputs)))
    roots = {root: numbers[number] for root, number in graph.roots.items()}
    return replace(graph, nodes=tuple(builder.nodes), roots=roots)
