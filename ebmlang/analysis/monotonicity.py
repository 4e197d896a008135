"""How each node moves with each variable: the chain rule, on signs."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from ebmlang.analysis.bounds import infer_body_bounds
from ebmlang.analysis.character import add_slopes, compose_slopes, infer_character
from ebmlang.analysis.framework import Derived, propagate
from ebmlang.graph import EnergyGraph, Node
from ebmlang.lang.facts import Slope
from ebmlang.lang.interval import Interval
from ebmlang.lang.table import OPERATORS

if TYPE_CHECKING:
    from ebmlang.analysis.facts import GraphFacts

Slopes: TypeAlias = dict[str, Slope]
"""By path, of the variables that a node depends on."""

_Bounds: TypeAlias = tuple[Derived[Interval], ...]


def infer_slopes(facts: "GraphFacts") -> tuple[Derived[Slopes], ...]:
    """Return how each node moves when any element of a variable rises, by path.

    A node of several elements rises when none of them ever falls. A path that is left out does not
    move the node.
    """

    def leaf(node: Node) -> Slopes:
        return {node.option("path"): Slope.RISING} if node.operator == "variable" else {}

    return _infer(facts.graph, facts.bounds, leaf)


def _infer(
    graph: EnergyGraph, bounds: _Bounds, leaf: Callable[[Node], Slopes]
) -> tuple[Derived[Slopes], ...]:
    def transfer(number: int, node: Node, inputs: tuple[Slopes, ...]) -> Derived[Slopes]:
        if not node.inputs:
            return Derived(leaf(node), "itself")
        if node.operator == "scan":
            return Derived(_over_steps(graph, number, bounds, inputs), "each step", node.inputs)
        if node.operator not in OPERATORS:
            paths = dict.fromkeys(path for slopes in inputs for path in slopes)
            mixed = dict.fromkeys(paths, Slope.MIXED)
            return Derived(mixed, f"nothing is known of `{node.operator}`", node.inputs)
        operands = [bounds[i].value for i in node.inputs]
        own = infer_character(node, operands, [bool(slopes) for slopes in inputs]).slopes
        found: Slopes = {}
        for outer, slopes in zip(own, inputs, strict=True):
            _add(found, {path: compose_slopes(outer, slope) for path, slope in slopes.items()})
        return Derived(found, f"the chain rule for `{node.operator}`", node.inputs)

    return propagate(graph, transfer)


def _add(total: Slopes, more: Mapping[str, Slope]) -> None:
    for path, slope in more.items():
        total[path] = add_slopes(total.get(path, Slope.FLAT), slope)


def _over_steps(
    graph: EnergyGraph, number: int, bounds: _Bounds, inputs: tuple[Slopes, ...]
) -> Slopes:
    """Return how all states of a recurrence move: what stays true from step to step."""
    node = graph.nodes[number]
    body: EnergyGraph = node.option("body")
    ((_, result),) = body.roots.items()
    inner = infer_body_bounds(graph, number, bounds)
    start, *others = inputs
    state = dict(start)
    while True:
        parameters = (state, *others)

        def leaf(node: Node, parameters: tuple[Slopes, ...] = parameters) -> Slopes:
            return parameters[node.option("index")] if node.operator == "parameter" else {}

        following = dict(state)
        _add(following, _infer(body, inner, leaf)[result].value)
        if following == state:
            return state
        state = following
