"""Relations: comparisons of numbers within a tolerance, and chains of them."""

from ebmlang.check import formulas
from ebmlang.check.arguments import infer_all
from ebmlang.check.arithmetic import join_shapes
from ebmlang.check.constants import find_array
from ebmlang.check.conversion import is_known, to_common_sort, to_real
from ebmlang.check.formulas import Connective, RelationOperator
from ebmlang.check.scope import Scope
from ebmlang.check.value import Value, describe, latest, literal, snippet
from ebmlang.lang import NUMBERS, VALUES, Sort, Type
from ebmlang.source import Label, Span
from ebmlang.syntax import tree

_OPERATORS = {operator.value: operator for operator in RelationOperator}

_ON_REALS = {RelationOperator.LT: RelationOperator.LE, RelationOperator.GT: RelationOperator.GE}
"""On reals `<` means `<=`."""

_EQUALITIES = (RelationOperator.EQ, RelationOperator.NE)


def infer_relation(node: tree.Relation, scope: Scope) -> Value | None:
    """Return a comparison, or the AND of those of a chain."""
    operands = infer_all(node.operands, scope)
    tolerance = None
    if node.tolerance is not None:
        tolerance = infer_tolerance(node.tolerance, scope)
        if tolerance is None:
            return None
    if operands is None:
        return None
    single = len(node.operators) == 1
    links: list[Value] = []
    for place, word in enumerate(node.operators):
        left, right = operands[place : place + 2]
        span = node.span if single else node.operands[place].span.to(node.operands[place + 1].span)
        link = _relate(_OPERATORS[word], left, right, tolerance, span, scope)
        if link is None:
            return None
        links.append(link)
    if single:
        return links[0]
    expression = formulas.Logical(
        connective=Connective.AND,
        operands=tuple(link.expression for link in links),
        logic=scope.context.logic,
        type=Type(Sort.CONSTRAINT, (), latest(*links)),
        span=node.span,
    )
    return Value(expression=expression)


def infer_tolerance(node: tree.Expression, scope: Scope) -> Value | None:
    """Return a tolerance: positive, and known before the search begins."""
    session = scope.session
    value = scope.infer(node)
    if value is None:
        return None
    if value.sort not in NUMBERS:
        session.error(
            "E0301",
            f"a tolerance is a number, not {describe(value.type)}",
            node.span,
            f"this is {describe(value.type)}",
        )
        return None
    if not is_known([value]):
        session.error(
            "E0304",
            "a tolerance depends on unknowns",
            node.span,
            "this is known only during the search",
            helps=("use a number, a `const` or a `given`",),
        )
        return None
    known = find_array(value, session)
    if known is not None and not bool((known > 0).all() and (known < float("inf")).all()):
        session.error(
            "E0311",
            "a tolerance must be positive and finite",
            node.span,
            f"this is {known}",
            helps=("leave `within` out where there is no tolerance: `a <= b`",),
        )
        return None
    return to_real(value)


def _relate(
    operator: RelationOperator,
    left: Value,
    right: Value,
    tolerance: Value | None,
    span: Span,
    scope: Scope,
) -> Value | None:
    session = scope.session
    if not _are_comparable(operator, left, right, span, scope):
        return None
    operands = to_common_sort([left, right])
    if tolerance is not None and operands[0].sort is Sort.INT:
        operands = [to_real(value) for value in operands]
    if operands[0].sort is Sort.REAL:
        operator = _ON_REALS.get(operator, operator)
        if tolerance is None:
            tolerance = scope.context.tolerance()
        if tolerance is None:
            if operator in _EQUALITIES:
                _report_missing_tolerance(operator, left, right, span, scope)
                return None
            tolerance = literal(1.0, span)
    elif tolerance is not None:
        session.error(
            "E0301",
            "truth values are compared without a tolerance",
            tolerance.span,
            "this has no meaning here",
            secondary=[Label(left.span, f"this is {describe(left.type)}")],
        )
        return None
    sized = [*operands, tolerance] if tolerance is not None and tolerance.shape else operands
    if join_shapes(sized, span, session, "cannot compare {left} with {right}") is None:
        return None
    everything = [*operands, tolerance] if tolerance is not None else operands
    expression = formulas.Relation(
        operator=operator,
        left=operands[0].expression,
        right=operands[1].expression,
        tolerance=None if tolerance is None else tolerance.expression,
        logic=scope.context.logic,
        type=Type(Sort.CONSTRAINT, (), latest(*everything)),
        span=span,
    )
    return Value(expression=expression)


def _are_comparable(
    operator: RelationOperator, left: Value, right: Value, span: Span, scope: Scope
) -> bool:
    session = scope.session
    for value in (left, right):
        if value.sort not in VALUES:
            constraint = value.sort is Sort.CONSTRAINT
            session.error(
                "E0301",
                f"cannot compare {describe(value.type)}",
                value.span,
                f"this is {describe(value.type)}",
                helps=("constraints are joined by `and`, `or`, `iff`",) if constraint else (),
            )
            return False
    if (left.sort in NUMBERS) is not (right.sort in NUMBERS):
        session.error(
            "E0301",
            f"cannot compare {describe(left.type)} with {describe(right.type)}",
            span,
            "the two sides are of different sorts",
        )
        return False
    if left.sort not in NUMBERS and operator not in _EQUALITIES:
        session.error(
            "E0301",
            f"truth values have no order, so `{operator.value}` cannot compare them",
            span,
            "both sides are truth values",
            helps=("use `implies`, `==` or `!=`",),
        )
        return False
    return True


def _report_missing_tolerance(
    operator: RelationOperator, left: Value, right: Value, span: Span, scope: Scope
) -> None:
    a, b = snippet(left.span, "a"), snippet(right.span, "b")
    helps = [f"`{a} {operator.value} {b} within 0.01`, in the units of the two sides"]
    if operator is RelationOperator.EQ:
        helps.append(f"a pull with no free zone is a density: `{a} ~ normal({b}, 0.01)`")
    scope.session.error(
        "E0305",
        f"`{operator.value}` on real numbers needs a tolerance",
        span,
        "no `within` here, and no `default within` in this file",
        helps=tuple(helps),
    )
