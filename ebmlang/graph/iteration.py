"""Quantifiers, sums and builders: their elements become a leading axis.

Nothing is unrolled. `pairs(x)` takes x twice with two constant index vectors; a plain array needs
no step at all, since its first axis simply becomes the quantifier's. A condition that is known
now leaves elements out; one that depends on data becomes a mask.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, assert_never

import numpy as np
from numpy.typing import NDArray

from ebmlang.check.formulas import Iteration, IterationKind, Quantified, QuantifierKind, Symbol
from ebmlang.graph.evaluate import evaluate_constant
from ebmlang.graph.node import Kind
from ebmlang.graph.sizes import bind_number
from ebmlang.graph.values import Axis, Scope, Value
from ebmlang.lang import Sort
from ebmlang.source import Diagnostic, EbmError, Label

if TYPE_CHECKING:
    from ebmlang.graph.expressions import Environment, Interpreter

Places: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Elements:
    """What an iteration binds: values with the new axes, and which of them count.

    Attributes:
        axes: One new axis; for a `product` without a condition, one per factor.
        binders: Symbol to value.
        mask: A `bool` over the new axes, where a condition depends on data.
    """

    axes: tuple[Axis, ...]
    binders: dict[Symbol, Value]
    mask: Value | None


@dataclass(frozen=True, slots=True)
class _Source:
    """One binder: elements `places` of an array's first axis, or the integers themselves."""

    symbol: Symbol
    array: Value | None
    places: Places
    whole: bool
    """Whether `places` is every element in order."""


def bind_elements(
    build: "Interpreter", iteration: Iteration, env: "Environment", *, single: bool = False
) -> Elements:
    """Return the elements of an iteration along new axes inside the current ones.

    Args:
        build: The interpreter.
        iteration: What to run over.
        env: Values of symbols outside.
        single: Whether a `product` must be one axis too.
    """
    scope = build.scope
    level = len(scope.axes)
    groups = _groups(build, iteration, env)
    if iteration.condition is None:
        if single and len(groups) > 1:
            groups = [_joined(scope, groups)]
        return _bound(scope, groups, level, None)
    whole = [_joined(scope, groups)]
    trial = _bound(scope, whole, level, None)
    outer, scope.axes = scope.axes, (*scope.axes, *trial.axes)
    condition = build.build(iteration.condition, env.inside(trial.binders))
    scope.axes = outer
    known = evaluate_constant(scope, condition)
    if known is None or any(axis not in trial.axes for axis in condition.axes):
        return _bound(scope, whole, level, condition)
    kept = np.flatnonzero(np.broadcast_to(known, (trial.axes[0].size,)))
    if len(kept) == trial.axes[0].size:
        return _bound(scope, groups if not single else whole, level, None)
    chosen = [_Source(s.symbol, s.array, s.places[kept], whole=False) for s in whole[0]]
    return _bound(scope, [chosen], level, None)


def _groups(build: "Interpreter", iteration: Iteration, env: "Environment") -> list[list[_Source]]:
    """Return, for each new axis, its binders."""
    scope = build.scope
    if iteration.kind is IterationKind.PRODUCT:
        return [group for f in iteration.factors for group in _groups(build, f, env)]
    names = iteration.binders
    if iteration.kind is IterationKind.RANGE:
        assert iteration.bounds is not None
        first, last = (bind_number(dim, build.sizes, iteration.span) for dim in iteration.bounds)
        scope.require_room((max(last - first + 1, 0),))
        return [[_Source(names[0], None, np.arange(first, last + 1), whole=False)]]
    arrays = [build.build(source, env) for source in iteration.sources]
    size = scope.own(arrays[0])[0]
    every = np.arange(size)
    match iteration.kind:
        case IterationKind.EACH | IterationKind.ZIP:
            pairs = zip(names, arrays, strict=True)
            return [[_Source(name, array, every, whole=True) for name, array in pairs]]
        case IterationKind.ENUMERATE:
            index = _Source(names[0], None, every, whole=False)
            return [[index, _Source(names[1], arrays[0], every, whole=True)]]
        case IterationKind.PAIRS:
            scope.require_room((size * (size - 1) // 2,))
            first_places, second_places = np.triu_indices(size, k=1)
            for places in (first_places, second_places):
                # So that constants hold them as they are.
                places.flags.writeable = False
        case IterationKind.ADJACENT:
            first_places, second_places = every[:-1], every[1:]
        case _:
            assert_never(iteration.kind)
    return [
        [
            _Source(names[0], arrays[0], first_places, whole=False),
            _Source(names[1], arrays[0], second_places, whole=False),
        ]
    ]


def _joined(scope: Scope, groups: list[list[_Source]]) -> list[_Source]:
    """Return several axes as one, the first slowest."""
    if len(groups) == 1:
        return groups[0]
    counts = [len(group[0].places) for group in groups]
    scope.require_room(tuple(counts))
    grids = np.indices(counts).reshape(len(counts), -1)
    return [
        _Source(source.symbol, source.array, source.places[grid], whole=False)
        for group, grid in zip(groups, grids, strict=True)
        for source in group
    ]


def _bound(scope: Scope, groups: list[list[_Source]], level: int, mask: Value | None) -> Elements:
    axes = tuple(Axis(level + i, len(group[0].places)) for i, group in enumerate(groups))
    binders = {
        source.symbol: _elements(scope, source, axis)
        for group, axis in zip(groups, axes, strict=True)
        for source in group
    }
    return Elements(axes, binders, mask)


def _elements(scope: Scope, source: _Source, axis: Axis) -> Value:
    if source.array is None:
        return scope.constant(source.places, (axis,))
    array = source.array
    if source.whole:
        return Value(scope.use(array), (*array.axes, axis), scope.depth)
    taken = scope.apply(
        "take", [Value(scope.use(array), (), scope.depth), scope.constant(source.places)],
        axis=-len(scope.own(array)),
    )  # fmt: skip
    return Value(taken.number, (*array.axes, axis), scope.depth)


# --- what is done with the values ----------------------------------------------------

_REDUCTIONS = {
    QuantifierKind.SUM: ("sum", 0.0),
    QuantifierKind.PROD: ("prod", 1.0),
    QuantifierKind.MIN: ("min", math.inf),
    QuantifierKind.MAX: ("max", -math.inf),
}
"""The reduction, and the value that elements outside the condition get."""


def build_quantified(build: "Interpreter", e: Quantified, env: "Environment") -> Value:
    """Return the value of a quantifier, a sum or a builder."""
    scope = build.scope
    single = e.kind is QuantifierKind.ARRAY
    elements = bind_elements(build, e.iteration, env, single=single)
    outer, scope.axes = scope.axes, (*scope.axes, *elements.axes)
    body = build.build(e.body, env.inside(elements.binders))
    scope.axes = outer
    body = _with_new_axes(scope, body, elements.axes)
    match e.kind:
        case QuantifierKind.ARRAY:
            return Value(body.number, body.axes[:-1], body.depth)
        case QuantifierKind.FORALL | QuantifierKind.EXISTS if e.type.sort is Sort.CONSTRAINT:
            return _quantify(scope, e, body, elements)
        case QuantifierKind.FORALL:
            return _reduce(scope, body, elements, "sum", 0.0)
        case QuantifierKind.EXISTS:
            return _mixture(scope, body, elements)
        case QuantifierKind.MEAN:
            return _mean(scope, e, body, elements)
        case _:
            return _reduce(scope, body, elements, *_REDUCTIONS[e.kind])


def _with_new_axes(scope: Scope, body: Value, axes: Sequence[Axis]) -> Value:
    """Repeat a body that does not depend on its binders, so that it counts once for each."""
    if all(axis in body.axes for axis in axes):
        return body
    together = {*body.axes, *axes}
    return scope.spread(body, tuple(sorted(together, key=lambda axis: axis.level)))


def _quantify(scope: Scope, e: Quantified, body: Value, elements: Elements) -> Value:
    universal = e.kind is QuantifierKind.FORALL
    if elements.mask is not None:
        body = scope.constraint("guard", [elements.mask, body], neutral=universal)
    axes = tuple(range(-len(elements.axes), 0))
    inner = Value(body.number, body.axes[: -len(axes)], body.depth)
    return scope.quantify("all" if universal else "any", inner, axes, logic=e.logic)


def _reduce(scope: Scope, body: Value, elements: Elements, operator: str, neutral: float) -> Value:
    if elements.mask is not None:
        if not math.isfinite(neutral) and scope.node(body).kind is Kind.INT:
            body = scope("to_real", body)
        whole = scope.node(body).kind is Kind.INT
        filler = scope.constant(int(neutral) if whole else neutral)
        body = scope("where", elements.mask, body, filler)
    own = len(scope.own(body))
    axes = tuple(range(-own - len(elements.axes), -own))
    inner = Value(body.number, body.axes[: -len(elements.axes)], body.depth)
    return scope.apply(operator, [inner], axes=axes)


def _mixture(scope: Scope, energy: Value, elements: Elements) -> Value:
    """Return -log of the mean of exp(-E); the count is inside, so that over nothing it is inf."""
    logs = scope("sub", scope("neg", energy), scope("log", _count(scope, elements)))
    return scope("neg", _reduce(scope, logs, elements, "logsumexp", -math.inf))


def _mean(scope: Scope, e: Quantified, body: Value, elements: Elements) -> Value:
    if elements.mask is None:
        if math.prod(axis.size for axis in elements.axes) == 0:
            raise EbmError(
                Diagnostic(
                    code="E0311",
                    headline="the mean of no elements does not exist",
                    primary=Label(e.iteration.span, "this runs over nothing"),
                )
            )
        return _reduce(scope, body, elements, "mean", 0.0)
    return scope("div", _reduce(scope, body, elements, "sum", 0.0), _count(scope, elements))


def _count(scope: Scope, elements: Elements) -> Value:
    if elements.mask is None:
        return scope.constant(float(math.prod(axis.size for axis in elements.axes)))
    ones = _with_new_axes(scope, scope.constant(1.0), elements.axes)
    return _reduce(scope, ones, elements, "sum", 0.0)
