"""Names, values and everything that is made of them."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ebmlang.source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """A name where it is introduced or spoken of, with its place."""

    name: str
    span: Span = field(compare=False, repr=False)


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
