"""Claims: what a file says of itself for `ebm test` to look into, its properties and examples.

A claim is no part of the energy. A property is tested as a program of its own, whose variables
are those of the file and the names that the property binds, and whose one term is the property.
"""

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from numpy.typing import NDArray

from ebmlang.check.formulas import Expression
from ebmlang.check.program import Body, Given, Let, Role, Term, Variable
from ebmlang.lang import Dim
from ebmlang.source import Span

SATISFIES = "satisfies"
VIOLATES = "violates"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counted:
    """A name bound to whole numbers, from the first bound to the last, or to truth values."""

    given: Given
    bounds: tuple[Dim, Dim] | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Property:
    """A constraint that is to hold everywhere.

    Attributes:
        name: Its name.
        unknowns: What it binds, where that is real.
        counted: What it binds besides; it enters the program as inputs.
        definitions: The terms that it speaks of by name.
        value: The constraint.
        place: Where the constraint is written.
        span: Where the whole statement is.
    """

    name: str
    unknowns: tuple[Variable, ...]
    counted: tuple[Counted, ...]
    definitions: tuple[Let, ...]
    value: Expression
    place: Span
    span: Span

    @property
    def bound(self) -> tuple[str, ...]:
        """The names that it binds."""
        names = (*(v.symbol for v in self.unknowns), *(c.given.symbol for c in self.counted))
        return tuple(symbol.name for symbol in names)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setting:
    """A value for a variable, an input or a name that a property binds. Any: of any sort."""

    path: str
    value: NDArray[Any]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Verdict:
    """That a term, or a property, holds at the point of an example, or does not."""

    path: str
    holds: bool
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Example:
    """A point, and what is to hold there and what not."""

    name: str
    settings: tuple[Setting, ...]
    verdicts: tuple[Verdict, ...]
    span: Span


Claim: TypeAlias = Property | Example


def property_body(body: Body, claim: Property) -> Body:
    """Return the body of the program that tests a property of a file's body."""
    term = Term(name=claim.name, role=Role.REQUIRE, value=claim.value, weight=1.0, span=claim.span)
    return replace(
        body,
        givens=(*body.givens, *(counted.given for counted in claim.counted)),
        variables=(*body.variables, *claim.unknowns),
        definitions=(*body.definitions, *claim.definitions),
        terms=(term,),
        reports=(),
    )
