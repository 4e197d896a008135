"""The energy graph: immutable, hash-consed nodes in an order of dependence, with named roots."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from ebmlang.graph.node import Constant, Kind, Node, Origin, Root, RootKind
from ebmlang.lang.types import DomainKind
from ebmlang.source import Span

if TYPE_CHECKING:
    import networkx


@dataclass(frozen=True, slots=True)
class VariableInfo:
    """An unknown of the graph: where it lives, concretely; bounds are the roots LOWER, UPPER."""

    path: str
    domain: DomainKind
    shape: tuple[int, ...]
    span: Span | None = field(compare=False, default=None)


@dataclass(frozen=True, slots=True)
class GivenInfo:
    """A run-time input: what the data must bring, and its default, if it has one.

    One that is `estimated` is no data: it is the log of the integral of exp(-E) of the root
    INTEGRAND of its path, over the variables that this depends on.

    One that is `by_row` has a value of its own in each of the problems that are solved together,
    and so a chain axis, as an unknown has.
    """

    path: str
    kind: Kind
    shape: tuple[int, ...]
    default: Constant | None
    span: Span | None = field(compare=False, default=None)
    estimated: bool = False
    by_row: bool = False


@dataclass(frozen=True, slots=True)
class TermInfo:
    """A term of the spec, in the order written; `role` and `sort` as in the typed program."""

    path: str
    role: str
    sort: str
    span: Span | None = field(compare=False, default=None)


@dataclass(frozen=True, eq=False)
class EnergyGraph:
    """Nodes, each after its inputs, and roots that say what they are for.

    Two graphs with the same nodes and roots are equal; a graph can be an option of a node (the
    body of a scan).

    Attributes:
        nodes: All nodes; a node's number is its place.
        roots: Root name to node number, in the order of the program.
        variables, givens, terms: What the program declares, in its order.
        weights: Path to the weight written in the file, for every term and part that can have one.
    """

    nodes: tuple[Node, ...]
    roots: Mapping[Root, int]
    variables: tuple[VariableInfo, ...] = ()
    givens: tuple[GivenInfo, ...] = ()
    terms: tuple[TermInfo, ...] = ()
    weights: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    @cached_property
    def _key(self) -> tuple[object, ...]:
        return (self.nodes, tuple(self.roots.items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EnergyGraph) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __len__(self) -> int:
        return len(self.nodes)

    def roots_of(self, kind: RootKind) -> Iterator[tuple[Root, int]]:
        """Yield the roots of one kind, in order."""
        return ((root, number) for root, number in self.roots.items() if root.kind is kind)

    @cached_property
    def varying(self) -> tuple[bool, ...]:
        """For each node, whether it depends on an unknown or a row, and so has a value per chain.

        Parameters of a scan's body count as varying; the scan itself varies when an input does.
        """
        flags: list[bool] = []
        rows = {given.path for given in self.givens if given.by_row}
        for node in self.nodes:
            leaf = node.operator in ("variable", "parameter") or (
                node.operator == "given" and node.option("path") in rows
            )
            flags.append(leaf or any(flags[i] for i in node.inputs))
        return tuple(flags)

    @cached_property
    def uses(self) -> tuple[int, ...]:
        """For each node, how many operands of nodes and how many roots it is."""
        counts = [0] * len(self.nodes)
        for node in self.nodes:
            for operand in node.inputs:
                counts[operand] += 1
        for number in self.roots.values():
            counts[number] += 1
        return tuple(counts)

    @cached_property
    def _network(self) -> "networkx.DiGraph[int]":
        import networkx as nx

        network: networkx.DiGraph[int] = nx.DiGraph()
        network.add_nodes_from(range(len(self.nodes)))
        network.add_edges_from(
            (i, number) for number, node in enumerate(self.nodes) for i in node.inputs
        )
        return network

    def ancestors(self, number: int) -> frozenset[int]:
        """Return the numbers of all nodes that a node depends on."""
        found: set[int] = set()
        pending = list(self.nodes[number].inputs)
        while pending:
            current = pending.pop()
            if current not in found:
                found.add(current)
                pending.extend(self.nodes[current].inputs)
        return frozenset(found)

    def terms_of(self, number: int) -> tuple[str, ...]:
        """Return the paths of the terms that a node is part of, in their order."""
        import networkx as nx

        reached = nx.descendants(self._network, number) | {number}
        kinds = (RootKind.TERM, RootKind.REQUIRE, RootKind.ENERGY, RootKind.MARGIN, RootKind.HARD)
        paths = [r.path for r, n in self.roots.items() if r.kind in kinds and n in reached]
        return tuple(dict.fromkeys(paths))

    def variables_of(self, number: int) -> tuple[str, ...]:
        """Return the paths of the variables that a node depends on, in order of declaration."""
        paths = {
            self.nodes[i].option("path")
            for i in (*self.ancestors(number), number)
            if self.nodes[i].operator == "variable"
        }
        return tuple(v.path for v in self.variables if v.path in paths)


class GraphBuilder:
    """Collects nodes, each once, and closes them into an `EnergyGraph`.

    The only mutable thing about graphs; builders live inside one function.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._numbers: dict[Node, int] = {}

    def add(self, node: Node) -> int:
        """Return the number of a node, adding it where it is not there yet."""
        number = self._numbers.get(node)
        if number is None:
            number = len(self.nodes)
            self.nodes.append(node)
            self._numbers[node] = number
        return number

    def constant(self, array: np.ndarray, origin: Origin) -> int:
        """Return the number of a constant, stored as float64, int64 or bool."""
        kind = {"f": Kind.REAL, "i": Kind.INT, "u": Kind.INT, "b": Kind.BOOL}[array.dtype.kind]
        dtype = {Kind.REAL: np.float64, Kind.INT: np.int64, Kind.BOOL: np.bool_}[kind]
        value = Constant(array.astype(dtype, copy=False))
        return self.add(
            Node(
                operator="constant",
                options=(("value", value),),
                kind=kind,
                shape=array.shape,
                origin=origin,
            )
        )

    def element(self, number: int, place: int) -> int:
        """Return the number of an element of a vector, as a scalar."""
        origin = self.nodes[number].origin
        cut = Node(
            operator="slice",
            inputs=(number,),
            options=(("axis", -1), ("start", place), ("stop", place + 1)),
            kind=Kind.REAL,
            shape=(1,),
            origin=origin,
        )
        whole = Node(
            operator="sum",
            inputs=(self.add(cut),),
            options=(("axes", (-1,)),),
            kind=Kind.REAL,
            shape=(),
            origin=origin,
        )
        return self.add(whole)
