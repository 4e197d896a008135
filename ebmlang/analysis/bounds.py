"""What each node's elements lie between: interval arithmetic from the leaves up.

Rounded outward, and so a proof. Where two operands of a node come from one number (as in
`r^-12 - r^-6`), plain interval arithmetic forgets that; `refinement` remembers.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ebmlang.analysis.enclosing import enclose_levels
from ebmlang.analysis.framework import Derived, Inputs
from ebmlang.analysis.long_axes import MANY, enclose_large, is_large
from ebmlang.analysis.refinement import Refiner
from ebmlang.graph import EnergyGraph, Kind, Node, RootKind
from ebmlang.lang.behavior import enclose
from ebmlang.lang.interval import Bound, Interval, hull, widen
from ebmlang.lang.table import OPERATORS
from ebmlang.lang.types import DomainKind

STEPS = 64
"""How many steps of recurrences, one inside the other, are gone through one by one."""

GUESSES = 12
"""How often a guess of what a longer recurrence stays in is doubled."""

_EXACT_WHOLE = 2.0**53
"""Up to it every whole number is a float64."""

_UNIT_BALL = frozenset({DomainKind.UNIT, DomainKind.ROTATION})

Leaf: TypeAlias = Callable[[Node], Derived[Interval]]
"""From a node without inputs to what it lies between."""


def infer_bounds(graph: EnergyGraph, inputs: Inputs) -> tuple[Derived[Interval], ...]:
    """Return what each node's elements lie between, over the whole domain of the variables."""
    # The bounds of a variable may stand behind it; they never depend on an unknown.
    sides = [
        {root.path: number for root, number in graph.roots_of(kind)}
        for kind in (RootKind.LOWER, RootKind.UPPER)
    ]
    kinds = {variable.path: variable.domain for variable in graph.variables}
    early: set[int] = set()
    for numbers in sides:
        for number in numbers.values():
            early |= {number, *graph.ancestors(number)}
    known: dict[int, Derived[Interval]] = {}

    def leaf(node: Node) -> Derived[Interval]:
        if node.operator == "variable":
            path = node.option("path")
            lower, upper = (known.get(numbers.get(path, -1)) for numbers in sides)
            found = _domain(kinds[path], node.shape)
            low = found.lower if lower is None else np.maximum(found.lower, lower.value.lower)
            high = found.upper if upper is None else np.minimum(found.upper, upper.value.upper)
            return Derived(Interval.make(low, high), "the declared domain")
        return _input(node, inputs)

    for number in sorted(early):
        known[number] = _transfer(graph, number, known, leaf, STEPS)
    plain = enclose_levels(
        graph, known, lambda number, found: _transfer(graph, number, found, leaf, STEPS)
    )
    refiner = Refiner(graph)
    found: list[Derived[Interval]] = []
    for number, node in enumerate(graph.nodes):
        own = plain[number]
        # What was made closer makes closer what is made of it.
        if number not in known and any(found[i] is not plain[i] for i in node.inputs):
            own = _transfer(graph, number, found, leaf, STEPS)
        found.append(refiner.refined(number, own, found))
    return tuple(found)


def infer_body_bounds(
    graph: EnergyGraph, number: int, bounds: tuple[Derived[Interval], ...]
) -> tuple[Derived[Interval], ...]:
    """Return what each node of the body of a recurrence lies between, at every step.

    Args:
        graph: The graph around.
        number: The `scan`.
        bounds: Of the nodes of `graph`.
    """
    node = graph.nodes[number]
    _, *others = (bounds[i].value for i in node.inputs)
    states = _over_time(bounds[number].value, node.option("rank"))
    return _infer_body(node, (states, *_at_any_time(node, others)), STEPS)


def sign_of(x: Interval) -> int | None:
    """Return 1 where no element is below 0, -1 where none is above, 0 where all are 0."""
    held = ~x.empty
    low, high = bool(np.all(x.lower[held] >= 0)), bool(np.all(x.upper[held] <= 0))
    if low and high:
        return 0
    return 1 if low else -1 if high else None


# --- leaves --------------------------------------------------------------------------


def _domain(kind: DomainKind, shape: tuple[int, ...]) -> Interval:
    everything = Interval.everything(shape)
    match kind:
        case DomainKind.POSITIVE:
            return Interval.make(np.zeros(shape), everything.upper)
        case DomainKind.SIMPLEX | DomainKind.BOOL:
            return Interval.make(np.zeros(shape), np.ones(shape))
        case DomainKind.LABEL | DomainKind.PERMUTATION:
            return Interval.make(np.zeros(shape), everything.upper)
        case _ if kind in _UNIT_BALL:
            return Interval.make(-np.ones(shape), np.ones(shape))
        case _:
            return everything


def _input(node: Node, inputs: Inputs) -> Derived[Interval]:
    match node.operator:
        case "constant":
            return Derived(_point(node.option("value").array), "a constant")
        case "weight":
            value = inputs.weights.get(node.option("path"), node.option("value"))
            return Derived(Interval.point(value), "a weight")
        case "given" if node.option("path") in inputs.givens:
            return Derived(_point(inputs.givens[node.option("path")]), "the data")
    if node.kind is Kind.BOOL:
        return Derived(Interval.make(np.zeros(node.shape), np.ones(node.shape)), "a truth value")
    return Derived(Interval.everything(node.shape), "any number")


def _point(array: NDArray[Any]) -> Interval:
    if array.size > MANY:
        low, high = (_point(np.asarray(end)) for end in (np.min(array), np.max(array)))
        ends = (np.broadcast_to(end, array.shape) for end in (low.lower, high.upper))
        return Interval(*ends)
    value = np.asarray(array, dtype=np.float64)
    found = Interval.point(value)
    if array.dtype.kind == "i" and np.any(np.abs(value) > _EXACT_WHOLE):
        return widen(found.lower, found.upper, 1)
    return found


# --- operators -----------------------------------------------------------------------


def _transfer(
    graph: EnergyGraph,
    number: int,
    found: Mapping[int, Derived[Interval]] | Sequence[Derived[Interval]],
    leaf: Leaf,
    steps: int,
) -> Derived[Interval]:
    node = graph.nodes[number]
    operands = [found[i].value for i in node.inputs]
    if node.operator in OPERATORS:
        if is_large(node, operands):
            value = enclose_large(node, operands)
        else:
            value = enclose(OPERATORS[node.operator], operands, dict(node.options))
        return Derived(value, f"the range of `{node.operator}`", node.inputs)
    if node.operator == "scan":
        return Derived(_scan(node, operands, steps), "the recurrence, step by step", node.inputs)
    if node.operator == "extern":
        return Derived(Interval.everything(node.shape), "a function from Python: any number")
    return leaf(node)


def _infer_body(
    node: Node, parameters: tuple[Interval, ...], steps: int
) -> tuple[Derived[Interval], ...]:
    body: EnergyGraph = node.option("body")

    def leaf(inner: Node) -> Derived[Interval]:
        if inner.operator == "parameter":
            return Derived(parameters[inner.option("index")], "a parameter")
        return _input(inner, Inputs())

    found: list[Derived[Interval]] = []
    for number in range(len(body)):
        found.append(_transfer(body, number, found, leaf, steps))
    return tuple(found)


def _scan(node: Node, operands: list[Interval], steps: int) -> Interval:
    """Return the range of all states: step by step, or by a range that the step does not leave."""
    start, *others = operands
    count, rank = node.option("steps"), node.option("rank")
    ranks = node.option("element_ranks")
    body: EnergyGraph = node.option("body")
    ((_, result),) = body.roots.items()
    left = steps // max(count, 1)

    def step(state: Interval, rest: list[Interval]) -> Interval:
        return _infer_body(node, (state, *rest), left)[result].value

    state = Interval.make(*(np.broadcast_to(x, _state_shape(node)) for x in _ends(start)))
    if count <= steps:
        states = [state]
        for time in range(count):
            elements = [
                _at_time(array, own, time) for array, own in zip(others, ranks, strict=False)
            ]
            state = step(state, [*elements, *others[len(ranks) :]])
            states.append(state)
        axis = len(node.shape) - rank - 1
        return Interval.make(
            np.stack([one.lower for one in states], axis=axis),
            np.stack([one.upper for one in states], axis=axis),
        )
    kept = _invariant(state, lambda s: step(s, _at_any_time(node, others)))
    axis = len(node.shape) - rank - 1
    return Interval.make(
        *(np.broadcast_to(np.expand_dims(x, axis), node.shape) for x in _ends(kept))
    )


def _invariant(start: Interval, step: Callable[[Interval], Interval]) -> Interval:
    """Return a range that holds the start and that a step does not leave: a proof by induction."""
    guess = hull(start, step(start))
    for _ in range(GUESSES):
        following = step(guess)
        if np.all(following.lower >= guess.lower) and np.all(following.upper <= guess.upper):
            return guess
        size = np.maximum(np.abs(guess.lower), np.abs(guess.upper)) + 1.0
        guess = Interval.make(
            np.where(following.lower < guess.lower, -2 * size, guess.lower),
            np.where(following.upper > guess.upper, 2 * size, guess.upper),
        )
    # Sides that keep moving have no bound; the others may still have theirs.
    while not guess.equals(moved := _opened(guess, step(guess))):
        guess = moved
    return guess


def _opened(guess: Interval, following: Interval) -> Interval:
    """Return a range without a bound where a step leaves it."""
    return Interval.make(
        np.where(following.lower < guess.lower, -np.inf, guess.lower),
        np.where(following.upper > guess.upper, np.inf, guess.upper),
    )


def _state_shape(node: Node) -> tuple[int, ...]:
    axis = len(node.shape) - node.option("rank") - 1
    return (*node.shape[:axis], *node.shape[axis + 1 :])


def _ends(x: Interval) -> tuple[Bound, Bound]:
    return x.lower, x.upper


def _at_time(array: Interval, own: int, time: int) -> Interval:
    axis = len(array.shape) - own - 1
    return Interval(np.take(array.lower, time, axis=axis), np.take(array.upper, time, axis=axis))


def _over_time(array: Interval, own: int) -> Interval:
    axis = len(array.shape) - own - 1
    return Interval.make(
        np.min(array.lower, axis=axis, initial=np.inf),
        np.max(array.upper, axis=axis, initial=-np.inf),
    )


def _at_any_time(node: Node, others: list[Interval]) -> list[Interval]:
    """Return elements over all time, and captures as they are."""
    ranks = node.option("element_ranks")
    elements = [_over_time(array, own) for array, own in zip(others, ranks, strict=False)]
    return [*elements, *others[len(ranks) :]]
