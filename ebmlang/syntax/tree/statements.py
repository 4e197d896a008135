"""Domains, the statements of a spec, and the file that holds them."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ebmlang.source import SourceText, Span
from ebmlang.syntax.tree.expressions import (
    Call,
    Expression,
    Field,
    Identifier,
    Name,
)

DomainWord: TypeAlias = Literal[
    "real", "int", "bool", "label", "positive", "simplex", "unit", "rotation", "ordered",
    "permutation",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """Where a value lives: `array[12] of unit[3]`, `real[2] in [lo, hi]`, `int in 0..9`.

    Attributes:
        word: The keyword of one element.
        shape: Sizes in the brackets behind it.
        array: Sizes of the `array[...] of` before it; empty without one.
        lower, upper: The two sides of `in [lower, upper]` or of `in lower..upper`.
        labels: The names of `label {A, C}`.
    """

    word: DomainWord
    shape: tuple[Expression, ...] = ()
    array: tuple[Expression, ...] = ()
    lower: Expression | None = None
    upper: Expression | None = None
    labels: tuple[Identifier, ...] = ()
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of a `fn` or a `spec`, with or without a domain."""

    name: Identifier
    domain: Domain | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """`import std.geometry`, or `from .parts import leg, arm`.

    Attributes:
        dots: How many dots open the path; one means this file's folder.
        path: The words between the dots.
        names: What `from` takes; None for a plain `import`.
    """

    dots: int
    path: tuple[Identifier, ...]
    names: tuple[Identifier, ...] | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Const:
    """`const N = 13`."""

    name: Identifier
    value: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """`given k: real = 2.0`."""

    name: Identifier
    domain: Domain
    default: Expression | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Var:
    """`var x: real[2] in [lo, hi] ~ normal(0, 1)`."""

    name: Identifier
    domain: Domain
    prior: Call | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Let:
    """`let d = norm(a - b)`."""

    name: Identifier
    value: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fn:
    """`fn f(a: real[2], b) = body`."""

    name: Identifier
    parameters: tuple[Parameter, ...]
    body: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """`spec leg(hip: real[2]) { statements }`; `end` covers the closing brace."""

    name: Identifier
    parameters: tuple[Parameter, ...]
    body: "tuple[Statement, ...]"
    end: Span = field(compare=False, repr=False)
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """`part left = leg([0, 1]) weight 2`."""

    name: Identifier
    instance: Call
    weight: Expression | None
    span: Span = field(compare=False, repr=False)


TermWord: TypeAlias = Literal["require", "prefer", "minimize", "maximize"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """`prefer side: value weight 2`, and `require`, `minimize`, `maximize`."""

    word: TermWord
    name: Identifier
    value: Expression
    weight: Expression | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportValue:
    """`report gap = norm(a - b)`."""

    name: Identifier
    value: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """`property even: forall t: real: f(t) == f(-t) within 1e-9`; each unknown has a domain."""

    name: Identifier
    unknowns: tuple[Parameter, ...]
    body: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """`left.knee = [0, 1]`."""

    path: Name | Field
    value: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """`example good { x = 1 } satisfies near violates far`."""

    name: Identifier
    settings: tuple[Setting, ...]
    satisfies: tuple[Name | Field, ...]
    violates: tuple[Name | Field, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Priority:
    """`priority a > b, c > d`: tiers of terms or parts, each before all behind it."""

    tiers: "tuple[tuple[Name | Field, ...], ...]"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Logic:
    """`logic godel`."""

    name: Identifier
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultTolerance:
    """`default within 0.1`."""

    value: Expression
    span: Span = field(compare=False, repr=False)


Statement: TypeAlias = (
    Import
    | Const
    | Given
    | Var
    | Let
    | Fn
    | Spec
    | Part
    | Term
    | ReportValue
    | Property
    | Example
    | Priority
    | Logic
    | DefaultTolerance
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """`# text` or `## text`; `own_line` when nothing but blanks stands before it."""

    text: str
    own_line: bool
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A whole file: its statements, and beside them its comments in order of place."""

    source: SourceText = field(compare=False, repr=False)
    statements: tuple[Statement, ...]
    comments: tuple[Comment, ...] = field(compare=False)
