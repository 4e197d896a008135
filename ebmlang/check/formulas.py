"""Expressions of a typed program: every name resolved, every sort and shape known.

Conversions between sorts are explicit (`Convert`); constraints, densities and energies are scalars.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from ebmlang.lang import Dim, Type
from ebmlang.source import Span

if TYPE_CHECKING:
    from ebmlang.check.program import FunctionInstance, SpecInstance


class SymbolKind(Enum):
    """What introduced a symbol."""

    CONST = "const"
    GIVEN = "given"
    VARIABLE = "var"
    LET = "let"
    PARAMETER = "parameter"
    BINDER = "binder"
    STATE = "state"
    PART = "part"


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name with an identity: `key` is unique in a program."""

    key: int
    name: str = field(compare=False)
    kind: SymbolKind = field(compare=False)


# --- expressions ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Literal:
    """A number or a truth value."""

    value: int | float | bool
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SizeValue:
    """A dimension used as an integer; its number is known once the sizes are bound."""

    size: Dim
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """The value of a symbol."""

    symbol: Symbol
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Member:
    """A symbol inside a part: `left.knee`. `path` leads to it: (left, knee)."""

    path: tuple[Symbol, ...]
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Convert:
    """The same thing as another sort.

    int to real; bool to int (0 or 1); constraint to bool, by its crisp reading (never where
    the constraint depends on an unknown); bool to constraint (margin 0 or -1, C 0 or 1);
    constraint to energy (its C); density to energy (-log p); real to energy (itself).
    """

    operand: "Expression"
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Apply:
    """A built-in operator of the operator table, by its name.

    Elementwise operators broadcast as NumPy does. `options` hold what is known at compile time:
    axes (negative, counted in the value's own shape), target shapes (of `Dim`), and so on; each
    operator's record says which.
    """

    operator: str
    arguments: "tuple[Expression, ...]"
    options: tuple[tuple[str, object], ...] = ()
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class At:
    """One integer inside an index; drops the axis."""

    index: "Expression"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Between:
    """A slice inside an index, both ends included; keeps the axis."""

    first: Dim
    last: Dim


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Index:
    """`base[items]`; axes without an item are kept whole.

    An `At` index is an integer scalar of stage CONSTANT or GIVEN, or bound by a range.
    """

    base: "Expression"
    items: tuple[At | Between, ...]
    type: Type
    span: Span


class RelationOperator(Enum):
    """The comparisons that are left after `<` on reals became `<=`."""

    LE = "<="
    GE = ">="
    EQ = "=="
    NE = "!="
    LT = "<"
    GT = ">"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Relation:
    """One comparison; on arrays, the AND over the elements of the broadcast operands.

    Operands have the same sort. On reals `tolerance` is never None, is positive and broadcasts
    with the operands; on int, bool and label it is None. LT and GT stand only on int.
    `logic` says which AND joins the elements.
    """

    operator: RelationOperator
    left: "Expression"
    right: "Expression"
    tolerance: "Expression | None"
    logic: str
    type: Type
    span: Span


class Connective(Enum):
    """The logical words."""

    AND = "and"
    OR = "or"
    NOT = "not"
    IMPLIES = "implies"
    IFF = "iff"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Logical:
    """A connective.

    On constraints: any connective, in the logic named (`product` or `godel`). On energies and
    densities: AND, the sum; on densities OR too, the mixture of all operands with equal weights.
    """

    connective: Connective
    operands: "tuple[Expression, ...]"
    logic: str
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mixture:
    """`mix(w: A, ...)` on densities; weights are positive and are normalized to sum to one."""

    weights: "tuple[Expression, ...]"
    components: "tuple[Expression, ...]"
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Normalized:
    """`normalize(A)`: A plus the log of the integral of exp(-A) over the variables it depends on.

    `name` is unique in the program; behind the path of the part that the expression stands in it
    names that log integral, a run-time input.
    """

    energy: "Expression"
    name: str
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Density:
    """`left ~ distribution(arguments)`: minus the log density, summed over the elements.

    `energy` is a call of the distribution's definition in the standard library with the left
    side and the arguments; its result has the shape of the left side, or is a scalar for the
    multivariate ones.
    """

    distribution: str
    left: "Expression"
    arguments: "tuple[Expression, ...]"
    energy: "Call"
    type: Type
    span: Span


class IterationKind(Enum):
    """What a quantifier runs over."""

    EACH = "each"
    RANGE = "range"
    PAIRS = "pairs"
    ADJACENT = "adjacent"
    ZIP = "zip"
    ENUMERATE = "enumerate"
    PRODUCT = "product"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Iteration:
    """The elements that a quantifier, a builder or a scan binds.

    | kind | sources | range | binders |
    | --- | --- | --- | --- |
    | EACH | (x) | | one: an element along x's first axis |
    | RANGE | () | (first, last) | one int, both ends included; empty when last < first |
    | PAIRS | (x) | | two: elements i < j, in lexicographic order of (i, j) |
    | ADJACENT | (x) | | two: elements i and i + 1 |
    | ZIP | (x, y, ...) | | one per source |
    | ENUMERATE | (x) | | two: the index (int) and the element |
    | PRODUCT | (), `factors` hold the iterations | | one per factor, first factor slowest |

    Attributes:
        binders: The symbols, in the order of the names.
        count: How many times it runs, before `condition`.
        condition: A `bool` of stage CONSTANT or GIVEN over the binders; None keeps all.
    """

    kind: IterationKind
    binders: tuple[Symbol, ...]
    sources: "tuple[Expression, ...]" = ()
    bounds: tuple[Dim, Dim] | None = None
    factors: "tuple[Iteration, ...]" = ()
    condition: "Expression | None" = None
    count: Dim
    span: Span


class QuantifierKind(Enum):
    """What is done with the values of the body, one for each element."""

    FORALL = "forall"
    EXISTS = "exists"
    SUM = "sum"
    PROD = "prod"
    MIN = "min"
    MAX = "max"
    MEAN = "mean"
    ARRAY = "array"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Quantified:
    """A quantifier, a sum, or a builder (ARRAY, which stacks along a new first axis).

    FORALL and EXISTS on constraints follow `logic`. FORALL on energies and densities is the sum;
    EXISTS on densities the mixture with equal weights over the elements that pass the
    condition. Over no elements: FORALL holds (an energy is 0), EXISTS does not (energy inf,
    margin -inf), sum 0, prod 1, min inf, max -inf, mean an error.
    """

    kind: QuantifierKind
    iteration: Iteration
    body: "Expression"
    logic: str
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scan:
    """The states of a recurrence along a new first axis, the start included."""

    state: Symbol
    start: "Expression"
    iteration: Iteration
    body: "Expression"
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Call:
    """A call of a user's function, or of the standard library's."""

    instance: "FunctionInstance"
    arguments: "tuple[Expression, ...]"
    type: Type
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpecCall:
    """A spec as an expression: the AND of its terms, each constraint's C times its weight.

    The instance has no variables. Its type is CONSTRAINT if all its terms are constraints,
    else ENERGY.
    """

    instance: "SpecInstance"
    arguments: "tuple[Expression, ...]"
    logic: str
    type: Type
    span: Span


Expression: TypeAlias = (
    Literal
    | SizeValue
    | Reference
    | Member
    | Convert
    | Apply
    | Index
    | Relation
    | Logical
    | Mixture
    | Normalized
    | Density
    | Quantified
    | Scan
    | Call
    | SpecCall
)
