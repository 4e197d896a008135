"""What a constant expression is: an interpreter over the typed program, in NumPy.

It answers for `const` values, sizes, weights, tolerances and constant `require`s. Whatever is
not known while a file is checked, such as a parameter, raises `NotKnown`. The work of one check
is bounded, in steps and in elements.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ebmlang.check.formulas import (
    Apply,
    At,
    Call,
    Connective,
    Convert,
    Expression,
    Index,
    Iteration,
    IterationKind,
    Literal,
    Logical,
    Member,
    Quantified,
    QuantifierKind,
    Reference,
    Relation,
    RelationOperator,
    Scan,
    SizeValue,
    Symbol,
)
from ebmlang.check.session import Session
from ebmlang.check.value import Value
from ebmlang.lang import Dim, Shape, Sort, Stage
from ebmlang.lang.table import OPERATORS
from ebmlang.source import Span

Array: TypeAlias = NDArray[Any]
"""Any: float64, int64 or bool."""

Environment: TypeAlias = Mapping[Symbol, Array]

STEPS = 200_000
"""Expressions that one check evaluates, all constants together."""

ELEMENTS = 1_000_000
"""Largest array that is evaluated while a file is checked; 8 MB in float64."""

LARGEST_INT = 2**63 - 1


class NotKnown(Exception):  # noqa: N818  # an answer, not an error
    """The value depends on something that is not known while the file is checked."""


class TooCostly(Exception):  # noqa: N818
    """The value takes more steps or elements than a check may spend."""


class NotFinite(Exception):  # noqa: N818
    """An operation gave no finite number; `span` is where."""

    def __init__(self, span: Span) -> None:
        super().__init__(str(span))
        self.span = span


def evaluate(expression: Expression, session: Session) -> Array:
    """Return the value of a constant expression.

    Raises:
        NotKnown: It is not constant, or depends on a parameter.
        TooCostly: It is too much work.
        NotFinite: An operation in it gave no finite number from finite ones.
    """
    with np.errstate(all="ignore"):
        return _evaluate(expression, {}, session)


def find_number(value: Value, session: Session) -> float | int | None:
    """Return the number that a scalar is, if it is constant and can be found."""
    if isinstance(value.dim, int):
        return value.dim
    array = find_array(value, session)
    return None if array is None or array.shape else array.item()


def find_array(value: Value, session: Session) -> Array | None:
    """Return the array that a value is, if it is constant and can be found."""
    if value.stage is not Stage.CONSTANT:
        return None
    try:
        return evaluate(value.expression, session)
    except (NotKnown, TooCostly, NotFinite):
        return None


def find_truth(value: Value, session: Session) -> bool | None:
    """Return whether a constant constraint holds, if that can be found."""
    if value.stage is not Stage.CONSTANT:
        return None
    try:
        with np.errstate(all="ignore"):
            return _margin(value.expression, {}, session, negated=False) >= 0
    except (NotKnown, TooCostly, NotFinite):
        return None


def _evaluate(expression: Expression, environment: Environment, session: Session) -> Array:
    session.evaluation_steps += 1
    if session.evaluation_steps > STEPS:
        raise TooCostly
    _check_size(expression.type.shape)
    match expression:
        case Literal(value=value):
            return np.asarray(value)
        case SizeValue(size=size):
            return np.asarray(_known(size))
        case Reference(symbol=symbol):
            return _find_symbol(symbol, environment, session)
        case Member(path=path):
            return _find_symbol(path[-1], {}, session)
        case Convert(operand=operand, type=type_):
            return _convert(operand, type_.sort, environment, session)
        case Apply():
            return _apply(expression, environment, session)
        case Index():
            return _index(expression, environment, session)
        case Quantified():
            return _quantify(expression, environment, session)
        case Scan():
            state = _evaluate(expression.start, environment, session)
            states = [state]
            for inside in _iterate(expression.iteration, environment, session):
                state = _evaluate(expression.body, {**inside, expression.state: state}, session)
                states.append(state)
            return np.stack(np.broadcast_arrays(*states))
        case Call(instance=instance):
            arguments = [_evaluate(a, environment, session) for a in expression.arguments]
            bound = dict(zip(instance.parameters, arguments, strict=True))
            return _evaluate(instance.result, {**environment, **bound}, session)
        case _:
            raise NotKnown


def _find_symbol(symbol: Symbol, environment: Environment, session: Session) -> Array:
    if symbol in environment:
        return environment[symbol]
    if symbol in session.constant_values:
        known: Array = session.constant_values[symbol]
        return known
    definition = session.definitions.get(symbol)
    if definition is None or definition.type.stage is not Stage.CONSTANT:
        raise NotKnown
    value = session.constant_values[symbol] = _evaluate(definition, {}, session)
    return value


def _convert(operand: Expression, sort: Sort, environment: Environment, session: Session) -> Array:
    if operand.type.sort is Sort.CONSTRAINT and sort is Sort.BOOL:
        return np.asarray(_margin(operand, environment, session, negated=False) >= 0)
    value = _evaluate(operand, environment, session)
    match sort:
        case Sort.REAL:
            return value.astype(np.float64)
        case Sort.INT:
            return value.astype(np.int64)
        case _:
            raise NotKnown


_MAKERS: Mapping[str, Callable[..., Array]] = {
    "zeros": lambda *, shape: np.zeros(shape),
    "ones": lambda *, shape: np.ones(shape),
    "eye": lambda *, size: np.eye(size),
    "linspace": lambda first, last, *, size: np.linspace(first, last, size),
}
"""Operators that the graph builds from others, by name."""


def _apply(expression: Apply, environment: Environment, session: Session) -> Array:
    make = _MAKERS.get(expression.operator)
    if make is None:
        operator = OPERATORS.get(expression.operator)
        if operator is None:
            raise NotKnown
        make = operator.evaluate
    arguments = [_evaluate(a, environment, session) for a in expression.arguments]
    options = {name: _known_option(value) for name, value in expression.options}
    if expression.operator == "mod" and not np.all(arguments[1]):
        raise NotFinite(expression.span)
    try:
        result = np.asarray(make(*arguments, **options))
    except (np.linalg.LinAlgError, ValueError, OverflowError, ZeroDivisionError):
        # The shapes fit, so only the numbers can be to blame: a singular matrix, a pole.
        raise NotFinite(expression.span) from None
    if result.dtype.kind == "f":
        whole = all(a.dtype.kind != "f" or bool(np.all(np.isfinite(a))) for a in arguments)
        if np.any(np.isnan(result)) or (whole and result.size and not np.all(np.isfinite(result))):
            empty = any(a.size == 0 for a in arguments)
            if not empty or np.any(np.isnan(result)):
                raise NotFinite(expression.span)
        if expression.type.sort is Sort.INT:
            raise NotFinite(expression.span)
    return result


def _known_option(option: object) -> object:
    return tuple(map(_known, option)) if isinstance(option, tuple) else option


def _known(dim: Dim) -> int:
    if not isinstance(dim, int):
        raise NotKnown
    return dim


def _check_size(shape: Shape) -> None:
    total = 1
    for dim in shape:
        total *= _known(dim)
    if total > ELEMENTS:
        raise TooCostly


def _index(expression: Index, environment: Environment, session: Session) -> Array:
    base = _evaluate(expression.base, environment, session)
    items: list[int | slice] = []
    for item, size in zip(expression.items, base.shape, strict=False):
        if isinstance(item, At):
            place = int(_evaluate(item.index, environment, session))
            if not 0 <= place < size:
                raise NotFinite(expression.span)
            items.append(place)
        else:
            items.append(slice(_known(item.first), _known(item.last) + 1))
    return np.asarray(base[tuple(items)])


_REDUCE = {
    QuantifierKind.SUM: "sum",
    QuantifierKind.PROD: "prod",
    QuantifierKind.MIN: "min",
    QuantifierKind.MAX: "max",
    QuantifierKind.MEAN: "mean",
}


def _quantify(expression: Quantified, environment: Environment, session: Session) -> Array:
    values = [
        _evaluate(expression.body, inside, session)
        for inside in _iterate(expression.iteration, environment, session)
    ]
    body = expression.body.type
    dtype = {Sort.REAL: np.float64, Sort.INT: np.int64}.get(body.sort, np.bool_)
    shape = (len(values), *map(_known, body.shape))
    stacked = np.zeros(shape, dtype=dtype)
    for place, value in enumerate(values):
        stacked[place] = value
    if expression.kind is QuantifierKind.ARRAY:
        return stacked
    if expression.kind is QuantifierKind.MEAN and not values:
        raise NotFinite(expression.span)
    if expression.kind not in _REDUCE:
        raise NotKnown
    # The reductions of the table count axes from the last.
    result: Array = OPERATORS[_REDUCE[expression.kind]].evaluate(stacked, axes=(-len(shape),))
    return result


def _iterate(
    iteration: Iteration, environment: Environment, session: Session
) -> Iterator[dict[Symbol, Array]]:
    for elements in _elements(iteration, environment, session):
        session.evaluation_steps += 1
        if session.evaluation_steps > STEPS:
            raise TooCostly
        inside = {**environment, **dict(zip(iteration.binders, elements, strict=True))}
        if iteration.condition is None or bool(_evaluate(iteration.condition, inside, session)):
            yield inside


def _elements(
    iteration: Iteration, environment: Environment, session: Session
) -> Iterator[tuple[Array, ...]]:
    if _known(iteration.count) > ELEMENTS:
        raise TooCostly
    sources = [_evaluate(source, environment, session) for source in iteration.sources]
    match iteration.kind:
        case IterationKind.RANGE:
            assert iteration.bounds is not None
            first, last = map(_known, iteration.bounds)
            return ((np.asarray(i),) for i in range(first, last + 1))
        case IterationKind.PAIRS:
            return itertools.combinations(sources[0], 2)
        case IterationKind.ADJACENT:
            return itertools.pairwise(sources[0])
        case IterationKind.ENUMERATE:
            return ((np.asarray(i), element) for i, element in enumerate(sources[0]))
        case IterationKind.PRODUCT:
            factors = [
                [element for (element,) in _elements(factor, environment, session)]
                for factor in iteration.factors
            ]
            return itertools.product(*factors)
        case IterationKind.EACH | IterationKind.ZIP:
            return zip(*sources, strict=True)


def _margin(
    expression: Expression, environment: Environment, session: Session, *, negated: bool
) -> float:
    """Return the margin of a constraint, or of its negation; it holds where it is not negative."""
    session.evaluation_steps += 1
    if session.evaluation_steps > STEPS:
        raise TooCostly
    match expression:
        case Relation():
            return _relation_margin(expression, environment, session, negated)
        case Logical(connective=Connective.NOT, operands=(operand,)):
            return _margin(operand, environment, session, negated=not negated)
        case Logical(connective=Connective.AND | Connective.OR as connective):
            margins = [
                _margin(operand, environment, session, negated=negated)
                for operand in expression.operands
            ]
            return min(margins) if (connective is Connective.AND) is not negated else max(margins)
        case Logical(connective=connective, operands=(left, right)):
            no, yes = (
                [_margin(operand, environment, session, negated=flag) for operand in (left, right)]
                for flag in (True, False)
            )
            if connective is Connective.IMPLIES:
                return min(yes[0], no[1]) if negated else max(no[0], yes[1])
            if negated:
                return max(min(yes[0], no[1]), min(yes[1], no[0]))
            return min(max(no[0], yes[1]), max(no[1], yes[0]))
        case Quantified(kind=QuantifierKind.FORALL | QuantifierKind.EXISTS as kind):
            inner = [
                _margin(expression.body, inside, session, negated=negated)
                for inside in _iterate(expression.iteration, environment, session)
            ]
            if (kind is QuantifierKind.FORALL) is not negated:
                return min(inner, default=np.inf)
            return max(inner, default=-np.inf)
        case Convert(operand=operand) if operand.type.sort is Sort.BOOL:
            holds = bool(_evaluate(operand, environment, session))
            return 0.0 if holds is not negated else -1.0
        case Reference(symbol=symbol) if symbol in session.definitions:
            return _margin(session.definitions[symbol], {}, session, negated=negated)
        case Call(instance=instance):
            arguments = [_evaluate(a, environment, session) for a in expression.arguments]
            bound = dict(zip(instance.parameters, arguments, strict=True))
            return _margin(instance.result, {**environment, **bound}, session, negated=negated)
        case _:
            raise NotKnown


def _relation_margin(
    expression: Relation, environment: Environment, session: Session, negated: bool
) -> float:
    left = _evaluate(expression.left, environment, session)
    right = _evaluate(expression.right, environment, session)
    operator = expression.operator
    if left.dtype.kind == "b":
        same = left == right
        holds = same if operator is RelationOperator.EQ else ~same
        margins = np.where(holds, 0.0, -1.0)
        flipped = np.where(holds, -1.0, 0.0)
    elif expression.tolerance is None:
        margins, flipped = _int_margins(operator, left, right)
    else:
        scale = _evaluate(expression.tolerance, environment, session)
        margins = _real_margins(operator, left, right) / scale
        if operator is RelationOperator.EQ:
            margins = 1 + margins
        elif operator is RelationOperator.NE:
            margins = margins - 1
        flipped = -margins
    if negated:
        return float(np.max(flipped.astype(np.float64), initial=-np.inf))
    return float(np.min(margins.astype(np.float64), initial=np.inf))


def _real_margins(operator: RelationOperator, left: Array, right: Array) -> Array:
    match operator:
        case RelationOperator.LE | RelationOperator.LT:
            return np.asarray(right - left)
        case RelationOperator.GE | RelationOperator.GT:
            return np.asarray(left - right)
        case RelationOperator.EQ:
            return np.asarray(-np.abs(left - right))
        case RelationOperator.NE:
            return np.asarray(np.abs(left - right))


def _int_margins(operator: RelationOperator, left: Array, right: Array) -> tuple[Array, Array]:
    apart = np.abs(left - right)
    up, down = right - left, left - right
    match operator:
        case RelationOperator.LE:
            return up, down - 1
        case RelationOperator.GE:
            return down, up - 1
        case RelationOperator.LT:
            return up - 1, down
        case RelationOperator.GT:
            return down - 1, up
        case RelationOperator.EQ:
            return -apart, apart - 1
        case RelationOperator.NE:
            return apart - 1, -apart
