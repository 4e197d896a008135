"""How a relation, or a bound, is written so that it gives a little: text to paste."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ebmlang.analysis.composition import Piece, WrittenRelation
from ebmlang.check.formulas import (
    Apply,
    Convert,
    Expression,
    Literal,
    Logical,
    Quantified,
    Reference,
    Relation,
    RelationOperator,
    SizeValue,
    SymbolKind,
)
from ebmlang.check.program import Variable
from ebmlang.lang import Stage
from ebmlang.runs.repair import Change, Edit
from ebmlang.source import Span

DIGITS = 3
"""Significant digits of what is given; more are written where the number needs them."""

_LESS = frozenset({RelationOperator.LE, RelationOperator.LT})
_MORE = frozenset({RelationOperator.GE, RelationOperator.GT})
_OPPOSITE = {RelationOperator.EQ: RelationOperator.NE, RelationOperator.NE: RelationOperator.EQ}

_REACHING = (Quantified, Logical, Relation)
"""What takes all that follows for its own."""

_COMPOSED = (*_REACHING, Apply)
"""What does not bind as tightly as a factor."""

Values = Mapping[str, NDArray[np.float64]]


def round_up(value: float, digits: int = DIGITS) -> float:
    """Return a positive number with so many digits that is not below the given one.

    >>> round_up(2.70001), round_up(0.000123456), round_up(1234.5)
    (2.71, 0.000124, 1240.0)
    """
    if not (value > 0 and math.isfinite(value)):
        return value
    unit = 10.0 ** (math.floor(math.log10(value)) - digits + 1)
    # The power is rounded itself; decimals are written through text.
    return float(f"{math.ceil(value / unit * (1 - 1e-12)) * unit:.{digits + 1}g}")


def loosen_relation(path: str, piece: Piece, slack: float, values: Values) -> Change:
    """Return a relation that holds where its margin was at least minus the slack.

    Args:
        path: Of the term.
        piece: A leaf with a relation.
        slack: What it has to give [tolerances].
        values: Of the roots of its sides and its tolerance, which say what is one known number.
    """
    written = piece.relation
    assert written is not None
    relation = written.relation
    operator = relation.operator
    if operator in _OPPOSITE:
        equal = (operator is RelationOperator.EQ) is not written.negated
        return _loosen_tolerance(path, piece, written, slack, values, equal=equal)
    tolerance = values[written.tolerance] if written.tolerance else np.ones(1)
    size = float(np.max(tolerance))
    shift = round_up(slack * size)
    more = (operator in _MORE) is not written.negated
    edit = _shift(relation.left, relation.right, written, shift if not more else -shift, values)
    return _change(path, relation.span, piece, edit, shift / size)


def _shift(
    left: Expression,
    right: Expression,
    written: WrittenRelation,
    shift: float,
    values: Values,
) -> Edit:
    """Return the edit that adds a number to the right side, or takes it from the left one."""
    for side, root, sign in ((right, written.right, 1.0), (left, written.left, -1.0)):
        number = _number(side, values[root])
        if number is not None:
            return Edit(span=side.span, text=_show(number + sign * shift))
    if left.type.stage < Stage.UNKNOWN:
        return Edit(span=left.span, text=_plus(left, -shift))
    return Edit(span=right.span, text=_plus(right, shift))


def _loosen_tolerance(
    path: str,
    piece: Piece,
    written: WrittenRelation,
    slack: float,
    values: Values,
    *,
    equal: bool,
) -> Change:
    """Return a wider tolerance for `==`, a narrower one for `!=`."""
    relation = written.relation
    if relation.tolerance is None or written.tolerance is None:
        # A comparison of whole numbers or labels has nothing to give but itself.
        return leave_out(path, piece, slack)
    slack = round_up(slack)
    factor = 1.0 + slack if equal else 1.0 - slack
    if factor <= 0:
        return leave_out(path, piece, slack)
    number = _number(relation.tolerance, values[written.tolerance])
    text = (
        _show(number * factor)
        if number is not None
        else f"{_bracketed(relation.tolerance, _COMPOSED)} * {_show(factor)}"
    )
    inside = relation.span.start <= relation.tolerance.span.start < relation.span.end
    if inside and relation.tolerance.span.source is relation.span.source:
        edit = Edit(span=relation.tolerance.span, text=text)
    else:
        # The tolerance is the file's default: this relation gets one of its own.
        edit = Edit(span=relation.span, text=f"{relation.span.text} within {text}")
    return _change(path, relation.span, piece, edit, slack)


def leave_out(path: str, piece: Piece, slack: float) -> Change:
    """Return the change of what has no number that could give."""
    return Change(path=path, old=piece.text, new="", slack=slack, edits=())


def loosen_bounds(
    path: str,
    variable: Variable,
    below: float,
    above: float,
    ends: Mapping[str, NDArray[np.float64]],
) -> Change:
    """Return the change of a variable's bounds.

    Args:
        path: Of the variable.
        variable: As it is declared.
        below: What the lower bound has to give; 0 for nothing.
        above: What the upper bound has to give.
        ends: The values of its bounds, as `lower` and `upper`.
    """
    domain = variable.domain
    edits = []
    for side, shift, name in (
        (domain.lower, -round_up(below), "lower"),
        (domain.upper, round_up(above), "upper"),
    ):
        if side is None or shift == 0:
            continue
        number = _number(side, ends[name])
        text = _plus(side, shift) if number is None else _show(number + shift)
        edits.append(Edit(span=side.span, text=text))
    assert domain.lower is not None or domain.upper is not None
    spans = [side.span for side in (domain.lower, domain.upper) if side is not None]
    whole = spans[0].to(spans[-1])
    return Change(
        path=path,
        old=f"[{_one_line(whole.text)}]",
        new=f"[{_one_line(_edited(whole, edits))}]",
        slack=max(below, above),
        edits=tuple(edits),
    )


# --- text ----------------------------------------------------------------------------


def _change(path: str, span: Span, piece: Piece, edit: Edit, slack: float) -> Change:
    changed = _one_line(_edited(span, [edit]))
    plain = _one_line(span.text)
    old = piece.text
    new = old.replace(plain, changed) if plain in old else changed
    return Change(
        path=path, old=old if plain in old else plain, new=new, slack=slack, edits=(edit,)
    )


def _edited(span: Span, edits: list[Edit]) -> str:
    text, start = span.text, span.start
    for edit in sorted(edits, key=lambda edit: edit.span.start, reverse=True):
        first, last = edit.span.start - start, edit.span.end - start
        text = text[:first] + edit.text + text[last:]
    return text


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _plus(side: Expression, shift: float) -> str:
    sign = "+" if shift >= 0 else "-"
    return f"{_bracketed(side, _REACHING)} {sign} {_show(abs(shift))}"


def _bracketed(side: Expression, kinds: tuple[type, ...]) -> str:
    """Return the text of a side, in brackets where it is of these kinds."""
    side = _plain(side)
    conditional = isinstance(side, Apply) and side.operator == "where"
    text = side.span.text
    return f"({text})" if conditional or isinstance(side, kinds) else text


def _plain(side: Expression) -> Expression:
    return _plain(side.operand) if isinstance(side, Convert) else side


def _number(side: Expression, values: NDArray[np.float64]) -> float | None:
    """Return the number of a side that is a number, or the name of a constant one; else None."""
    plain = _plain(side)
    written = isinstance(plain, Literal | SizeValue) or (
        isinstance(plain, Apply) and plain.operator == "neg" and plain.type.stage is Stage.CONSTANT
        and isinstance(_plain(plain.arguments[0]), Literal)
    )  # fmt: skip
    named = isinstance(plain, Reference) and plain.symbol.kind is SymbolKind.CONST
    if not (written or named) or side.type.shape or not values.size:
        return None
    return float(values.reshape(-1)[0])


def _show(number: float) -> str:
    """Return a number as the language writes it, without what rounding has left over."""
    return f"{number:.12g}"
