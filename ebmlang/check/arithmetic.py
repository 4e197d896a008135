"""Arithmetic: operators between numbers, elementwise with broadcasting, and `@`."""

from collections.abc import Sequence

from ebmlang.check import formulas
from ebmlang.check.constants import LARGEST_INT
from ebmlang.check.conversion import check_numbers, to_common_sort, to_real
from ebmlang.check.scope import Scope
from ebmlang.check.session import Session
from ebmlang.check.value import Bounds, Value, describe, latest, literal, show_shape, snippet
from ebmlang.lang import Dim, Shape, Sort, Type
from ebmlang.lang.operator import Operator, Result, ShapeError, broadcast, infer_shape
from ebmlang.lang.table import OPERATORS
from ebmlang.source import Label, Span
from ebmlang.syntax import tree

_NAMES = {"+": "add", "-": "sub", "*": "mul", "/": "div", "%": "mod", "^": "pow"}

_REFUSALS = {
    "+": "cannot add {right} to {left}",
    "-": "cannot subtract {right} from {left}",
    "*": "cannot multiply {left} by {right}",
    "/": "cannot divide {left} by {right}",
    "%": "cannot take {left} modulo {right}",
    "^": "cannot raise {left} to the power of {right}",
    "@": "cannot multiply {left} by {right} as matrices",
}

_PRODUCTS = {(1, 1): "dot", (2, 1): "matvec", (1, 2): "vecmat", (2, 2): "matmul"}


def infer_negative(node: tree.Negative, scope: Scope) -> Value | None:
    """Return `-x`; a negative literal is one literal."""
    operand = scope.infer(node.operand)
    if operand is None:
        return None
    match operand.expression:
        case formulas.Literal(value=number, type=type_) if type_.sort in (Sort.INT, Sort.REAL):
            return literal(-number, node.span)
    if not check_numbers([operand], scope.session, node.span, "cannot take the negative of {what}"):
        return None
    return apply_elementwise(OPERATORS["neg"], [operand], node.span, scope.session)


def infer_arithmetic(node: tree.Arithmetic, scope: Scope) -> Value | None:
    """Return `left operator right`."""
    left, right = scope.infer(node.left), scope.infer(node.right)
    if left is None or right is None:
        return None
    session = scope.session
    refusal = f"`{node.operator}` takes numbers, not {{what}}"
    if not check_numbers([left, right], session, node.span, refusal):
        return None
    if node.operator == "@":
        return _matrix_product(left, right, node.span, session)
    return apply_elementwise(
        OPERATORS[_NAMES[node.operator]],
        [left, right],
        node.span,
        session,
        refusal=_REFUSALS[node.operator],
    )


def apply_elementwise(
    operator: Operator, values: Sequence[Value], span: Span, session: Session, refusal: str = ""
) -> Value | None:
    """Return an elementwise operator applied to numbers; reports shapes that do not fit.

    Args:
        operator: The operator.
        values: Numbers, one for each of its parameters.
        span: Where it stands.
        session: Where to report.
        refusal: Headline for shapes that do not fit, with places for `left` and `right`.
    """
    whole = operator.result is Result.SAME and (operator.name != "pow" or _is_whole_power(values))
    operands = to_common_sort(values) if whole else [to_real(value) for value in values]
    shape = join_shapes(
        operands, span, session, refusal or f"the arguments of `{operator.name}` differ in shape"
    )
    if shape is None:
        return None
    sort = operands[0].sort
    type_ = Type(sort, shape, latest(*operands))
    expression = formulas.Apply(
        operator=operator.name,
        arguments=tuple(value.expression for value in operands),
        type=type_,
        span=span,
    )
    if sort is not Sort.INT or shape:
        return Value(expression=expression)
    dim = _find_dim(operator.name, [value.dim for value in operands])
    if isinstance(dim, int) and abs(dim) > LARGEST_INT:
        session.error(
            "E0316",
            "a whole number is too large",
            span,
            "this does not fit into 64 bits",
            helps=("make it a real number: `1e30`",),
        )
        return None
    return Value(expression=expression, dim=dim, bounds=_find_bounds(operator.name, operands))


def join_shapes(
    values: Sequence[Value], span: Span, session: Session, refusal: str
) -> Shape | None:
    """Return the common shape of values that broadcast; reports those that do not."""
    try:
        return broadcast(*(value.shape for value in values))
    except ShapeError as error:
        report_shapes(values, span, session, refusal, str(error))
        return None


def report_shapes(
    values: Sequence[Value], span: Span, session: Session, refusal: str, reason: str
) -> None:
    """Report that shapes do not fit, with the places where they come from."""
    words = {"left": describe(values[0].type), "right": describe(values[-1].type)}
    session.error(
        "E0302",
        refusal.format(**words),
        span,
        reason,
        secondary=show_origins(values, session),
        helps=_shape_help(values),
    )


def show_origins(values: Sequence[Value], session: Session) -> list[Label]:
    """Return labels that say where operands get their shapes, as far as that has a name."""
    labels = {}
    for value in values:
        match value.expression:
            case formulas.Reference(symbol=symbol):
                pass
            case formulas.Member(path=(*_, symbol)):
                pass
            case formulas.Convert(operand=formulas.Reference(symbol=symbol)):
                pass
            case _:
                continue
        place = session.declared[symbol]
        size = "size" if value.shape else "type"
        labels[symbol] = Label(
            place, f"`{symbol.name}` gets its {size} here: {describe(value.type)}"
        )
    return list(labels.values())


def _shape_help(values: Sequence[Value]) -> tuple[str, ...]:
    if len(values) != 2 or any(len(value.shape) != 1 for value in values):
        return ()
    short, long = sorted(values, key=lambda value: str(value.shape[0]).rjust(20))
    size, other = short.shape[0], long.shape[0]
    if not isinstance(size, int) or not isinstance(other, int) or size < 1:
        return ()
    name = snippet(long.span, "it")
    if name.isidentifier():
        return (f"take a slice: `{name}[0..{size - 1}]`",)
    return ()


def _matrix_product(left: Value, right: Value, span: Span, session: Session) -> Value | None:
    name = _PRODUCTS.get((len(left.shape), len(right.shape)))
    if name is None:
        session.error(
            "E0310",
            f"`@` takes vectors and matrices, not {describe(left.type)} and {describe(right.type)}",
            span,
            f"the shapes are {show_shape(left.shape)} and {show_shape(right.shape)}",
            secondary=show_origins([left, right], session),
            helps=("multiply numbers and elements by `*`",),
        )
        return None
    return apply_core(OPERATORS[name], [left, right], span, session, _REFUSALS["@"])


def apply_core(
    operator: Operator, values: Sequence[Value], span: Span, session: Session, refusal: str
) -> Value | None:
    """Return an operator on vectors or matrices applied to numbers of the right rank."""
    same = operator.result is Result.SAME
    operands = to_common_sort(values) if same else [to_real(value) for value in values]
    try:
        shape = infer_shape(operator, tuple(value.shape for value in operands), {})
    except ShapeError as error:
        report_shapes(values, span, session, refusal, str(error))
        return None
    sort = operands[0].sort if same else Sort.REAL
    return Value(
        expression=formulas.Apply(
            operator=operator.name,
            arguments=tuple(value.expression for value in operands),
            type=Type(sort, shape, latest(*operands)),
            span=span,
        )
    )


def _is_whole_power(values: Sequence[Value]) -> bool:
    base, exponent = values
    interval = exponent.interval
    return (
        base.sort is Sort.INT
        and exponent.sort is Sort.INT
        and interval is not None
        and isinstance(interval[0], int)
        and interval[0] >= 0
    )


def _find_dim(operator: str, dims: Sequence[Dim | None]) -> Dim | None:
    match operator, dims:
        case "neg", [int() as a]:
            return -a
        case "mod", [int() as a, int() as b] if b:
            return a % b
        case "pow", [int() as a, int() as b]:
            # One past the largest stands in for a number that is too long to write out.
            is_short = b * (max(abs(a), 1).bit_length() - 1) <= 1024
            return int(a**b) if is_short else LARGEST_INT + 1
        case "abs", [int() as a]:
            return abs(a)
        case "add", [a, b] if a is not None and b is not None:
            return a + b
        case "sub", [a, b] if a is not None and b is not None:
            return a - b
        case "mul", [a, b] if a is not None and b is not None:
            return a * b
        case _:
            return None


def _find_bounds(operator: str, values: Sequence[Value]) -> Bounds | None:
    intervals = [value.interval for value in values]
    match operator, intervals:
        case "neg", [(low, high)]:
            return 0 - high, 0 - low
        case "add", [(low, high), (other_low, other_high)]:
            return low + other_low, high + other_high
        case "sub", [(low, high), (other_low, other_high)]:
            return low - other_high, high - other_low
        case "mul", [(low, high), (int() as factor, _)] if values[1].dim is not None:
            return (low * factor, high * factor) if factor >= 0 else (high * factor, low * factor)
        case "mul", [(int() as factor, _), (low, high)] if values[0].dim is not None:
            return (low * factor, high * factor) if factor >= 0 else (high * factor, low * factor)
        case "mod", [_, (int() as divisor, _)] if values[1].dim is not None and divisor > 0:
            return 0, divisor - 1
        case _:
            return None
