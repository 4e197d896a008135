"""Which terms a step of the energy graph works for: of work that several share, each has a part."""

from collections.abc import Mapping

from ebmlang.graph import EnergyGraph, Origin, RootKind

TOGETHER = ""
"""The path of work that is no term's own: adding the terms up."""


def share_nodes(graph: EnergyGraph, roots: Mapping[str, int]) -> dict[int, tuple[str, ...]]:
    """Return, for each node behind some roots, the paths of the roots that it is behind.

    Only nodes with a value per chain count: the others are computed once, whatever the chains.

    Args:
        graph: Optimized.
        roots: Path to node number.
    """
    users: dict[int, set[str]] = {}
    for path, number in roots.items():
        users.setdefault(number, set()).add(path)
    for number in range(len(graph.nodes) - 1, -1, -1):
        if number in users:
            for operand in graph.nodes[number].inputs:
                users.setdefault(operand, set()).update(users[number])
    order = {path: place for place, path in enumerate(roots)}
    return {
        number: tuple(sorted(users[number], key=order.__getitem__))
        for number in sorted(users)
        if graph.varying[number]
    }


def share_energy(graph: EnergyGraph) -> dict[int, tuple[str, ...]]:
    """Return, for each node of E with a value per chain, the paths of the terms it is part of.

    What only adds terms up belongs to `TOGETHER`.
    """
    shared = share_nodes(graph, {r.path: n for r, n in graph.roots_of(RootKind.ENERGY)})
    (total,) = [number for _, number in graph.roots_of(RootKind.TOTAL)]
    whole = share_nodes(graph, {TOGETHER: total})
    return {number: shared.get(number, (TOGETHER,)) for number in whole}


def share_gradient(graph: EnergyGraph, gradient: EnergyGraph) -> dict[int, tuple[str, ...]]:
    """Return, for each node of E and its gradient, the paths of the terms it works for.

    A step of the gradient works for the terms of the step that it is the derivative of.

    Args:
        graph: Of E.
        gradient: The same differentiated: its nodes keep the origin of what they came out of.
    """
    owners: dict[Origin, set[str]] = {}
    for number, paths in share_energy(graph).items():
        owners.setdefault(graph.nodes[number].origin, set()).update(paths)
    order = [root.path for root, _ in graph.roots_of(RootKind.ENERGY)]
    roots = (RootKind.TOTAL, RootKind.GRADIENT)
    behind = {
        str(place): n for place, (r, n) in enumerate(gradient.roots.items()) if r.kind in roots
    }
    shared = {}
    for number in share_nodes(gradient, behind):
        found = owners.get(gradient.nodes[number].origin, set())
        named = tuple(path for path in order if path in found)
        shared[number] = named or (TOGETHER,)
    return shared


def share_requirements(graph: EnergyGraph) -> dict[int, tuple[str, ...]]:
    """Return, for each node of what is required, the paths of the requirements it is part of."""
    roots = {root.path: number for root, number in graph.roots_of(RootKind.HARD)}
    # What solvers and samplers read in its place, where it has kinks.
    clauses = {root.path: number for root, number in graph.roots_of(RootKind.CLAUSES)}
    return share_nodes(graph, {path: clauses.get(path, n) for path, n in roots.items()})
