"""A margin read back as a comparison, so that a message can speak of its two sides."""

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np

from ebmlang.analysis.findings.subject import Subject, is_single, show_number, show_range
from ebmlang.graph import EnergyGraph, Node
from ebmlang.source import SourceText

LONGEST_NAME = 60
"""Longest text of an expression that a sentence quotes [characters]."""


class Kind(Enum):
    """What a comparison asks of its two sides."""

    LEAST = "least"
    """The first is at least the second."""
    NEAR = "near"
    """They are within the tolerance of each other."""
    APART = "apart"
    """They are the tolerance apart, or more."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A relation between two nodes; None stands for zero."""

    kind: Kind
    first: int | None
    second: int | None
    tolerance: float = 0.0


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of a comparison at one element: what it is called, and its bounds."""

    name: str
    low: float
    high: float

    @property
    def known(self) -> bool:
        return is_single(self.low, self.high)


def read_margin(graph: EnergyGraph, margin: int) -> Comparison:
    """Return the comparison that a margin is that of; at the least, it is one with zero."""
    number, scale = _undivided(graph, margin)
    node = graph.nodes[number]
    if node.operator == "neg":
        return Comparison(Kind.LEAST, None, node.inputs[0])
    if node.operator != "sub":
        return Comparison(Kind.LEAST, number, None)
    first, second = node.inputs
    if scale == 1 and _is_one(graph.nodes[first]):
        return _distance(graph, second, Kind.NEAR) or Comparison(Kind.LEAST, first, second)
    if scale == 1 and _is_one(graph.nodes[second]):
        return _distance(graph, first, Kind.APART) or Comparison(Kind.LEAST, first, second)
    return Comparison(Kind.LEAST, first, second)


def say_failure(subject: Subject, margin: int, source: SourceText) -> tuple[str, tuple[str, ...]]:
    """Return why a margin is below zero everywhere, and what would be possible instead.

    Args:
        subject: The spec.
        margin: A node of which some element has an upper bound below zero.
        source: The file whose text may be quoted.

    Returns:
        The end of a label, and helps.
    """
    upper = subject.facts.bounds[margin].value.upper
    place = np.unravel_index(int(np.argmin(upper)), upper.shape)
    comparison = _read(subject, margin)
    best = show_number(float(upper[place]))
    generic = f"its margin is at most {best}, and would have to be at least 0"
    if comparison is None:
        return generic, ()
    first = _side(subject, comparison.first, margin, place, source)
    second = _side(subject, comparison.second, margin, place, source)
    if first is None or second is None or (first.known and second.known):
        return generic, ()
    where = f" (element {list(map(int, place))})" if upper.size > 1 else ""
    sentence, helps = _failure(comparison, first, second)
    return sentence + where, helps


def say_truth(subject: Subject, margin: int, source: SourceText) -> str:
    """Return why a margin is above zero everywhere."""
    low, _ = subject.range(margin)
    comparison = _read(subject, margin)
    sides = () if comparison is None else (comparison.first, comparison.second)
    for number in sides:
        if number is None or not subject.graph.varying[number]:
            continue
        name = _name(subject, number, source)
        if name is not None:
            return f"`{name}` {show_range(*subject.range(number))}"
    return f"its margin is at least {show_number(low)}"


def _read(subject: Subject, margin: int) -> Comparison | None:
    """Return the comparison that a margin is that of; None where it joins several."""
    return read_margin(subject.graph, margin) if margin in subject.relations else None


def _failure(comparison: Comparison, first: _Side, second: _Side) -> tuple[str, tuple[str, ...]]:
    match comparison.kind:
        case Kind.LEAST if second.known:
            wanted, possible = show_number(second.low), f"{first.name} >= {show_number(first.high)}"
            return f"{_said(first)} and would have to be at least {wanted}", _could(possible)
        case Kind.LEAST if first.known:
            wanted, possible = (
                show_number(first.high),
                f"{second.name} <= {show_number(second.low)}",
            )
            return f"{_said(second)} and would have to be at most {wanted}", _could(possible)
        case Kind.LEAST:
            return (
                f"`{first.name}` is at most {show_number(first.high)} and would have to be "
                f"at least `{second.name}`, which is at least {show_number(second.low)}"
            ), ()
        case Kind.NEAR:
            moving, other = (second, first) if first.known else (first, second)
            within = show_number(comparison.tolerance)
            if not other.known:
                target = f"`{other.name}`, which {_of(other)}"
                return f"{_said(moving)} and would have to be within {within} of {target}", ()
            nearest = show_number(min(max(other.low, moving.low), moving.high))
            wanted = f"within {within} of {show_number(other.low)}"
            possible = f"{moving.name} == {nearest} within {within}"
            return f"{_said(moving)} and would have to be {wanted}", _could(possible)
        case Kind.APART:
            moving, other = (second, first) if first.known else (first, second)
            away = show_number(comparison.tolerance)
            target = show_number(other.low) if other.known else f"`{other.name}`"
            return f"{_said(moving)} and would have to be at least {away} away from {target}", ()


def _could(possible: str) -> tuple[str, ...]:
    return (f"`{possible}` can hold; or give its variables wider bounds",)


def _said(side: _Side) -> str:
    return f"`{side.name}` {_of(side)}"


def _of(side: _Side) -> str:
    return show_range(side.low, side.high)


def _side(
    subject: Subject,
    number: int | None,
    margin: int,
    place: tuple[np.intp, ...],
    source: SourceText,
) -> _Side | None:
    """Return one side at one element of the margin; None where it has no name to be called by."""
    if number is None:
        return _Side("0", 0.0, 0.0)
    shape = subject.graph.nodes[margin].shape
    bounds = subject.facts.bounds[number].value
    low = float(np.broadcast_to(bounds.lower, shape)[place])
    high = float(np.broadcast_to(bounds.upper, shape)[place])
    if math.isnan(low) or low > high:
        return None
    name = _name(subject, number, source)
    if name is None and not is_single(low, high):
        return None
    return _Side(name or show_number(low), low, high)


def _name(subject: Subject, number: int, source: SourceText) -> str | None:
    """Return what to call a node in a sentence: a path, or its text."""
    graph = subject.graph
    while graph.nodes[number].operator in ("reshape", "expand"):
        number = graph.nodes[number].inputs[0]
    node = graph.nodes[number]
    if node.operator in ("variable", "given"):
        return str(node.option("path"))
    span = node.origin.span
    if span is None or span.source is not source:
        return None
    text = " ".join(span.text.split())
    return text if text and len(text) <= LONGEST_NAME else None


def _undivided(graph: EnergyGraph, number: int) -> tuple[int, float]:
    """Return a node without a division by a positive constant, and the constant."""
    node = graph.nodes[number]
    if node.operator == "div":
        scale = _constant(graph.nodes[node.inputs[1]])
        if scale is not None and scale > 0:
            return node.inputs[0], scale
    return number, 1.0


def _distance(graph: EnergyGraph, number: int, kind: Kind) -> Comparison | None:
    number, tolerance = _undivided(graph, number)
    node = graph.nodes[number]
    if node.operator != "abs":
        return None
    inside = graph.nodes[node.inputs[0]]
    if inside.operator == "sub":
        first, second = inside.inputs
        return Comparison(kind, first, second, tolerance)
    return Comparison(kind, node.inputs[0], None, tolerance)


def _is_one(node: Node) -> bool:
    return _constant(node) == 1


def _constant(node: Node) -> float | None:
    """Return the number that a node is throughout; None for anything else."""
    if node.operator != "constant":
        return None
    array = node.option("value").array
    if array.size == 0 or not (array == array.flat[0]).all():
        return None
    return float(array.flat[0])
