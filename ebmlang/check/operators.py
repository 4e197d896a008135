"""Calls of built-in operators by their names."""

from collections.abc import Callable

from ebmlang.check import formulas
from ebmlang.check.arguments import infer_whole, match_arguments, match_values
from ebmlang.check.arithmetic import apply_core, apply_elementwise, join_shapes
from ebmlang.check.arrays import FORMS as ARRAY_FORMS
from ebmlang.check.conversion import check_numbers, to_common_sort, to_real
from ebmlang.check.scope import Scope
from ebmlang.check.value import Value, describe, latest, show_shape, snippet
from ebmlang.lang import Sort, Type
from ebmlang.lang.operator import Family, Operator, Result, infer_shape
from ebmlang.lang.table import OPERATORS
from ebmlang.syntax import tree


def call_operator(operator: Operator, call: tree.Call, scope: Scope) -> Value | None:
    """Return a call of an operator of the table."""
    if operator.name == "where":
        return _call_where(operator, call, scope)
    match operator.family:
        case Family.ELEMENTWISE:
            return _call_elementwise(operator, call, scope)
        case Family.REDUCTION:
            return _call_reduction(operator, call, scope)
        case Family.CORE:
            return _call_core(operator, call, scope)
        case Family.STRUCTURAL:
            form: Callable[[tree.Call, Scope], Value | None] = ARRAY_FORMS[operator.name]
            return form(call, scope)


def _call_elementwise(operator: Operator, call: tree.Call, scope: Scope) -> Value | None:
    values = match_values(call, operator.parameters, scope)
    if values is None or not _are_numbers(values, call, scope):
        return None
    return apply_elementwise(operator, values, call.span, scope.session)


def _call_where(operator: Operator, call: tree.Call, scope: Scope) -> Value | None:
    values = match_values(call, operator.parameters, scope)
    if values is None:
        return None
    condition, *branches = values
    branches = to_common_sort(branches)
    shape = join_shapes(
        [condition, *branches], call.span, scope.session, "the arguments of `where` differ in shape"
    )
    if shape is None:
        return None
    type_ = Type(branches[0].sort, shape, latest(*values))
    arguments = tuple(value.expression for value in (condition, *branches))
    return Value(
        expression=formulas.Apply(operator="where", arguments=arguments, type=type_, span=call.span)
    )


def _call_reduction(operator: Operator, call: tree.Call, scope: Scope) -> Value | None:
    session = scope.session
    name = operator.name
    matched = match_arguments(call, ("x", "axis"), scope, optional=1)
    if matched is None:
        return None
    node, axis_node = matched
    assert node is not None
    value = scope.infer(node)
    if value is None or not _are_numbers([value], call, scope):
        return None
    if not value.shape:
        texts = [snippet(argument.value.span, "x") for argument in call.arguments]
        session.error(
            "E0310",
            f"`{name}` takes an array, not a number",
            node.span,
            "this is a number",
            helps=(f"`{name}([{', '.join(texts)}])`",) if len(texts) > 1 else (),
        )
        return None
    axes = tuple(range(-len(value.shape), 0))
    if axis_node is not None:
        axis = infer_whole(axis_node, scope, "an axis")
        if axis is None:
            return None
        if not isinstance(axis, int) or not -len(value.shape) <= axis < len(value.shape):
            session.error(
                "E0309",
                f"axis {axis} of {describe(value.type)} does not exist",
                axis_node.span,
                f"its axes are 0 to {len(value.shape) - 1}",
                helps=(f"the {name} of two values is `{name}([a, b])`",)
                if name in ("min", "max")
                else (),
            )
            return None
        axes = (axis if axis < 0 else axis - len(value.shape),)
    return reduce_axes(operator, value, axes, call, scope)


def reduce_axes(
    operator: Operator, value: Value, axes: tuple[int, ...], call: tree.Call, scope: Scope
) -> Value | None:
    """Return a reduction of some axes, counted from the last."""
    reduced = [value.shape[axis] for axis in axes]
    if operator.name == "mean" and 0 in reduced:
        scope.session.error("E0311", "a `mean` over no elements", call.span, "nothing to average")
        return None
    # Over no elements these are infinite, which is not an int.
    may_be_empty = any(not isinstance(size, int) or size == 0 for size in reduced)
    real = operator.result is Result.REAL or (operator.name in ("min", "max") and may_be_empty)
    operand = to_real(value) if real else value
    shape = infer_shape(operator, (operand.shape,), {"axes": axes})
    return Value(
        expression=formulas.Apply(
            operator=operator.name,
            arguments=(operand.expression,),
            options=(("axes", axes),),
            type=Type(operand.sort, shape, operand.stage),
            span=call.span,
        )
    )


_RANKS = {1: "a vector", 2: "a matrix"}


def _call_core(operator: Operator, call: tree.Call, scope: Scope) -> Value | None:
    session = scope.session
    values = match_values(call, operator.parameters, scope)
    if values is None or not _are_numbers(values, call, scope):
        return None
    if operator.name == "solve" and len(values[1].shape) == 2:
        operator = OPERATORS["solve_matrix"]
    assert operator.core is not None
    correct = True
    for value, axes in zip(values, operator.core.operands, strict=True):
        if len(value.shape) != len(axes):
            wanted = _RANKS[len(axes)]
            text = snippet(value.span, "xs")
            deeper = len(value.shape) == len(axes) + 1 and len(values) == 1
            session.error(
                "E0310",
                f"`{call.function.span.text}` takes {wanted}, not {describe(value.type)}",
                value.span,
                f"this has shape {show_shape(value.shape)}",
                helps=(f"one for each: `[{operator.name}(x) for x in {text}]`",) if deeper else (),
            )
            correct = False
    if not correct:
        return None
    name = call.function.span.text
    refusal = f"the sizes of the arguments of `{name}` do not fit"
    if len(values) == 1:
        refusal = f"`{name}` takes a square matrix, not {{left}}"
    return apply_core(operator, values, call.span, session, refusal)


def _are_numbers(values: list[Value], call: tree.Call, scope: Scope) -> bool:
    name = call.function.span.text
    quantified = name in ("sum", "prod", "min", "max", "mean")
    flags = quantified and any(value.sort is Sort.BOOL for value in values)
    return check_numbers(
        values,
        scope.session,
        call.span,
        f"`{name}` takes numbers, not {{what}}",
        f"`{name} f in flags: if f then 1 else 0`" if flags else "",
    )
