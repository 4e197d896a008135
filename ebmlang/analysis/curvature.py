"""How each node bends in all variables jointly: one rule of composition.

f(g1, ..., gn) is convex where f is, if each g is affine, or convex where f rises in it, or concave
where f falls; likewise concave. How f bends and moves is read off its facts over the bounds of its
operands, so that `square` rises where its operand is at least 0.

Source: Grant, Boyd and Ye, Disciplined Convex Programming (2006); Boyd and Vandenberghe, Convex
Optimization, section 3.2.4.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from ebmlang.analysis.bounds import infer_body_bounds
from ebmlang.analysis.character import Character, infer_character, join_curvatures
from ebmlang.analysis.framework import Derived, propagate
from ebmlang.graph import EnergyGraph, Node
from ebmlang.lang.facts import Curvature, Slope
from ebmlang.lang.interval import Interval
from ebmlang.lang.table import OPERATORS

if TYPE_CHECKING:
    from ebmlang.analysis.facts import GraphFacts

_Bounds: TypeAlias = tuple[Derived[Interval], ...]

_MOVES = {Slope.RISING: "rises", Slope.FALLING: "falls", Slope.FLAT: "is flat"}

_OPPOSITE = {Curvature.CONVEX: Curvature.CONCAVE, Curvature.CONCAVE: Curvature.CONVEX}


def infer_curvature(facts: "GraphFacts") -> tuple[Derived[Curvature], ...]:
    """Return how each node bends, over the domain of the variables and where it is defined.

    A node of several elements is convex when each of them is.
    """

    def leaf(node: Node) -> Curvature:
        return Curvature.AFFINE if node.operator == "variable" else Curvature.CONSTANT

    return _infer(facts.graph, facts.bounds, leaf)


def _infer(
    graph: EnergyGraph, bounds: _Bounds, leaf: Callable[[Node], Curvature]
) -> tuple[Derived[Curvature], ...]:
    def transfer(number: int, node: Node, inputs: tuple[Curvature, ...]) -> Derived[Curvature]:
        if not node.inputs:
            return Derived(leaf(node), f"a {node.operator}")
        moving = [curvature is not Curvature.CONSTANT for curvature in inputs]
        if not any(moving) or bounds[number].value.known:
            return Derived(Curvature.CONSTANT, "nothing in it moves", node.inputs)
        if node.operator == "scan":
            return _over_steps(graph, number, bounds, inputs)
        if node.operator not in OPERATORS:
            return Derived(Curvature.UNKNOWN, f"nothing is known of `{node.operator}`", node.inputs)
        operands = [bounds[i].value for i in node.inputs]
        return _compose(node, infer_character(node, operands, moving), inputs)

    return propagate(graph, transfer)


def _compose(node: Node, own: Character, inputs: tuple[Curvature, ...]) -> Derived[Curvature]:
    """Return the curvature of an operator's value, and the operand that it hangs on."""
    moving = [i for i, curvature in enumerate(inputs) if curvature is not Curvature.CONSTANT]
    for i in moving:
        if inputs[i] is Curvature.UNKNOWN and own.slopes[i] is not Slope.FLAT:
            rule = f"`{node.operator}` of a value that bends in no known way"
            return Derived(Curvature.UNKNOWN, rule, (node.inputs[i],))
    name = f"`{node.operator}`"
    bent = [i for i in moving if inputs[i] is not Curvature.AFFINE]
    if own.curvature is Curvature.UNKNOWN:
        rule = f"{name} is neither convex nor concave there"
        return Derived(Curvature.UNKNOWN, rule, tuple(node.inputs[i] for i in moving))
    through = [_through(own.slopes[i], inputs[i]) for i in moving]
    found = join_curvatures([own.curvature, *through])
    if found is Curvature.UNKNOWN:
        spoiler = next(
            i
            for i, curvature in zip(moving, through, strict=True)
            if join_curvatures([own.curvature, curvature]) is Curvature.UNKNOWN or i in bent
        )
        moves = _MOVES.get(own.slopes[spoiler], "neither rises nor falls")
        rule = (
            f"{name} is {own.curvature.value} and {moves} there; "
            f"its operand is {inputs[spoiler].value}"
        )
        return Derived(found, rule, (node.inputs[spoiler],))
    because = tuple(node.inputs[i] for i in (*bent, *(i for i in moving if i not in bent)))
    operand = inputs[bent[0]].value if bent else "affine"
    return Derived(found, f"{name} of a value that is {operand} is {found.value}", because)


def _through(slope: Slope, curvature: Curvature) -> Curvature:
    """Return what an operand adds to the bend of a value that moves with it like this."""
    if curvature in (Curvature.AFFINE, Curvature.CONSTANT) or slope is Slope.FLAT:
        return Curvature.AFFINE
    match slope:
        case Slope.RISING:
            return curvature
        case Slope.FALLING:
            return _OPPOSITE.get(curvature, Curvature.UNKNOWN)
        case _:
            return Curvature.UNKNOWN


def _over_steps(
    graph: EnergyGraph, number: int, bounds: _Bounds, inputs: tuple[Curvature, ...]
) -> Derived[Curvature]:
    """Return how all states of a recurrence bend: what stays true from step to step."""
    node = graph.nodes[number]
    body: EnergyGraph = node.option("body")
    ((_, result),) = body.roots.items()
    inner = infer_body_bounds(graph, number, bounds)
    start, *others = inputs
    state = start
    while True:
        parameters = (state, *others)

        def leaf(node: Node, parameters: tuple[Curvature, ...] = parameters) -> Curvature:
            if node.operator != "parameter":
                return Curvature.CONSTANT
            index: int = node.option("index")
            return parameters[index]

        step = _infer(body, inner, leaf)[result]
        following = join_curvatures([state, step.value])
        if following is state:
            rule = f"each step of the recurrence is {state.value}"
            return Derived(state, rule, node.inputs)
        state = following
