"""How many points go through emitted torch code together: what they take stays in the cache."""

import math
from collections.abc import Iterable, Iterator

from torch import Tensor

from ebmlang.graph import EnergyGraph
from ebmlang.lower.blocking import LARGEST

PIECE = 65_536
"""Elements of the widest array that are evaluated together: 4,096 points of a mixture of eight in
the plane. Past that temporaries leave the cache, and each costs page faults."""

LEAST_ROWS = 64
"""Points that are evaluated together at least: with fewer, calls cost more than numbers."""

WIDE = 1 << 22
"""Elements past which that does not hold: a few points are enough work then."""

WHOLE = 4
"""Pieces up to which a batch is evaluated whole: so much is not worth the copies."""


def count_rows(graph: EnergyGraph, nodes: Iterable[int] | None = None) -> int:
    """Return how many points are evaluated together in a large batch.

    Args:
        graph: Of what is evaluated.
        nodes: Those of it that are; all if None.
    """
    numbers = range(len(graph.nodes)) if nodes is None else nodes
    sizes = (math.prod(graph.nodes[i].shape) for i in numbers if graph.varying[i])
    widest = max(sizes, default=1)
    # Wider ones are computed in blocks.
    widest = min(max(1, widest), LARGEST)
    return max(1, min(LEAST_ROWS, WIDE // widest), PIECE // widest)


def is_whole(x: Tensor, rows: int) -> bool:
    """Whether points are few enough to be evaluated in one go, or on a device, where all are."""
    return x.shape[0] <= WHOLE * rows or not x.is_cpu


def list_portions(points: int, rows: int) -> Iterator[slice]:
    """Yield the places of the points of each portion."""
    for start in range(0, points, rows):
        yield slice(start, start + rows)
