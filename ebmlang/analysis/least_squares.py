"""Whether an energy is a sum of squares: the residuals, and what each square is weighed with.

Solvers for least squares use the residuals' own derivatives. Weights flow from the energy down to
its squares as gradients do, from each node to its inputs, through sums, means and factors that
are not negative.

Source for what solvers make of it: Nocedal and Wright, Numerical Optimization, chapter 10.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ebmlang.graph import Node
from ebmlang.lang.interval import Interval
from ebmlang.lang.operator import Family
from ebmlang.lang.table import OPERATORS

if TYPE_CHECKING:
    from ebmlang.analysis.facts import GraphFacts

_Weights: TypeAlias = list[tuple[int, Interval]]
"""What each input of a node is weighed with."""

_Bound: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Residual:
    """A node whose squared elements are summed.

    Attributes:
        node: Its number.
        weight: What each squared element is multiplied with, not negative, of the node's shape;
            an interval, since it may depend on a given whose value is not known.
    """

    node: int
    weight: Interval


def find_residuals(facts: "GraphFacts", root: int) -> tuple[Residual, ...] | None:
    """Return the residuals of a node that is a sum of weighed squares, plus a constant.

    The node is `constant + sum over residuals of sum(weight * residual^2)`.

    Args:
        facts: Facts of the graph.
        root: The number of a scalar node, such as that of a root ENERGY or TOTAL.

    Returns:
        The residuals, in order of the nodes; None where the node is no such sum.
    """
    nodes = facts.graph.nodes
    waiting: dict[int, Interval] = {root: Interval.point(np.ones(nodes[root].shape))}
    found: dict[int, Interval] = {}
    while waiting:
        # The largest first: by then every weight that reaches it has been added up.
        number = max(waiting)
        weight = waiting.pop(number)
        if not facts.dependence[number].value:
            continue
        square = _squared(facts, nodes[number], weight)
        target, pieces = (found, [square]) if square else (waiting, None)
        if pieces is None:
            pieces = _passed_on(facts, nodes[number], weight)
        if pieces is None:
            return None
        for i, part in pieces:
            target[i] = _add(target[i], part) if i in target else part
    return tuple(Residual(node=number, weight=found[number]) for number in sorted(found))


def _squared(facts: "GraphFacts", node: Node, weight: Interval) -> tuple[int, Interval] | None:
    """Return what is squared, with the weights of its elements; None where nothing is."""
    nodes = facts.graph.nodes
    if node.operator != "square":  # Folding has made squares of x * x and of dot(x, x).
        return None
    base = node.inputs[0]
    inner = nodes[base]
    if inner.operator == "norm":
        # norm(x)^2 is the sum of x^2, which is smooth where norm(x) is not.
        (vector,) = inner.inputs
        return vector, _repeated(weight, inner, nodes[vector])
    return (inner.inputs[0] if inner.operator == "abs" else base), weight


def _passed_on(facts: "GraphFacts", node: Node, weight: Interval) -> _Weights | None:
    """Return the weights of a linear node's inputs; None where a weight would be negative."""
    nodes = facts.graph.nodes
    inputs = node.inputs
    varying = [bool(facts.dependence[i].value) for i in inputs]
    match node.operator:
        case "sum":
            return [(inputs[0], _repeated(weight, node, nodes[inputs[0]]))]
        case "mean":
            count = math.prod(nodes[inputs[0]].shape) // max(math.prod(node.shape), 1)
            share = Interval.point(np.full(node.shape, 1 / count))
            return [(inputs[0], _repeated(_times(weight, share), node, nodes[inputs[0]]))]
        case "add" | "to_real":
            return _moved(facts, node, weight)
        case "sub" if not varying[1]:
            return _moved(facts, node, weight)
        case "mul" | "div":
            return _scaled(facts, node, weight, varying)
        case "supported" if not (varying[1] or varying[2]) and _is_inside(facts, node):
            return [_to_input(facts, node, 3, weight)]
        case "take" | "gather":
            index = facts.bounds[inputs[1]].value
            known = bool((index.lower == index.upper).all())
            return [_to_input(facts, node, 0, weight)] if known else None
        case operator if operator in OPERATORS:
            moves = OPERATORS[operator].family is Family.STRUCTURAL
            return _moved(facts, node, weight) if moves else None
        case _:
            return None


def _scaled(
    facts: "GraphFacts", node: Node, weight: Interval, varying: list[bool]
) -> _Weights | None:
    """Weigh the one operand of a product or quotient that varies with the other one."""
    if all(varying) or (node.operator == "div" and varying[1]):
        return None
    place = varying.index(True)
    factor = facts.bounds[node.inputs[1 - place]].value
    least = factor.lower.min(initial=np.inf)
    if not (least > 0 if node.operator == "div" else least >= 0):
        return None
    if node.operator == "div":
        factor = Interval(1 / factor.upper, 1 / factor.lower)
    return [_to_input(facts, node, place, _times(weight, factor))]


def _is_inside(facts: "GraphFacts", node: Node) -> bool:
    """Whether the first operand of a `supported` never leaves the support."""
    x, lower, upper = (facts.bounds[i].value for i in node.inputs[:3])
    return bool((x.lower >= lower.upper).all() and (x.upper <= upper.lower).all())


# --- weights through the graph, backwards --------------------------------------------


def _moved(facts: "GraphFacts", node: Node, weight: Interval) -> _Weights:
    """Return the weights of all inputs of a node that only moves, repeats and adds elements."""
    return [_to_input(facts, node, place, weight) for place in range(len(node.inputs))]


def _to_input(
    facts: "GraphFacts", node: Node, place: int, weight: Interval
) -> tuple[int, Interval]:
    """Give each element of one input the sum of the weights of the places where it ends up."""
    shape = facts.graph.nodes[node.inputs[place]].shape
    size = math.prod(shape)
    origin = _origins(facts, node, place).ravel()
    # Elements that come from other inputs have the origin `size`, past the end.

    def gathered(side: _Bound) -> _Bound:
        sums = np.bincount(origin, np.broadcast_to(side, node.shape).ravel(), size + 1)
        return sums[:size].astype(np.float64).reshape(shape)

    return node.inputs[place], _map(weight, gathered)


def _origins(facts: "GraphFacts", node: Node, place: int) -> NDArray[np.int64]:
    """Return for each element of a node the flat index of that of one input that it holds."""
    nodes = facts.graph.nodes
    shape = nodes[node.inputs[place]].shape
    size = math.prod(shape)
    own = np.arange(size).reshape(shape)
    record = OPERATORS[node.operator]
    if record.family is not Family.STRUCTURAL:
        return np.broadcast_to(own, node.shape)
    if node.operator in ("take", "gather"):
        index = facts.bounds[node.inputs[1]].value.lower.astype(np.int64)
        arrays = [own, index]
    else:
        arrays = [
            own if other == place else np.full(nodes[i].shape, size)
            for other, i in enumerate(node.inputs)
        ]
    return np.asarray(record.evaluate(*arrays, **dict(node.options)))


def _repeated(weight: Interval, reduction: Node, operand: Node) -> Interval:
    """Return the weights of a reduction as weights of what it reduces."""
    axes = reduction.option("axes")
    return _map(weight, lambda w: np.broadcast_to(np.expand_dims(w, axes), operand.shape))


def _map(interval: Interval, change: Callable[[_Bound], _Bound]) -> Interval:
    return Interval(change(interval.lower), change(interval.upper))


def _times(a: Interval, b: Interval) -> Interval:
    """Return the product of two intervals that are not negative; 0 times anything is 0."""
    return Interval(_product(a.lower, b.lower), _product(a.upper, b.upper))


def _product(a: _Bound, b: _Bound) -> _Bound:
    zero = (a == 0) | (b == 0)
    with np.errstate(invalid="ignore"):
        return np.where(zero, 0.0, a * b)


def _add(a: Interval, b: Interval) -> Interval:
    return Interval(a.lower + b.lower, a.upper + b.upper)
