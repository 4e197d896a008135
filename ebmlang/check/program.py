"""The typed program: the tree with every name resolved and every sort and shape known.

Functions and specs become one *instance* for each combination of argument types they are
used with, so the program is as long as the text. Everything that reads a program (the
graph builder, the oracle) is an interpreter over it with an environment from `Symbol` to
value:

- a `Body` binds its givens and variables, then its `definitions` in the order listed, which
  is an order of dependence, and then holds terms and reports;
- a `Call` evaluates its arguments outside, binds the instance's parameters, and evaluates its
  result in the caller's environment extended by them (there is no recursion, and symbols are
  unique, so nothing is captured);
- a `Part` does the same with a spec instance's body; a `Member` reads a symbol from it.

Conversions between sorts are explicit (`Convert`); constraints, densities and energies are scalars.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from ebmlang.lang import Dim, DomainKind, Shape, Type
from ebmlang.source import Span

if TYPE_CHECKING:
    from ebmlang.check.claims import Claim


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
    | Density
    | Quantified
    | Scan
    | Call
    | SpecCall
)


# --- definitions ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FunctionInstance:
    """A function at one combination of argument types."""

    name: str
    parameters: tuple[Symbol, ...]
    parameter_types: tuple[Type, ...]
    result: Expression
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpecInstance:
    """A spec at one combination of argument types."""

    name: str
    parameters: tuple[Symbol, ...]
    parameter_types: tuple[Type, ...]
    body: "Body"
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Given:
    """A run-time input."""

    symbol: Symbol
    type: Type
    default: Expression | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Domain:
    """Where a variable lives.

    Attributes:
        kind: The kind of one element.
        shape: The whole shape, `array[...] of` included; a rotation takes two axes.
        lower, upper: Real bounds of stage at most GIVEN that broadcast to the shape; None
            where a side is not given. Only for kind REAL.
    """

    kind: DomainKind
    shape: Shape
    lower: Expression | None = None
    upper: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Variable:
    """An unknown."""

    symbol: Symbol
    type: Type
    domain: Domain
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Let:
    """A name for a value: `let`, or `const`."""

    symbol: Symbol
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """An instance of a spec, under a name, with its own variables and terms."""

    symbol: Symbol
    instance: SpecInstance
    arguments: tuple[Expression, ...]
    weight: float
    span: Span


class Role(Enum):
    """What a term does."""

    REQUIRE = "require"
    PREFER = "prefer"
    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Term:
    """A named piece of the energy.

    Attributes:
        name: Its own name; its path has the names of the parts before it, joined by dots.
        value: Sort CONSTRAINT for REQUIRE; CONSTRAINT, DENSITY or ENERGY for PREFER; scalar REAL
            for MINIMIZE and MAXIMIZE (the latter enters the energy with a minus sign).
        weight: The weight written in the file, 1 without one; of a REQUIRE always 1.
    """

    name: str
    role: Role
    value: Expression
    weight: float
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Derived:
    """A `report`: a quantity stored with every result."""

    name: str
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Body:
    """What a file, or a spec at one instance, declares."""

    givens: tuple[Given, ...]
    variables: tuple[Variable, ...]
    definitions: tuple[Let | Part, ...]
    terms: tuple[Term, ...]
    reports: tuple[Derived, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Program:
    """A whole typed program.

    Attributes:
        name, body: The file's name without its ending, and what it declares.
        sizes: The size names that only the data binds, in order of first use.
        claims: Its properties and examples, in order of place; no part of the energy.
    """

    name: str
    body: Body
    sizes: tuple[str, ...]
    claims: "tuple[Claim, ...]" = ()
