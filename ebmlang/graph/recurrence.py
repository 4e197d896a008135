"""Recurrences: `scan` becomes one node that holds its body as a graph of its own.

The body is built once, whatever the number of steps. What it reads from outside becomes a
parameter of it (a capture).
"""

from typing import TYPE_CHECKING

from ebmlang.check.formulas import Scan
from ebmlang.graph.iteration import bind_elements
from ebmlang.graph.node import Kind
from ebmlang.graph.values import Axis, Scope, Value
from ebmlang.lang import Sort
from ebmlang.source import Diagnostic, EbmError, Label
from ebmlang.source.limits import SCAN_STEPS

if TYPE_CHECKING:
    from ebmlang.graph.expressions import Environment, Interpreter


def build_scan(build: "Interpreter", e: Scan, env: "Environment") -> Value:
    """Return all states of a recurrence along a new first own axis."""
    scope = build.scope
    axes = scope.axes
    start = scope.spread(build.build(e.start, env), axes)
    if e.type.sort is Sort.REAL and scope.node(start).kind is Kind.INT:
        start = scope("to_real", start)
    own = scope.own(start)
    elements = bind_elements(build, e.iteration, env, single=True)
    (time,) = elements.axes
    if time.size > SCAN_STEPS:
        raise EbmError(
            Diagnostic(
                code="E0316",
                headline=f"this recurrence has {time.size:,} steps",
                primary=Label(e.iteration.span, f"the limit is {SCAN_STEPS:,}"),
            )
        )
    arrays = {s: _over_time(scope, v, axes, time) for s, v in elements.binders.items()}

    inner = Scope(depth=scope.depth + 1, around=scope, span=scope.span, path=scope.path, axes=axes)
    node = scope.node(start)
    bound = {e.state: Value(inner.parameter(node.kind, node.shape), axes, inner.depth)}
    ranks = []
    for symbol, array in arrays.items():
        one = scope.node(array)
        before = len(axes)
        shape = (*one.shape[:before], *one.shape[before + 1 :])
        bound[symbol] = Value(inner.parameter(one.kind, shape), axes, inner.depth)
        ranks.append(len(shape) - before)

    build.scope = inner
    try:
        result = inner.spread(build.build(e.body, env.inside(bound)), axes, own)
        if node.kind is Kind.REAL and inner.node(result).kind is Kind.INT:
            result = inner("to_real", result)
        body = inner.close(result)
    finally:
        build.scope = scope

    inputs = (
        scope.use(start),
        *(scope.use(array) for array in arrays.values()),
        *(outer for outer, number in inner.captures.items() if _is_parameter(inner, number)),
    )
    lead = tuple(axis.size for axis in axes)
    return scope.make(
        "scan",
        inputs,
        axes,
        kind=node.kind,
        shape=(*lead, time.size + 1, *own),
        options={
            "body": body,
            "steps": time.size,
            "rank": len(own),
            "element_ranks": tuple(ranks),
        },
    )


def _over_time(scope: Scope, value: Value, axes: tuple[Axis, ...], time: Axis) -> Value:
    """Return elements with all outer axes (of size 1 where they do not vary), then time."""
    own = scope.own(value)
    lead = tuple(axis.size if axis in value.axes else 1 for axis in (*axes, time))
    return scope.reshape(value, (*lead, *own), axes)


def _is_parameter(scope: Scope, number: int) -> bool:
    return scope.builder.nodes[number].operator == "parameter"
