"""Bounds over the inside of the domain, where a solver or a sampler moves.

Closed intervals cannot say `x > 0`, and `log(x)` of a positive x is smooth: so each finite bound of
a variable is moved inwards, by less than matters.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ebmlang.analysis.bounds import infer_bounds
from ebmlang.analysis.framework import Derived
from ebmlang.graph import Constant, Kind, Node, Origin, Root, RootKind, VariableInfo
from ebmlang.lang.interval import Bound, Interval
from ebmlang.lang.types import DomainKind

if TYPE_CHECKING:
    from ebmlang.analysis.facts import GraphFacts

LEAST_STEP = 1e-14
"""How far a bound at 0 is moved: less than matters, and enough that its exp is told from 1."""

STEP_UNITS = 16
"""How far any other bound is moved [units in the last place]: more than bounds are rounded by."""

_MOVED = frozenset({DomainKind.REAL, DomainKind.POSITIVE, DomainKind.SIMPLEX})


def bound_interior(facts: "GraphFacts") -> tuple[Derived[Interval], ...]:
    """Return the bounds of every node where no variable is at an edge of its domain."""
    graph = facts.graph
    nodes, roots = list(graph.nodes), dict(graph.roots)
    variables = []
    for variable in graph.variables:
        domain = _find_domain(facts, variable) if variable.domain in _MOVED else None
        if domain is None or not np.isfinite(domain).any():
            variables.append(variable)
            continue
        lower, upper = domain
        variables.append(replace(variable, domain=DomainKind.REAL))
        inner = (lower + _step(lower), upper - _step(upper))
        fixed = inner[0] > inner[1]
        for kind, edge, moved in zip(_SIDES, (lower, upper), inner, strict=True):
            roots[Root(kind, variable.path)] = len(nodes)
            nodes.append(_constant(np.where(fixed, edge, moved)))
    if len(nodes) == len(graph):
        return facts.bounds
    moved_graph = replace(graph, nodes=tuple(nodes), roots=roots, variables=tuple(variables))
    return infer_bounds(moved_graph, facts.inputs)[: len(graph)]


_SIDES = (RootKind.LOWER, RootKind.UPPER)


def _find_domain(facts: "GraphFacts", variable: VariableInfo) -> tuple[Bound, Bound] | None:
    """Return the bounds of a variable; None where nothing reads it, so that it has no node."""
    for number, node in enumerate(facts.graph.nodes):
        if node.operator == "variable" and node.option("path") == variable.path:
            found = facts.bounds[number].value
            return found.lower, found.upper
    return None


def _step(bound: Bound) -> Bound:
    finite = np.where(np.isfinite(bound), bound, 0.0)
    return np.asarray(np.maximum(STEP_UNITS * np.spacing(np.abs(finite)), LEAST_STEP))


def _constant(array: Bound) -> Node:
    return Node(
        operator="constant",
        options=(("value", Constant(array)),),
        kind=Kind.REAL,
        shape=array.shape,
        origin=Origin(None, ""),
    )
