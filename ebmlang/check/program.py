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

Expressions, `Symbol` among them, are in `formulas`.
"""

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ebmlang.check.formulas import Expression, Symbol
from ebmlang.lang import DomainKind, Shape, Type
from ebmlang.source import Span

if TYPE_CHECKING:
    from ebmlang.check.claims import Claim


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
        priority: The paths of the soft terms of each tier, the first before all others; empty
            where the file states no order.
    """

    name: str
    body: Body
    sizes: tuple[str, ...]
    claims: "tuple[Claim, ...]" = ()
    priority: tuple[tuple[str, ...], ...] = ()
