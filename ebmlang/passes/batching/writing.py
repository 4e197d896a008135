"""The batch pass: pools of enough members are written as one step with a leading axis.

    prefer a: x[0] + x[3] <= 1          take(x, [0, 1, ...]) + take(x, [3, 4, ...])
    prefer b: x[1] + x[4] <= 2    ->    <= [1, 2, ...], all of it of shape [200]
    ... 200 of them

Every node keeps its value: it is an element of a longer array now. Where it is read alone it is
taken out; where many of one pool meet again, in a `stack` or a sum, they are read as one array.
Sums over different pools add up in another order than they were written in.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

import numpy as np

from ebmlang.graph import EnergyGraph, GraphBuilder, Kind, Node, Origin, Root, RootKind
from ebmlang.lang.operator import Family
from ebmlang.lang.table import OPERATORS
from ebmlang.passes.batching.chains import widen_chains
from ebmlang.passes.batching.order import arrange, choose_batches
from ebmlang.passes.batching.pools import Places, Pool, Pools, find_pools
from ebmlang.passes.rewrite import Pass, Writer

LEAST = 4
"""Fewest steps that are worth an axis. Measured in torch, on one core, for trees of AND and OR:
four terms cost 2.7 times as much apart as together at 4 chains and 1.2 times at 4,096, two terms
1.7 and 1.05 times; with fewer, what is read one by one again costs more than it saves."""

_VECTORS = {RootKind.ENERGY: RootKind.ENERGIES, RootKind.MARGIN: RootKind.MARGINS}
"""Roots of terms, to the root that holds all of them side by side."""


def batch_terms(graph: EnergyGraph, least: int = LEAST) -> EnergyGraph:
    """Return the graph with steps of one shape on an axis of their own.

    Args:
        graph: A graph that has been through the passes before.
        least: How many steps make a batch.
    """
    wide = widen_chains(graph, least)
    pools = find_pools(wide)
    batched = choose_batches(wide, pools, least)
    if not batched:
        return graph
    return _Writing(wide, arrange(wide, pools, batched), batched, least).graph()


class _Writing:
    """The new graph, and what each old node became."""

    def __init__(
        self, graph: EnergyGraph, pools: Pools, batched: Collection[int], least: int
    ) -> None:
        self.old = graph
        self.pools = pools
        self.batched = batched
        self.least = least
        self.builder = GraphBuilder()
        self.written: dict[int, int] = {}
        self.arrays: dict[int, int] = {}

    def graph(self) -> EnergyGraph:
        """Return the graph with all pools written."""
        for pool in self.pools.pools:
            if self._is_batched(pool):
                self.arrays[pool.number] = self._batch(pool)
            elif not pool.leaf:
                for number in pool.members:
                    if not self._is_late(self.old.nodes[number]):
                        self.written[number] = self._single(number)
        roots = {root: self.value(number) for root, number in self.old.roots.items()}
        for kind, vector in _VECTORS.items():
            numbers = [number for _, number in self.old.roots_of(kind)]
            if len(numbers) >= self.least:
                roots[Root(vector)] = self._vector(numbers, Origin(None, ""), ordered=True)
        return replace(self.old, nodes=tuple(self.builder.nodes), roots=roots)

    def _is_batched(self, pool: Pool) -> bool:
        return pool.number in self.batched

    def _is_late(self, node: Node) -> bool:
        """Whether a step only puts many pieces side by side: what reads it decides how."""
        sides = {"stack": (), "concat": (1,)}.get(node.operator)
        pieces = [self.old.nodes[i].shape for i in node.inputs]
        return (
            sides is not None
            and len(pieces) >= self.least
            and all(len(shape) == len(sides) for shape in pieces)
        )

    # --- one node --------------------------------------------------------------------

    def value(self, number: int) -> int:
        """Return the node that has the value of an old one."""
        if number not in self.written:
            self.written[number] = self._find(number)
        return self.written[number]

    def _find(self, number: int) -> int:
        node = self.old.nodes[number]
        if number not in self.pools.home or not node.inputs:
            return self.builder.add(node)
        pool = self.pools.pools[self.pools.home[number]]
        joins = node.operator in ("stack", "concat") and len(node.inputs) >= self.least
        if self._is_batched(pool) or (number in self.pools.moved and joins):
            return self._pick(pool, self.pools.stand(number), node.origin)
        if self._is_late(node):
            return self._vector(node.inputs, node.origin, ordered=True)
        return self._single(number)

    def _single(self, number: int) -> int:
        """Write a node as it was."""
        node = self.old.nodes[number]
        record = OPERATORS.get(node.operator)
        if record is not None and record.family is Family.REDUCTION:
            source = self.old.nodes[node.inputs[0]]
            late = self._is_late(source) and node.inputs[0] not in self.pools.moved
            if late and node.option("axes") == (-1,):
                # No reduction minds in which order its elements stand.
                vector = self._vector(source.inputs, source.origin, ordered=False)
                return self.builder.add(node.reading((vector,)))
        inputs = tuple(self.value(i) for i in node.inputs)
        return self.builder.add(node.reading(inputs))

    # --- elements of pools -----------------------------------------------------------

    def _array(self, pool: Pool) -> int:
        """Return a pool as one array; one too small to be written as such, flat."""
        if pool.number not in self.arrays:
            variables = pool.leaf and self.old.nodes[pool.members[0]].operator == "variable"
            pieces = self._variables() if variables else [self.value(i) for i in pool.members]
            self.arrays[pool.number] = self._joined(pieces)
        return self.arrays[pool.number]

    def _variables(self) -> list[int]:
        """Return all variables, used or not: together they are a packed point."""
        return [
            self.builder.add(
                Node(
                    operator="variable",
                    options=(("path", variable.path),),
                    kind=Kind.REAL,
                    shape=variable.shape,
                    origin=Origin(variable.span, variable.path),
                )
            )
            for variable in self.old.variables
        ]

    def _joined(self, pieces: Sequence[int]) -> int:
        """Return arrays end to end, as a vector."""
        write = Writer(self.builder, self.builder.nodes[pieces[0]].origin)
        if len(pieces) > 1 and all(self.builder.nodes[i].shape == () for i in pieces):
            return write.apply("stack", pieces, {"axis": -1})
        flat = [write.flat(piece) for piece in pieces]
        return flat[0] if len(flat) == 1 else write.apply("concat", flat, {"axis": -1})

    def _pick(self, pool: Pool, places: Places, origin: Origin) -> int:
        """Return the elements of a pool at these places, in the shape of `places`."""
        array = self._array(pool)
        write = Writer(self.builder, origin)
        shape = self.builder.nodes[array].shape
        if len(shape) == 1 and not places.shape and pool.size > 1:
            # By far the most frequent: the energy of one term.
            return self.builder.add(
                Node(
                    operator="take",
                    inputs=(array, self.builder.constant(places, origin)),
                    options=(("axis", -1),),
                    kind=self.builder.nodes[array].kind,
                    shape=(),
                    origin=origin,
                )
            )
        flat = places.reshape(-1)
        first, count = int(flat[0]), len(flat)
        run = int(flat[-1]) - first == count - 1 and bool((np.diff(flat) == 1).all())
        if run and count == pool.size:
            return write.reshape(array, places.shape)
        own = shape[1:]
        size = math.prod(own)
        whole = len(own) <= places.ndim and places.shape[places.ndim - len(own) :] == own
        rows = flat.reshape(-1, size)[:, 0] // size if whole and count % size == 0 else flat[:0]
        aligned = len(rows) > 0 and bool(
            (flat.reshape(-1, size) == (rows * size)[:, None] + np.arange(size)).all()
        )
        if not aligned:
            array, own, rows = write.flat(array), (), flat
        lead = places.shape[: places.ndim - len(own)]
        axis = -1 - len(own)
        if run and lead:
            start = int(rows[0])
            cut = {"axis": axis, "start": start, "stop": start + len(rows)}
            return write.reshape(write.apply("slice", (array,), cut), places.shape)
        index = self.builder.constant(rows.reshape(lead), origin)
        return write.apply("take", (array, index), {"axis": axis})

    def _vector(self, numbers: Sequence[int], origin: Origin, *, ordered: bool) -> int:
        """Return scalars and vectors end to end, those of one pool read together."""
        write = Writer(self.builder, origin)
        sizes = [math.prod(self.old.nodes[number].shape) for number in numbers]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        groups: dict[int, list[int]] = {}
        for at, number in enumerate(numbers):
            home = self.pools.home.get(number)
            together = home is not None and self._is_batched(self.pools.pools[home])
            groups.setdefault(home if together and home is not None else -1 - at, []).append(at)
        pieces: list[int] = []
        targets: list[Places] = []
        for home, members in groups.items():
            targets += [np.arange(starts[at], starts[at + 1]) for at in members]
            if home < 0:
                pieces.append(self.value(numbers[members[0]]))
            else:
                places = [self.pools.stand(numbers[at]).reshape(-1) for at in members]
                pieces.append(self._pick(self.pools.pools[home], np.concatenate(places), origin))
        if len({self.builder.nodes[piece].kind for piece in pieces}) > 1:
            pieces = [self._real(write, piece) for piece in pieces]
        joined = self._joined(pieces)
        back = np.argsort(np.concatenate(targets), kind="stable")
        if not ordered or np.array_equal(back, np.arange(len(back))):
            return joined
        return write.apply("take", (joined, self.builder.constant(back, origin)), {"axis": -1})

    def _real(self, write: Writer, number: int) -> int:
        whole = self.builder.nodes[number].kind is Kind.INT
        return write("to_real", number) if whole else number

    # --- many nodes as one -----------------------------------------------------------

    def _batch(self, pool: Pool) -> int:
        """Write all members of a pool at once, one behind the other along a leading axis."""
        members = pool.members
        node = self.old.nodes[members[0]]
        origins = tuple(self.old.nodes[number].origin for number in members)
        write = Writer(self.builder, replace(origins[0], members=origins))
        columns = list(zip(*(self.pools.operands[number] for number in members), strict=True))
        inputs = [self._column(write, column) for column in columns]
        options = dict(node.options)
        operator = OPERATORS[node.operator]
        shape = (len(members), *node.shape)
        match operator.family:
            case Family.ELEMENTWISE:
                ranks = [len(self.old.nodes[column[0]].shape) for column in columns]
                inputs = self._lined_up(write, inputs, columns, [0] * len(ranks))
            case Family.CORE:
                assert operator.core is not None
                own = [len(names) for names in operator.core.operands]
                inputs = self._lined_up(write, inputs, columns, own, shared=False)
            case Family.STRUCTURAL if node.operator == "expand":
                options["shape"] = shape
                inputs = self._lined_up(write, inputs, columns, [0], rank=len(node.shape))
            case Family.STRUCTURAL:
                inputs = [
                    self._repeated(write, i, column, len(members))
                    for i, column in zip(inputs, columns, strict=True)
                ]
        result = write.apply(node.operator, inputs, options)
        assert self.builder.nodes[result].shape == shape, "a batch has one row per member"
        return result

    def _column(self, write: Writer, column: Sequence[int]) -> int:
        """Return an operand of all members: along a leading axis, or once where all share it."""
        if _is_one(column):
            return self.value(column[0])
        first = self.old.nodes[column[0]]
        if first.operator == "constant":
            arrays = [self.old.nodes[number].option("value").array for number in column]
            return self.builder.constant(np.stack(arrays), write.origin)
        pool = self.pools.pools[self.pools.home[column[0]]]
        if pool.number in self.batched and pool.members == list(column):
            return self.arrays[pool.number]
        places = np.stack([self.pools.stand(number) for number in column])
        return self._pick(pool, places, write.origin)

    def _lined_up(
        self,
        write: Writer,
        inputs: Sequence[int],
        columns: Sequence[Sequence[int]],
        own: Sequence[int],
        *,
        rank: int = 0,
        shared: bool = True,
    ) -> list[int]:
        """Put size-1 axes behind the leading one, so that all operands have as many.

        Args:
            write: Writes.
            inputs: The operands of all members.
            columns: What they were.
            own: How many last axes of each do not broadcast.
            rank: How many axes that broadcast there are at the least.
            shared: Whether operands that all members share get a leading axis too.
        """
        shapes = [self.old.nodes[column[0]].shape for column in columns]
        loops = max([rank, *(len(s) - k for s, k in zip(shapes, own, strict=True))])
        result = []
        for number, column, shape, k in zip(inputs, columns, shapes, own, strict=True):
            one = _is_one(column)
            if one and not shared:
                result.append(number)
                continue
            missing = (1,) * (loops - len(shape) + k)
            lead = 1 if one else len(column)
            result.append(self._reshaped(write, number, (lead, *missing, *shape)))
        return result

    def _reshaped(self, write: Writer, number: int, shape: tuple[int, ...]) -> int:
        node = self.builder.nodes[number]
        if node.operator != "constant":
            return write.reshape(number, shape)
        return self.builder.constant(node.option("value").array.reshape(shape), write.origin)

    def _repeated(self, write: Writer, number: int, column: Sequence[int], count: int) -> int:
        """Return an operand that all members share once for each of them."""
        if not _is_one(column):
            return number
        shape = self.old.nodes[column[0]].shape
        lead = write.reshape(number, (1, *shape))
        return write.apply("expand", (lead,), {"shape": (count, *shape)})


def _is_one(column: Iterable[int]) -> bool:
    return len(set(column)) == 1


BATCHING = Pass(
    name="batching",
    needs=("energies",),
    law="every root keeps its value to rounding",
    rewrite=batch_terms,
)
