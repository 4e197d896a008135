"""Indexing: `x[i, 1..3]` with integers that are known, bound by a quantifier, or data.

Known positions are checked here; those that depend on data are kept, to be checked once the
data is there.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ebmlang.check.formulas import At, Expression, Index
from ebmlang.graph.evaluate import evaluate_constant
from ebmlang.graph.node import RootKind
from ebmlang.graph.sizes import bind_number
from ebmlang.graph.values import Scope, Value
from ebmlang.source import Diagnostic, EbmError, Label, Span

if TYPE_CHECKING:
    from ebmlang.graph.expressions import Interpreter


def build_index(
    build: "Interpreter", base: Value, e: Index, index_of: Callable[[Expression], Value]
) -> Value:
    """Return `base[items]`.

    Args:
        build: The interpreter.
        base: The array.
        e: The typed expression.
        index_of: Builds the value of an index.

    Raises:
        EbmError: A known position lies outside (E0309).
    """
    scope = build.scope
    position = 0  # of the own axis that the next item is about
    for item in e.items:
        own = scope.own(base)
        if isinstance(item, At):
            index = index_of(item.index)
            _check(build, index, own[position], item.index.span)
            base = _at(scope, base, index, position)
        else:
            first = bind_number(item.first, build.sizes, e.span)
            last = bind_number(item.last, build.sizes, e.span)
            _require_inside(first, last, own[position], e.span)
            options = {"axis": position - len(own), "start": first, "stop": last + 1}
            base = scope.apply("slice", [base], **options)
            position += 1
    return base


def _at(scope: Scope, base: Value, index: Value, position: int) -> Value:
    """Take one element along the own axis at `position`; the index may have quantifier axes."""
    axis = position - len(scope.own(base))
    inner = all(a.level > b.level for a in index.axes for b in base.axes)
    if not index.axes or (inner and position == 0):
        plain = Value(scope.use(base), (), scope.depth)
        flat = Value(scope.use(index), (), scope.depth)
        taken = scope.apply("take", [plain, flat], axis=axis)
        return Value(taken.number, (*base.axes, *index.axes), scope.depth)
    if position > 0:
        target = -len(scope.own(base))
        base = scope.apply("moveaxis", [base], source=axis, target=target)
    return scope.apply("gather", [base, index], rank=len(scope.own(base)) - 1)


def _check(build: "Interpreter", index: Value, size: int, span: Span) -> None:
    known = evaluate_constant(build.scope, index)
    if known is None:
        build.checks.append((RootKind.INDEX, index, size))
    elif known.size:
        _require_inside(int(np.min(known)), int(np.max(known)), size, span)


def _require_inside(first: int, last: int, size: int, span: Span) -> None:
    """Raise unless every position of first..last (which may be empty) is in 0..size-1."""
    outside = first if first < 0 else last
    if last < first or (first >= 0 and last < size):
        return
    valid = f"valid are 0 to {size - 1}" if size else "there are none"
    raise EbmError(
        Diagnostic(
            code="E0309",
            headline=f"index {outside} is outside an axis of size {size}",
            primary=Label(span, valid),
            notes=("indices count from 0",),
        )
    )
