"""The order in which the members of a pool stand: that of their one reader, where they have one.

A pool that another reads row by row needs no gathering if its members stand in the order in which
they are read. Where terms share a step here and there (`x[0] + x[3]` twice in two hundred), the
pool would be a little shorter than what reads it; then such a step is computed twice: that costs
less than to gather, and to add up gradients again.
"""

from collections.abc import Collection
from dataclasses import replace

from ebmlang.graph import EnergyGraph, RootKind
from ebmlang.passes.batching.pools import Pool, Pools

SPARE = 1.25
"""Most rows per member that repeating is worth."""


_TOGETHER = (RootKind.ENERGY, RootKind.MARGIN)
"""Roots that are read side by side."""


def choose_batches(graph: EnergyGraph, pools: Pools, least: int) -> set[int]:
    """Return the numbers of the pools that are worth being one array.

    Those with enough members, but for one that stands alone: where every operand comes from
    steps that stay apart, and every member goes to some, nothing would be saved.
    """
    large = {pool.number for pool in pools.pools if len(pool.members) >= least and not pool.leaf}
    joined = {
        pools.home.get(number, -1) for root, number in graph.roots.items() if root.kind in _TOGETHER
    }
    for number in pools.order:
        home = pools.home.get(number, -1)
        sources = {pools.home.get(i, -1) for i in pools.operands[number]}
        if number in pools.moved or graph.nodes[number].operator in ("stack", "concat"):
            joined |= sources
        elif home in large:
            joined |= sources
            if sources & large:
                joined.add(home)
    return large & joined


def arrange(graph: EnergyGraph, pools: Pools, batched: Collection[int]) -> Pools:
    """Return the pools with members in the order of their readers.

    Args:
        graph: The graph.
        pools: Its pools.
        batched: Numbers of the pools that will be one array.
    """
    alone = _find_alone(graph, pools, batched)
    columns: dict[int, set[tuple[int, ...]]] = {}
    arranged: list[Pool] = []
    for pool in reversed(pools.pools):
        members = pool.members
        if pool.number in batched:
            read = columns.get(pool.number, set())
            if len(read) == 1 and pool.number not in alone:
                (column,) = read
                if len(column) <= SPARE * len(members):
                    members = list(column)
            for column in zip(*(pools.operands[number] for number in members), strict=True):
                home = pools.home.get(column[0])
                if home is not None and len(set(column)) > 1:
                    columns.setdefault(home, set()).add(column)
        size = pool.size // max(len(pool.members), 1) * len(members)
        arranged.append(
            pool if members is pool.members else replace(pool, members=members, size=size)
        )
    return replace(pools, pools=tuple(reversed(arranged)))


def _find_alone(graph: EnergyGraph, pools: Pools, batched: Collection[int]) -> set[int]:
    """Return the pools that something reads in another way than row by row."""
    alone = {pools.home.get(number, -1) for number in graph.roots.values()}
    for number in pools.order:
        home = pools.home.get(number, -1)
        if number in pools.moved:
            alone.add(home)
        elif home not in batched:
            alone.update(pools.home.get(i, -1) for i in pools.operands[number])
        else:
            # What all members share is read once, in one place.
            pool = pools.pools[home]
            if number == pool.members[0]:
                columns = zip(*(pools.operands[i] for i in pool.members), strict=True)
                shared = [column[0] for column in columns if len(set(column)) == 1]
                alone.update(pools.home.get(i, -1) for i in shared)
    return alone
