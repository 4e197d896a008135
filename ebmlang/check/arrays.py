"""Arrays from their elements, from other arrays, and from nothing but a size."""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from types import MappingProxyType

from ebmlang.check import formulas
from ebmlang.check.arguments import (
    infer_all,
    infer_size,
    infer_whole,
    match_arguments,
    match_plain,
    match_values,
    to_size,
)
from ebmlang.check.conversion import check_numbers, to_common_sort, to_real
from ebmlang.check.scope import Scope
from ebmlang.check.value import (
    Value,
    describe,
    latest,
    show_shape,
    size_value,
    snippet,
)
from ebmlang.lang import VALUES, Dim, Shape, Sort, Stage, Type
from ebmlang.lang.operator import ShapeError, infer_shape
from ebmlang.lang.table import OPERATORS
from ebmlang.source import Label, Span
from ebmlang.syntax import tree


def infer_array(node: tree.Array, scope: Scope) -> Value | None:
    """Return `[a, b]`: its elements along a new first axis."""
    elements = infer_all(node.elements, scope)
    return None if elements is None else _stack(elements, node.span, scope)


def _stack(elements: Sequence[Value], span: Span, scope: Scope) -> Value | None:
    session = scope.session
    if not check_values(elements, scope):
        return None
    elements = to_common_sort(elements)
    first = elements[0]
    for element in elements:
        if element.sort is not first.sort:
            session.error(
                "E0301",
                "the elements of an array differ in sort",
                element.span,
                f"this is {describe(element.type)}",
                secondary=[Label(first.span, f"this is {describe(first.type)}")],
            )
            return None
        if element.shape != first.shape:
            session.error(
                "E0302",
                "the elements of an array differ in shape",
                element.span,
                f"this is {describe(element.type)}",
                secondary=[Label(first.span, f"this is {describe(first.type)}")],
            )
            return None
    return Value(
        expression=formulas.Apply(
            operator="stack",
            arguments=tuple(element.expression for element in elements),
            options=(("axis", -len(first.shape) - 1),),
            type=Type(first.sort, (len(elements), *first.shape), latest(*elements)),
            span=span,
        )
    )


def check_values(values: Sequence[Value], scope: Scope) -> bool:
    """Report each thing that cannot be an element of an array."""
    wrong = [value for value in values if value.sort not in VALUES]
    for value in wrong:
        scope.session.error(
            "E0301",
            f"{describe(value.type)} cannot be an element of an array",
            value.span,
            f"this is {describe(value.type)}",
            helps=("join formulas by `and`, `or`, or `forall`",),
        )
    return not wrong


def _call_stack(call: tree.Call, scope: Scope) -> Value | None:
    values = match_plain(call, 1, scope)
    return None if values is None else _stack(values, call.span, scope)


def _call_concat(call: tree.Call, scope: Scope) -> Value | None:
    session = scope.session
    named = [a for a in call.arguments if a.name is not None]
    axis: Dim | None = 0
    if len(named) == 1 and named[0].name is not None and named[0].name.name == "axis":
        axis = infer_whole(named[0].value, scope, "an axis")
        rest = tuple(a for a in call.arguments if a.name is None)
        call = tree.Call(function=call.function, arguments=rest, span=call.span)
    values = match_plain(call, 1, scope)
    if values is None or axis is None or not check_values(values, scope):
        return None
    values = to_common_sort(values)
    rank = len(values[0].shape)
    for value in values:
        if not value.shape or value.sort is not values[0].sort:
            session.error(
                "E0310" if not value.shape else "E0301",
                f"`concat` joins arrays of one sort, not {describe(value.type)}",
                value.span,
                f"this is {describe(value.type)}",
                helps=(f"an array of one element: `[{snippet(value.span, 'x')}]`",)
                if not value.shape
                else (),
            )
            return None
    if not isinstance(axis, int) or not -rank <= axis < rank:
        session.error(
            "E0309",
            f"axis {axis} of {describe(values[0].type)} does not exist",
            named[0].span,
            f"its axes are 0 to {rank - 1}",
        )
        return None
    options = (("axis", axis if axis < 0 else axis - rank),)
    try:
        shape = infer_shape(OPERATORS["concat"], tuple(v.shape for v in values), dict(options))
    except ShapeError:
        shapes = ", ".join(show_shape(value.shape) for value in values)
        session.error(
            "E0302",
            "arrays to be joined differ in an axis other than the one they are joined along",
            call.span,
            f"the shapes are {shapes}",
        )
        return None
    arguments = tuple(value.expression for value in values)
    return _apply("concat", arguments, options, values[0].sort, shape, latest(*values), call.span)


def _call_reshape(call: tree.Call, scope: Scope) -> Value | None:
    session = scope.session
    if len(call.arguments) < 2:
        session.error(
            "E0303",
            "`reshape` takes an array and the sizes it becomes",
            call.span,
            "sizes are missing",
            helps=("`reshape(x, 2, 3)`",),
        )
        return None
    values = match_plain(call, 2, scope)
    if values is None:
        return None
    value = values[0]
    shape = _to_shape(values[1:], scope)
    if shape is None or not check_values([value], scope):
        return None
    known = [size for size in (*value.shape, *shape) if isinstance(size, int)]
    everything_known = len(known) == len(value.shape) + len(shape)
    if everything_known and prod(known[: len(value.shape)]) != prod(known[len(value.shape) :]):
        session.error(
            "E0302",
            f"cannot reshape {describe(value.type)} to {show_shape(shape)}",
            call.span,
            f"{prod(known[: len(value.shape)])} elements cannot fill "
            f"{prod(known[len(value.shape) :])} places",
        )
        return None
    options = (("rank", len(value.shape)), ("shape", shape))
    arguments = (value.expression,)
    return _apply("reshape", arguments, options, value.sort, shape, value.stage, call.span)


def _to_shape(values: Sequence[Value], scope: Scope) -> Shape | None:
    sizes = [to_size(value, scope) for value in values]
    known = tuple(size for size in sizes if size is not None)
    return known if len(known) == len(sizes) else None


def _filled(name: str) -> Callable[[tree.Call, Scope], Value | None]:
    def call_filled(call: tree.Call, scope: Scope) -> Value | None:
        values = match_plain(call, 1, scope)
        shape = None if values is None else _to_shape(values, scope)
        if shape is None:
            return None
        options = (("shape", shape),)
        return _apply(name, (), options, Sort.REAL, shape, _stage_of(shape), call.span)

    return call_filled


def _call_eye(call: tree.Call, scope: Scope) -> Value | None:
    matched = match_arguments(call, ("n",), scope)
    if matched is None or matched[0] is None:
        return None
    size = infer_size(matched[0], scope)
    if size is None:
        return None
    shape = (size, size)
    options = (("size", size),)
    return _apply("eye", (), options, Sort.REAL, shape, _stage_of(shape), call.span)


def _call_linspace(call: tree.Call, scope: Scope) -> Value | None:
    matched = match_arguments(call, ("first", "last", "n"), scope)
    if matched is None:
        return None
    first, last, count = (node for node in matched if node is not None)
    ends = infer_all([first, last], scope)
    size = infer_size(count, scope)
    if ends is None or size is None:
        return None
    if not check_numbers(ends, scope.session, call.span, "`linspace` takes numbers, not {what}"):
        return None
    for end in ends:
        if end.shape:
            scope.session.error(
                "E0310",
                f"`linspace` runs between numbers, not {describe(end.type)}",
                end.span,
                f"this is {describe(end.type)}",
            )
            return None
    arguments = tuple(to_real(end).expression for end in ends)
    stage = max(latest(*ends), _stage_of((size,)))
    return _apply("linspace", arguments, (("size", size),), Sort.REAL, (size,), stage, call.span)


def _call_size(call: tree.Call, scope: Scope) -> Value | None:
    session = scope.session
    if len(call.arguments) == 1:
        values = match_values(call, ("x",), scope)
        axis: Dim | None = 0
    else:
        matched = match_arguments(call, ("x", "axis"), scope)
        if matched is None:
            return None
        node, axis_node = (node for node in matched if node is not None)
        axis = infer_whole(axis_node, scope, "an axis")
        values = infer_all([node], scope)
    if values is None or axis is None:
        return None
    value = values[0]
    if not value.shape:
        session.error(
            "E0310",
            f"`size` takes an array, not {describe(value.type)}",
            value.span,
            f"this is {describe(value.type)}",
        )
        return None
    if not isinstance(axis, int) or not -len(value.shape) <= axis < len(value.shape):
        session.error(
            "E0309",
            f"axis {axis} of {describe(value.type)} does not exist",
            call.span,
            f"the axes of `{snippet(value.span, 'it')}` are 0 to {len(value.shape) - 1}",
        )
        return None
    return size_value(value.shape[axis], call.span)


def _stage_of(shape: Shape) -> Stage:
    known = all(isinstance(size, int) for size in shape)
    return Stage.CONSTANT if known else Stage.GIVEN


def _apply(
    operator: str,
    arguments: tuple[formulas.Expression, ...],
    options: tuple[tuple[str, object], ...],
    sort: Sort,
    shape: Shape,
    stage: Stage,
    span: Span,
) -> Value:
    return Value(
        expression=formulas.Apply(
            operator=operator,
            arguments=arguments,
            options=options,
            type=Type(sort, shape, stage),
            span=span,
        )
    )


FORMS: Mapping[str, Callable[[tree.Call, Scope], Value | None]] = MappingProxyType(
    {
        "stack": _call_stack,
        "concat": _call_concat,
        "reshape": _call_reshape,
        "zeros": _filled("zeros"),
        "ones": _filled("ones"),
        "eye": _call_eye,
        "linspace": _call_linspace,
        "size": _call_size,
    }
)
"""Calls that make or rearrange arrays, by name."""
