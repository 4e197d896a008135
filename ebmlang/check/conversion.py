"""Sorts standing in for one another, always by an explicit `Convert`."""

from collections.abc import Sequence
from dataclasses import replace

from ebmlang.check import formulas
from ebmlang.check.session import Session
from ebmlang.check.value import Value, describe, latest, literal, snippet
from ebmlang.lang import NUMBERS, Sort, Stage, Type
from ebmlang.source import Span

FORMULAS = frozenset({Sort.CONSTRAINT, Sort.BOOL})
"""Sorts that can hold or not."""

ENERGIES = frozenset({Sort.CONSTRAINT, Sort.DENSITY, Sort.ENERGY})
"""Sorts that may stand where an energy is expected."""


def convert(value: Value, sort: Sort, span: Span | None = None) -> Value:
    """Return the same thing as another sort; the caller knows that the conversion exists.

    Args:
        value: The thing.
        sort: What it becomes.
        span: Where that is written; where the thing is, if it is not.
    """
    if value.sort is sort:
        return value
    type_ = Type(sort, value.shape, value.stage)
    place = span or value.span
    return Value(expression=formulas.Convert(operand=value.expression, type=type_, span=place))


def to_real(value: Value) -> Value:
    """Return a number as a real; integers that are written out become real literals."""
    return convert(value, Sort.REAL) if value.sort is not Sort.INT else _to_real(value)


def _to_real(value: Value) -> Value:
    match value.expression:
        case formulas.Literal(value=number):
            return literal(float(number), value.span)
        case formulas.Apply(operator="stack", arguments=elements) as array:
            reals = tuple(_to_real(Value(expression=e)).expression for e in elements)
            type_ = Type(Sort.REAL, value.shape, value.stage)
            return Value(expression=replace(array, arguments=reals, type=type_))
        case _:
            return convert(value, Sort.REAL)


def to_common_sort(values: Sequence[Value]) -> list[Value]:
    """Return numbers all as int, where all are, else all as real; others as they are."""
    if {value.sort for value in values} == {Sort.INT, Sort.REAL}:
        return [to_real(value) for value in values]
    return list(values)


def check_numbers(
    values: Sequence[Value], session: Session, span: Span, headline: str, help_text: str = ""
) -> bool:
    """Report each value that is not a number; `headline` has a place for what it is."""
    wrong = [value for value in values if value.sort not in NUMBERS]
    for value in wrong:
        session.error(
            "E0301",
            headline.format(what=describe(value.type)),
            value.span if value.span.source is span.source else span,
            f"this is {describe(value.type)}",
            helps=(help_text,) if help_text else _number_help(value),
        )
    return not wrong


def _number_help(value: Value) -> tuple[str, ...]:
    text = snippet(value.span, "c")
    match value.sort:
        case Sort.BOOL:
            return (f"write `if {text} then 1 else 0`",)
        case Sort.CONSTRAINT | Sort.DENSITY | Sort.ENERGY:
            return ("energies are added by `and`, and weighted by `weight` behind a term",)
        case _:
            return ()


def to_constraint(value: Value, session: Session, whose: str) -> Value | None:
    """Return a constraint or a single truth value as a constraint."""
    match value.sort:
        case Sort.CONSTRAINT:
            return value
        case Sort.BOOL if value.shape:
            session.error(
                "E0310",
                f"{whose} is one truth value, not {describe(value.type)}",
                value.span,
                f"this is {describe(value.type)}",
                helps=(f"`forall f in {snippet(value.span, 'flags')}: f`",),
            )
        case Sort.BOOL:
            return convert(value, Sort.CONSTRAINT)
        case Sort.DENSITY | Sort.ENERGY:
            session.error(
                "E0301",
                f"{whose} can hold or not; {describe(value.type)} cannot",
                value.span,
                f"this is {describe(value.type)}",
            )
        case _:
            text = snippet(value.span, "x")
            session.error(
                "E0301",
                f"{whose} can hold or not; {describe(value.type)} cannot",
                value.span,
                f"this is {describe(value.type)}",
                helps=(f"compare it: `{text} >= 0`",),
            )
    return None


def to_energy(value: Value, session: Session, whose: str) -> Value | None:
    """Return a constraint, density or energy as an energy; a truth value as a constraint's."""
    if value.sort is Sort.BOOL and not value.shape:
        value = convert(value, Sort.CONSTRAINT)
    if value.sort in ENERGIES:
        return convert(value, Sort.ENERGY)
    text = snippet(value.span, "x")
    session.error(
        "E0301",
        f"{whose} takes energies, not {describe(value.type)}",
        value.span,
        f"this is {describe(value.type)}",
        helps=(f"`energy({text})`",) if value.sort in NUMBERS and not value.shape else (),
    )
    return None


def to_condition(value: Value, session: Session, whose: str, way_out: str = "") -> Value | None:
    """Return what is known before the search begins, and can hold or not, as truth values.

    Args:
        value: The value.
        session: Where to report.
        whose: What it is the condition of.
        way_out: What else to write where it depends on unknowns.
    """
    if value.sort not in FORMULAS:
        whole = value.sort is Sort.INT
        help_text = f"compare it: `{snippet(value.span, 'x')} {'==' if whole else '>='} 1`"
        if isinstance(value.expression, formulas.Literal):
            help_text = "the truth values are `true` and `false`"
        session.error(
            "E0301",
            f"{whose} can hold or not; {describe(value.type)} cannot",
            value.span,
            f"this is {describe(value.type)}",
            helps=(help_text,) if value.sort in NUMBERS else (),
        )
        return None
    if value.stage is Stage.UNKNOWN:
        session.error(
            "E0313",
            f"{whose} depends on unknowns",
            value.span,
            "this is known only during the search",
            helps=(
                way_out
                or "a choice between constraints is written `(c implies a) and (not c implies b)`",
            ),
        )
        return None
    return convert(value, Sort.BOOL)


def is_known(values: Sequence[Value]) -> bool:
    """Whether values are known before the search begins."""
    return latest(*values) is not Stage.UNKNOWN


def show_number_inside(energy: Value) -> str:
    """Return the text of the number that was made an energy, where it was written."""
    match energy.expression:
        case formulas.Convert(operand=operand) if operand.type.sort is Sort.REAL:
            return snippet(operand.span, "e")
        case _:
            return "e"
