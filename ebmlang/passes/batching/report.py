"""What was batched, for people: read off the graph itself."""

from dataclasses import dataclass

from ebmlang.graph import EnergyGraph

MOST_OF = 0.9
"""A step for this share of some terms counts as one for all: a few share it with others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Terms of one shape, or parts of them, that are computed side by side.

    Attributes:
        paths: The terms, or other named things, in order.
        steps: How many steps of the program compute something for all of them at once.
    """

    paths: tuple[str, ...]
    steps: int


def list_batches(graph: EnergyGraph) -> tuple[Batch, ...]:
    """Return what was batched, the most terms first."""
    counts: dict[tuple[str, ...], int] = {}
    for node in graph.nodes:
        paths = tuple(dict.fromkeys(member.path for member in node.origin.members))
        if paths:
            counts[paths] = counts.get(paths, 0) + 1
    batches: list[tuple[frozenset[str], tuple[str, ...]]] = []
    steps: list[int] = []
    homes: dict[str, list[int]] = {}
    for paths in sorted(counts, key=len, reverse=True):
        around = [
            i
            for i in homes.get(paths[0], [])
            if len(paths) >= MOST_OF * len(batches[i][1]) and batches[i][0].issuperset(paths)
        ]
        if around:
            steps[around[0]] += counts[paths]
            continue
        for path in paths:
            homes.setdefault(path, []).append(len(batches))
        batches.append((frozenset(paths), paths))
        steps.append(counts[paths])
    return tuple(
        Batch(paths=paths, steps=count) for (_, paths), count in zip(batches, steps, strict=True)
    )
