"""What was batched, for people: read off the graph itself."""

from dataclasses import dataclass

from ebmlang.graph import EnergyGraph


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Steps that were written one by one and are computed as one.

    Attributes:
        operators: What is computed, in order.
        paths: The terms, or other named things, that they were written for, in order.
        count: How many steps of the text each of these stands for.
    """

    operators: tuple[str, ...]
    paths: tuple[str, ...]
    count: int


def list_batches(graph: EnergyGraph) -> tuple[Batch, ...]:
    """Return what was batched for the same things together, in the order of the graph."""
    found: dict[tuple[tuple[str, ...], int], list[str]] = {}
    for node in graph.nodes:
        members = node.origin.members
        if members:
            paths = tuple(dict.fromkeys(member.path for member in members))
            found.setdefault((paths, len(members)), []).append(node.operator)
    return tuple(
        Batch(operators=tuple(operators), paths=paths, count=count)
        for (paths, count), operators in found.items()
    )
