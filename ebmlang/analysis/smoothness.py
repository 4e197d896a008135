"""How often each node is continuously differentiable in the variables, and where it is not.

A node is as smooth as its roughest `Spot`: a place where its operator, or one inside of it, has
a kink, a jump, a wall or a pole that the operand's bounds do not exclude. A spot goes up from node
to node with the value that the node has there, and that decides what becomes of it:

- where a function is constant around that value, the spot is gone: the tip of the cone `norm(x)`
  lies where `relu(norm(x) - 10)` is 0;
- where a function is flat at that value, the spot is smoothed: `relu(r)^2` has a continuous
  gradient, for the square is flat at 0, where the kink of `relu` is.

Only the inside of the domain counts; at its edges nothing is asked. Poles do not lower the
order: it is that of a node away from them.

The rules are those of Taylor's theorem. Let g be k times continuously differentiable at a kink
where its value is v, with a bounded slope, so that its halves differ by O(t^(k + 1)) at distance t.
If f(u) - f(v) = O((u - v)^m) with m derivatives, the halves of f(g) differ by m * (g - v)^(m - 1)
times that: O(t^(k + m)), and f(g) is k + m - 1 times continuously differentiable.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ebmlang.analysis.bounds import infer_body_bounds
from ebmlang.analysis.framework import Derived, propagate
from ebmlang.analysis.interior import bound_interior
from ebmlang.analysis.spots import MOST_SPOTS, SMOOTH, Spot, Step
from ebmlang.graph import EnergyGraph, Node, Origin
from ebmlang.lang.interval import Interval

if TYPE_CHECKING:
    from ebmlang.analysis.facts import GraphFacts


@dataclass(frozen=True, slots=True)
class Regularity:
    """How smooth a node is, in all variables jointly.

    Attributes:
        spots: Where it is not, each once.
    """

    spots: tuple[Spot, ...] = ()

    @property
    def order(self) -> int:
        """How often it is continuously differentiable away from poles; -1 if it jumps."""
        return min((spot.order for spot in self.spots), default=SMOOTH)


def infer_smoothness(facts: "GraphFacts") -> tuple[Derived[Regularity], ...]:
    """Return how smooth each node is inside of the domain."""
    return _infer(facts.graph, bound_interior(facts), facts.graph.varying)


def _infer(
    graph: EnergyGraph, bounds: tuple[Derived[Interval], ...], varying: Sequence[bool]
) -> tuple[Derived[Regularity], ...]:
    intervals = tuple(fact.value for fact in bounds)

    def transfer(number: int, node: Node, inputs: tuple[Regularity, ...]) -> Derived[Regularity]:
        if not varying[number] or not node.inputs:
            return Derived(Regularity(), "does not depend on a variable, or is one")
        step = Step(number=number, node=node, graph=graph, bounds=intervals, varying=varying)
        if node.operator == "scan":
            own = _inside(graph, number, bounds, varying)
        else:
            own = tuple(step.find_own())
        passed = [
            spot
            for position, regularity in enumerate(inputs)
            for before in regularity.spots
            for spot in step.pass_on(position, before)
        ]
        found = Regularity(_merged((*own, *passed)))
        if own:
            return Derived(found, f"`{node.operator}` is not smooth everywhere")
        because = tuple(i for i, x in zip(node.inputs, inputs, strict=True) if x.spots)
        return Derived(found, "as smooth as its operands are where it is not flat", because)

    return propagate(graph, transfer)


def _inside(
    graph: EnergyGraph,
    number: int,
    bounds: tuple[Derived[Interval], ...],
    varying: Sequence[bool],
) -> tuple[Spot, ...]:
    """Return the spots that the body of a recurrence makes, as spots of all its states."""
    node = graph.nodes[number]
    body: EnergyGraph = node.option("body")
    # The state is the first parameter, and varies if anything does.
    moving = [True, *(varying[i] for i in node.inputs[1:])]
    flags: list[bool] = []
    for inner in body.nodes:
        is_moving = inner.operator == "parameter" and moving[inner.option("index")]
        flags.append(is_moving or any(flags[i] for i in inner.inputs))
    ((_, result),) = body.roots.items()
    found = _infer(body, infer_body_bounds(graph, number, bounds), flags)[result].value
    return tuple(
        replace(spot, node=number, lower=-math.inf, upper=math.inf) for spot in found.spots
    )


def _merged(spots: Iterable[Spot]) -> tuple[Spot, ...]:
    """Return spots of the same origin as one, and those beyond the limit too."""
    found: dict[tuple[int, Origin], Spot] = {}
    for spot in spots:
        key = (spot.node, spot.origin)
        if key not in found and len(found) == MOST_SPOTS:
            key = next(reversed(found))
        found[key] = _union(found[key], spot) if key in found else spot
    return tuple(found.values())


def _union(a: Spot, b: Spot) -> Spot:
    rougher = a if a.order <= b.order else b
    return replace(rougher, lower=min(a.lower, b.lower), upper=max(a.upper, b.upper))
