"""The tree of a file, just as it was written.

Every class is plain immutable data. Two trees are equal when they say the same thing:
spans do not count. Parentheses are not kept (the formatter puts back the ones that are
needed), but `a or b or c` is one `Or` of three and `(a or b) or c` one of two.
"""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ebmlang.source import SourceText, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """A name where it is introduced or spoken of, with its place."""

    name: str
    span: Span = field(compare=False, repr=False)


# --- expressions ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """`1`, `2.5`, `1e-3`; `text` is how it was written, `value` an int or a float."""

    text: str
    value: int | float = field(compare=False)
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A string literal, without its quotes."""

    value: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A name in an expression; `pi`, `inf`, `true` and `false` are names too."""

    name: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Negative:
    """`-x`."""

    operand: "Expression"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """`left operator right`."""

    operator: Literal["+", "-", "*", "/", "%", "@", "^"]
    left: "Expression"
    right: "Expression"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """`a <= b within s`, or a chain `a <= x < b`; one operator fewer than operands."""

    operands: "tuple[Expression, ...]"
    operators: tuple[Literal["<=", ">=", "==", "!=", "<", ">"], ...]
    tolerance: "Expression | None"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Distributed:
    """`left ~ normal(0, 1)`."""

    left: "Expression"
    distribution: "Call"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """`not operand`."""

    operand: "Expression"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class And:
    """`a and b and c`, as one."""

    operands: "tuple[Expression, ...]"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Or:
    """`a or b or c`, as one."""

    operands: "tuple[Expression, ...]"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Implies:
    """`left implies right`."""

    left: "Expression"
    right: "Expression"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Iff:
    """`left iff right`; to the left, as `(a iff b) iff c`."""

    left: "Expression"
    right: "Expression"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """`value`, or `name = value`."""

    name: Identifier | None
    value: "Expression"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """`function(arguments)`; the function is a name or `module.name`."""

    function: "Name | Field"
    arguments: tuple[Argument, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """`mix(0.3: A, 0.7: B)`: pairs of weight and component."""

    components: "tuple[tuple[Expression, Expression], ...]"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """`first..last`, both ends included; over integers, or as a slice inside an index."""

    first: "Expression"
    last: "Expression"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """`base[i, 1..3]`."""

    base: "Expression"
    items: "tuple[Expression | Range, ...]"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """`base.name`: a member of a part or of a module."""

    base: "Expression"
    name: Identifier
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Array:
    """`[a, b]`; at least one element."""

    elements: "tuple[Expression, ...]"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """`a, b in pairs(points) where condition`: names bound to the elements of a domain."""

    names: tuple[Identifier, ...]
    domain: "Expression | Range"
    condition: "Expression | None"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """`[element for x in xs]`; its binding has no condition."""

    element: "Expression"
    binding: Binding
    span: Span = field(compare=False, repr=False)


QuantifierWord: TypeAlias = Literal["forall", "exists", "sum", "prod", "min", "max", "mean"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantifier:
    """`forall a, b in pairs(points): body`, and `sum`, `min`, ... in the same form."""

    word: QuantifierWord
    binding: Binding
    body: "Expression"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditional:
    """`if condition then yes else no`."""

    condition: "Expression"
    yes: "Expression"
    no: "Expression"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """`scan state = start over a in actions: body`; its binding has no condition."""

    state: Identifier
    start: "Expression"
    binding: Binding
    body: "Expression"
    span: Span = field(compare=False, repr=False)


Expression: TypeAlias = (
    Number
    | Text
    | Name
    | Negative
    | Arithmetic
    | Relation
    | Distributed
    | Not
    | And
    | Or
    | Implies
    | Iff
    | Call
    | Mix
    | Index
    | Field
    | Array
    | Builder
    | Quantifier
    | Conditional
    | Scan
)


# --- domains -------------------------------------------------------------------------

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


# --- statements ----------------------------------------------------------------------


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
