"""What all findings look at: a graph with its facts, and the program for names and places."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ebmlang.analysis.facts import GraphFacts
from ebmlang.analysis.findings.opposites import is_tautology
from ebmlang.check.paths import find_terms
from ebmlang.check.program import Program, Role, Term
from ebmlang.graph import EnergyGraph, Root, RootKind
from ebmlang.source import Span

SAME = 1e-12
"""Numbers closer than this, relative to their size, are one: bounds are rounded outward."""


def show_number(value: float) -> str:
    """Return a number in at most six digits."""
    return f"{value + 0.0:.6g}"


def show_range(low: float, high: float) -> str:
    """Return where a value lies, as the end of a sentence: `lies in [0, 2]`."""
    if is_single(low, high):
        return f"is {show_number(high)}"
    if math.isinf(low) and math.isinf(high):
        return "has no bounds"
    if math.isinf(low):
        return f"is at most {show_number(high)}"
    if math.isinf(high):
        return f"is at least {show_number(low)}"
    return f"lies in [{show_number(low)}, {show_number(high)}]"


def is_single(low: float, high: float) -> bool:
    """Whether bounds leave one value, to rounding."""
    return math.isfinite(high - low) and 0 <= high - low <= SAME * max(abs(low), abs(high))


@dataclass(frozen=True, eq=False)
class Subject:
    """A spec under study."""

    facts: GraphFacts
    program: Program

    infinite: dict[str, bool] = field(default_factory=dict, init=False)
    """What `is_infinite` has found, by path: half of the questions below ask it."""

    @property
    def graph(self) -> EnergyGraph:
        """The graph that the facts are about."""
        return self.facts.graph

    @cached_property
    def terms(self) -> Mapping[str, Term]:
        """All terms, by path."""
        return find_terms(self.program)

    @cached_property
    def instances(self) -> Mapping[Span, tuple[str, ...]]:
        """The paths of the terms that one text stands for: as many as its spec has parts."""
        found: dict[Span, list[str]] = {}
        for path, term in self.terms.items():
            found.setdefault(term.value.span, []).append(path)
        return {span: tuple(paths) for span, paths in found.items()}

    @cached_property
    def relations(self) -> Mapping[int, tuple[Span, ...]]:
        """Where the relations stand whose margin a node is.

        A margin may be an older node, as that of `x >= 0` is `x` itself; the step from it to the
        energy is the relation's own.
        """
        nodes = self.graph.nodes
        negated = {node.inputs[0]: i for i, node in enumerate(nodes) if node.operator == "neg"}
        found: dict[int, list[Span]] = {}
        for number, span in self.shortfalls:
            node = nodes[number]
            # Of a margin that is itself -y, folding has made y.
            margin = node.inputs[0] if node.operator == "neg" else negated.get(number)
            if margin is not None:
                found.setdefault(margin, []).append(span)
        return {margin: tuple(spans) for margin, spans in found.items()}

    @cached_property
    def shortfalls(self) -> tuple[tuple[int, Span], ...]:
        """The nodes that are minus the margin of a relation, and where the relation stands."""
        return tuple(
            (node.inputs[0], node.origin.span)
            for node in self.graph.nodes
            if node.operator == "relu" and node.origin.span is not None
        )

    def place(self, margin: int, path: str) -> Span:
        """Return the text of a margin that is part of a term: in the term, or in what it calls.

        A text in another file, or in another term that says the same, is not shown: then it is the
        whole term.
        """
        around = self.terms[path].span
        origin = self.graph.nodes[margin].origin.span
        known = self.relations.get(margin, () if origin is None else (origin,))
        inside = [span for span in known if around.covers(span)]
        others = [term.span for term in self.terms.values() if term.span.source is around.source]
        near = [
            span
            for span in known
            if span.source is around.source and not any(other.covers(span) for other in others)
        ]
        return (inside or near or [self.terms[path].value.span])[0]

    def root(self, kind: RootKind, path: str) -> int | None:
        """Return the node of a root; None where there is none."""
        return self.graph.roots.get(Root(kind, path))

    def range(self, number: int) -> tuple[float, float]:
        """Return what all elements of a node lie between."""
        bounds = self.facts.bounds[number].value
        if bounds.lower.size == 0:
            return math.inf, -math.inf
        return float(bounds.lower.min()), float(bounds.upper.max())

    def everywhere(self, holds: Callable[[str], bool]) -> Iterator[str]:
        """Yield a path for each text of a term of which all instances have a property.

        What is true of one instance only says nothing against the text.
        """
        for paths in self.instances.values():
            if all(holds(path) for path in paths):
                yield paths[0]

    def is_infinite(self, path: str) -> bool:
        """Whether a soft term, or an element of it, has infinite energy at every point."""
        if path not in self.infinite:
            number = self.root(RootKind.ENERGY, path)
            self.infinite[path] = number is not None and self._exceeds_all(number)
        return self.infinite[path]

    def _exceeds_all(self, number: int) -> bool:
        bounds = self.facts.bounds[number].value
        # Where there is no value at all, the fault is another one.
        return bool((bounds.lower == np.inf).any() and not bounds.empty.any())

    def is_constant(self, path: str) -> bool:
        """Whether a soft term has one energy everywhere, other than one that always holds."""
        number = self.root(RootKind.ENERGY, path)
        if number is None or self.is_infinite(path):
            return False
        return not self.graph.varying[number] or (
            is_single(*self.range(number)) and not self._holds(path)
        )

    def is_always_true(self, path: str) -> bool:
        """Whether a constraint on unknowns holds in the whole domain."""
        return self._holds(path) and not self.is_constant(path) and self._varies(path)

    def is_never_true(self, path: str) -> bool:
        """Whether a preferred constraint on unknowns holds at no point of the domain."""
        number = self.root(RootKind.MARGIN, path)
        if number is None or self.terms[path].role is Role.REQUIRE:
            return False
        if self.is_constant(path) or self.is_infinite(path):
            return False
        low, high = self.range(number)
        return low <= high < 0

    def is_flat(self, path: str) -> bool:
        """Whether the energy of a soft term is the same everywhere."""
        return self.is_constant(path) or (
            self.root(RootKind.ENERGY, path) is not None and self.is_always_true(path)
        )

    def _varies(self, path: str) -> bool:
        number = self.root(RootKind.MARGIN, path)
        return number is not None and self.graph.varying[number]

    def _holds(self, path: str) -> bool:
        number = self.root(RootKind.MARGIN, path)
        if number is None:
            return False
        low, high = self.range(number)
        return 0 <= low <= high or is_tautology(self.graph, number)
