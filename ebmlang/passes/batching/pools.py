"""Steps of one shape: which nodes could be one array, and where in it each node would be.

Nodes are of one shape when they have the same operator, options and array shape, and operands of
one shape; what constants are, and which elements of an array are read, does not count. Nodes of
one shape make up a pool, the array in which they would stand one behind the other. The variables
are a pool too, as they stand in a packed point, and so are weights and inputs.

A node that only moves elements about (`take` at known places, `slice`, `stack`) has no pool of its
own: it is a list of places in the pool that its elements are from.

Source: classes grow from the leaves as in Hopcroft's refinement of partitions; to batch by
operator and shape of operands, Neubig, Goldberg and Dyer, On-the-fly operation batching in
dynamic computation graphs (2017), section 3.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ebmlang.graph import EnergyGraph, Node, RootKind
from ebmlang.lang.operator import Family
from ebmlang.lang.table import OPERATORS
from ebmlang.passes.batching.branches import OUTSIDE, mark_branches

Places: TypeAlias = NDArray[np.int64]

ELEMENTS = 1_024
"""Largest step that is put on an axis with others [elements]: past it the work itself counts."""

MOVED = 65_536
"""Most elements that are followed through steps that only move them."""

ROUNDS = 20
"""Most rounds of telling branches apart; two or three settle all but contrived nests."""

_MOVERS = frozenset({"reshape", "slice", "moveaxis", "transpose", "stack", "concat"})
_LOADED = frozenset({"variable", "weight", "given"})
_CHECKED = (RootKind.INDEX, RootKind.POSITIVE)


@dataclass(slots=True, eq=False)
class Pool:
    """Nodes of one shape, in the order in which the roots need them.

    Attributes:
        number: Larger than those of the pools that the operands are in.
        leaf: Whether the members are variables, weights or inputs, of any shape, flat.
        members: Numbers of nodes; all variables of the graph, used or not, for theirs.
        size: How many elements there are.
    """

    number: int
    leaf: bool
    members: list[int] = field(default_factory=list)
    size: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """Places one behind the other, of a step so large that they are listed only if asked for."""

    first: int
    shape: tuple[int, ...]


def list_places(places: Places | Run) -> Places:
    """Return places as an array."""
    if isinstance(places, Run):
        stop = places.first + math.prod(places.shape)
        return np.arange(places.first, stop).reshape(places.shape)
    return places


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pools:
    """All pools of a graph.

    Attributes:
        pools: By number.
        order: The nodes that roots need, each after its inputs.
        operands: The inputs of each node; those of commutative steps in the order of their pools.
        home: By node the pool that its elements are in; none for constants.
        places: By node the flat places of its elements there, in its own shape; for steps of more
            than `MOVED` elements, the first of them and that shape.
        moved: Nodes that are in their pool only by reference.
    """

    pools: tuple[Pool, ...]
    order: tuple[int, ...]
    operands: tuple[tuple[int, ...], ...]
    home: dict[int, int]
    places: dict[int, Places | Run]
    moved: frozenset[int]

    def stand(self, number: int) -> Places:
        """Return the flat places of a node's elements in its pool, in its own shape."""
        return list_places(self.places[number])


def find_pools(graph: EnergyGraph) -> Pools:
    """Return the pools of a graph that has been through the passes."""
    order = _order(graph)
    pinned = _find_pinned(graph)
    marks = [OUTSIDE] * len(graph.nodes)
    count = -1
    for _ in range(ROUNDS):
        sorting = _Sorting(graph, marks, pinned)
        for number in order:
            sorting.add(number)
        if len(sorting.known) == count:
            break
        count = len(sorting.known)
        fresh = mark_branches(graph, sorting.operands, sorting.sorts)
        if fresh == marks:
            break
        marks = fresh
    return sorting.result(order)


def _order(graph: EnergyGraph) -> tuple[int, ...]:
    """Return the nodes that roots need, in the order of the roots, each after its inputs."""
    order: dict[int, None] = {}
    waiting = [(number, False) for number in reversed(list(graph.roots.values()))]
    while waiting:
        number, ready = waiting.pop()
        if ready:
            order[number] = None
        elif number not in order:
            waiting.append((number, True))
            waiting.extend((i, False) for i in reversed(graph.nodes[number].inputs))
    return tuple(order)


def _find_pinned(graph: EnergyGraph) -> set[int]:
    """Return what is checked before it is used: it stays a step of its own, in its place."""
    pinned: set[int] = set()
    for root, number in graph.roots.items():
        if root.kind in _CHECKED and number not in pinned:
            pinned |= graph.ancestors(number) | {number}
    return pinned


class _Sorting:
    """Sorts nodes into pools, each after its inputs."""

    def __init__(self, graph: EnergyGraph, marks: Sequence[int], pinned: set[int]) -> None:
        self.graph = graph
        self.marks = marks
        self.pinned = pinned
        self.known: dict[object, int] = {}
        self.sorts = [0] * len(graph.nodes)
        self.operands: list[tuple[int, ...]] = [node.inputs for node in graph.nodes]
        self.pools: list[Pool] = []
        self.by_key: dict[object, int] = {}
        self.home: dict[int, int] = {}
        self.places: dict[int, Places | Run] = {}
        self.moved: set[int] = set()
        self.rows = {given.path for given in graph.givens if given.by_row}
        self.offsets, self.dim = _offsets(graph)
        self.small = [0 < math.prod(node.shape) <= ELEMENTS for node in graph.nodes]

    def add(self, number: int) -> None:
        """Give a node its place and its sort."""
        node = self.graph.nodes[number]
        if node.operator == "constant":
            self._name(number, ("constant", node.kind, node.shape))
            return
        if node.operator in _LOADED:
            self._load(number, node)
        elif not self._follow(number, node):
            self._join(number, self._key(number, node), node)
        self._name(number, ("in", self.home[number], node.kind, node.shape))

    def _name(self, number: int, key: object) -> None:
        self.sorts[number] = self.known.setdefault(key, len(self.known))

    def _pool(self, key: object, *, leaf: bool) -> Pool:
        if key not in self.by_key:
            self.by_key[key] = len(self.pools)
            self.pools.append(Pool(len(self.pools), leaf))
        return self.pools[self.by_key[key]]

    def _load(self, number: int, node: Node) -> None:
        size = math.prod(node.shape)
        path = node.option("path")
        if node.operator == "variable":
            pool, start = self._pool("variable", leaf=True), self.offsets[path]
            pool.size = self.dim
        else:
            key: tuple[object, ...] = (node.operator, node.kind, path in self.rows)
            pool = self._pool((*key, path) if size > MOVED else key, leaf=True)
            start = pool.size
            pool.size += size
        pool.members.append(number)
        self.home[number] = pool.number
        self.places[number] = _lay_out(start, node.shape)

    def _follow(self, number: int, node: Node) -> bool:
        """Follow elements that are only moved about, where they are all from one pool."""
        moves = node.operator in _MOVERS or (
            node.operator == "take" and self.graph.nodes[node.inputs[1]].operator == "constant"
        )
        if not moves or number in self.pinned or not 0 < math.prod(node.shape) <= MOVED:
            return False
        sources = node.inputs[:1] if node.operator == "take" else node.inputs
        homes = {self.home.get(source) for source in sources}
        kinds = {self.graph.nodes[source].kind for source in sources}
        if len(homes) != 1 or None in homes or len(kinds) != 1:
            return False
        # Any: places, and for a `take` its index too.
        arrays: list[NDArray[Any]] = [list_places(self.places[source]) for source in sources]
        if node.operator == "take":
            arrays.append(self.graph.nodes[node.inputs[1]].option("value").array)
        evaluate = OPERATORS[node.operator].evaluate
        self.places[number] = np.asarray(evaluate(*arrays, **dict(node.options)))
        self.home[number] = self.home[sources[0]]
        self.moved.add(number)
        return True

    def _key(self, number: int, node: Node) -> object:
        """Return what nodes of one shape have in common; something of its own where none can be."""
        record = OPERATORS.get(node.operator)
        if record is None or number in self.pinned or not self.small[number]:
            return number
        if not all(self.small[i] for i in node.inputs):
            return number
        if record.family is Family.STRUCTURAL and node.operator not in (
            "expand",
            "stack",
            "concat",
        ):
            return number
        if record.commutative:
            operands = tuple(sorted(node.inputs, key=lambda i: (self.sorts[i], i)))
            self.operands[number] = operands
        operands = self.operands[number]
        sorts = tuple(self.sorts[i] for i in operands)
        # The kernel of a power depends on what a known exponent is.
        exponents = [self.graph.nodes[i] for i in operands[1:] if node.operator == "pow"]
        fixed = tuple(n.option("value") for n in exponents if n.operator == "constant")
        return (
            node.operator,
            node.options,
            node.kind,
            node.shape,
            sorts,
            fixed,
            self.marks[number],
        )

    def _join(self, number: int, key: object, node: Node) -> None:
        pool = self._pool(("step", key), leaf=False)
        size = math.prod(node.shape)
        self.home[number] = pool.number
        self.places[number] = _lay_out(pool.size, node.shape)
        pool.members.append(number)
        pool.size += size

    def result(self, order: tuple[int, ...]) -> Pools:
        """Return what was found."""
        return Pools(
            pools=tuple(self.pools),
            order=order,
            operands=tuple(self.operands),
            home=self.home,
            places=self.places,
            moved=frozenset(self.moved),
        )


def _lay_out(start: int, shape: tuple[int, ...]) -> Places | Run:
    size = math.prod(shape)
    if size > MOVED:
        return Run(start, shape)
    if not shape:
        return np.asarray(start)
    places = np.arange(start, start + size)
    return places.reshape(shape) if len(shape) > 1 else places


def _offsets(graph: EnergyGraph) -> tuple[dict[str, int], int]:
    """Return where each variable begins in a packed point, and how long that is."""
    offsets: dict[str, int] = {}
    dim = 0
    for variable in graph.variables:
        offsets[variable.path] = dim
        dim += math.prod(variable.shape)
    return offsets, dim
