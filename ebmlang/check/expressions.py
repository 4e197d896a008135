"""Expressions: the one place that knows which function types which kind of node."""

import math
from typing import assert_never

from ebmlang.check import formulas
from ebmlang.check.arithmetic import infer_arithmetic, infer_negative, join_shapes
from ebmlang.check.arrays import infer_array
from ebmlang.check.calls import infer_call
from ebmlang.check.constants import LARGEST_INT
from ebmlang.check.conversion import FORMULAS, to_common_sort, to_condition
from ebmlang.check.densities import infer_distributed
from ebmlang.check.domains import check_elements
from ebmlang.check.indexing import infer_index
from ebmlang.check.logic import infer_and, infer_implication, infer_mix, infer_not, infer_or
from ebmlang.check.members import infer_field, infer_name
from ebmlang.check.quantifiers import infer_builder, infer_quantifier, infer_scan
from ebmlang.check.relations import infer_relation
from ebmlang.check.scope import Scope
from ebmlang.check.value import Value, describe, latest, literal, snippet
from ebmlang.lang import VALUES, Type
from ebmlang.source import Label
from ebmlang.syntax import tree


def infer_expression(node: tree.Expression, scope: Scope) -> Value | None:
    """Return the typed form of an expression; None, and reported, where it has an error."""
    session = scope.session
    entered = session.enter(node.span)
    try:
        value = _infer(node, scope) if entered else None
    finally:
        session.leave()
    if value is not None and value.shape and not check_elements(value.shape, node.span, scope):
        return None
    return value


def _infer(node: tree.Expression, scope: Scope) -> Value | None:
    match node:
        case tree.Name():
            return infer_name(node, scope)
        case tree.Number():
            return _infer_number(node, scope)
        case tree.Arithmetic():
            return infer_arithmetic(node, scope)
        case tree.Call():
            return infer_call(node, scope)
        case tree.Relation():
            return infer_relation(node, scope)
        case tree.Negative():
            return infer_negative(node, scope)
        case tree.Index():
            return infer_index(node, scope)
        case tree.Field():
            return infer_field(node, scope)
        case tree.Array():
            return infer_array(node, scope)
        case tree.And():
            return infer_and(node, scope)
        case tree.Or():
            return infer_or(node, scope)
        case tree.Not():
            return infer_not(node, scope)
        case tree.Implies() | tree.Iff():
            return infer_implication(node, scope)
        case tree.Distributed():
            return infer_distributed(node, scope)
        case tree.Mix():
            return infer_mix(node, scope)
        case tree.Quantifier():
            return infer_quantifier(node, scope)
        case tree.Builder():
            return infer_builder(node, scope)
        case tree.Scan():
            return infer_scan(node, scope)
        case tree.Conditional():
            return _infer_conditional(node, scope)
        case tree.Text():
            scope.session.error(
                "E0301", "a text is not a value", node.span, "there are no values of text"
            )
            return None
        case _:
            assert_never(node)


def _infer_number(node: tree.Number, scope: Scope) -> Value | None:
    number = node.value
    if isinstance(number, int) and number > LARGEST_INT:
        scope.session.error(
            "E0316",
            "a whole number is too large",
            node.span,
            "this does not fit into 64 bits",
            helps=("make it a real number: `1e30`",),
        )
        return None
    if not math.isfinite(number):
        scope.session.error(
            "E0321",
            f"`{snippet(node.span, 'it')}` is not a finite number",
            node.span,
            "too large, or too small, for a real number",
            helps=("write `inf` where infinity is meant",),
        )
        return None
    return literal(number, node.span)


def _infer_conditional(node: tree.Conditional, scope: Scope) -> Value | None:
    """Return `if c then a else b`, a choice between values, elementwise."""
    session = scope.session
    condition = scope.infer(node.condition)
    yes, no = scope.infer(node.yes), scope.infer(node.no)
    if condition is not None:
        condition = to_condition(condition, session, "the condition of `if`")
    if condition is None or yes is None or no is None:
        return None
    for branch in (yes, no):
        if branch.sort not in VALUES:
            c = snippet(node.condition.span, "c")
            a, b = snippet(node.yes.span, "a"), snippet(node.no.span, "b")
            session.error(
                "E0301",
                f"`if` chooses between values; {describe(branch.type)} is none",
                branch.span,
                f"this is {describe(branch.type)}",
                helps=(f"`({c} implies {a}) and (not {c} implies {b})`",)
                if {yes.sort, no.sort} <= FORMULAS
                else (),
            )
            return None
    yes, no = to_common_sort([yes, no])
    if yes.sort is not no.sort:
        session.error(
            "E0301",
            "the two branches of `if` are of different sorts",
            no.span,
            f"this is {describe(no.type)}",
            secondary=[Label(yes.span, f"this is {describe(yes.type)}")],
        )
        return None
    operands = [condition, yes, no]
    shape = join_shapes(operands, node.span, session, "the branches of `if` differ in shape")
    if shape is None:
        return None
    return Value(
        expression=formulas.Apply(
            operator="where",
            arguments=tuple(operand.expression for operand in operands),
            type=Type(yes.sort, shape, latest(*operands)),
            span=node.span,
        )
    )
