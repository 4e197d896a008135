"""How every analysis works: one fact per node, from its inputs up, with where it came from.

An analysis is a transfer function: from a node and the facts of its inputs to the node's fact.
Nothing here changes a graph.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Generic, TypeAlias, TypeVar

from numpy.typing import NDArray

from ebmlang.graph import EnergyGraph, Node

Fact = TypeVar("Fact")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What is known of a run at the time of an analysis.

    Attributes:
        givens: Values of run-time inputs by path; one that is not here is any finite number.
        weights: Weights by path that stand in for those written.
    """

    givens: Mapping[str, NDArray[Any]] = field(default_factory=lambda: MappingProxyType({}))
    """Any: float64, int64 or bool, as the given is."""
    weights: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Derived(Generic[Fact]):
    """A fact of a node, with its provenance.

    Attributes:
        value: The fact.
        rule: The rule that gave it, in words: `square of an affine value is convex`.
        because: The inputs (numbers of nodes) that the rule leaned on, or that spoiled it.
    """

    value: Fact
    rule: str = ""
    because: tuple[int, ...] = ()


Transfer: TypeAlias = Callable[[int, Node, tuple[Fact, ...]], Derived[Fact]]
"""From a node's number, the node, and the facts of its inputs, to its own fact."""


def propagate(graph: EnergyGraph, transfer: Transfer[Fact]) -> tuple[Derived[Fact], ...]:
    """Return the fact of every node, first to last."""
    found: list[Derived[Fact]] = []
    for number, node in enumerate(graph.nodes):
        inputs = tuple(found[i].value for i in node.inputs)
        found.append(transfer(number, node, inputs))
    return tuple(found)


def trace_back(
    facts: tuple[Derived[Fact], ...], number: int, *, limit: int = 8
) -> tuple[tuple[int, str], ...]:
    """Return the chain of nodes and rules that led to a fact, from it down to its source.

    Follows the first of each node's `because`; at most `limit` steps.
    """
    chain: list[tuple[int, str]] = []
    while len(chain) < limit:
        fact = facts[number]
        chain.append((number, fact.rule))
        if not fact.because:
            break
        number = fact.because[0]
    return tuple(chain)
