"""What the checker knows while it works: values, and what a name stands for.

A `Value` is a typed expression with the facts that a `Type` has no room for. Where inference
fails it reports once and yields None; None silences everything that depends on it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ebmlang.check import formulas
from ebmlang.check.formulas import Expression, Symbol
from ebmlang.lang import Dim, Shape, Sort, Stage, Type
from ebmlang.source import Span

if TYPE_CHECKING:
    from ebmlang.check.scope import Scope

Bounds: TypeAlias = tuple[Dim, Dim]
"""The least and the greatest value that an integer takes."""


@dataclass(frozen=True, slots=True)
class DensityFacts:
    """What a density is a density of, as keys of the session's `KeyTable`.

    Attributes:
        lefts: Its left sides.
        parameters: What its distributions depend on besides.
    """

    lefts: frozenset[int]
    parameters: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A typed expression and what else is known of it.

    Attributes:
        expression: The expression, with its type and span.
        dim: What an integer scalar is, where the text fixes it, in terms of size names.
        bounds: Where an integer scalar lies, when a range binds it.
        density: For sort DENSITY, its left sides.
    """

    expression: Expression
    dim: Dim | None = None
    bounds: Bounds | None = None
    density: DensityFacts | None = None

    @property
    def type(self) -> Type:
        """The type of the expression."""
        return self.expression.type

    @property
    def sort(self) -> Sort:
        """The sort of the expression."""
        return self.expression.type.sort

    @property
    def shape(self) -> Shape:
        """The shape of the expression."""
        return self.expression.type.shape

    @property
    def stage(self) -> Stage:
        """When the expression becomes known."""
        return self.expression.type.stage

    @property
    def span(self) -> Span:
        """Where the expression stands."""
        return self.expression.span

    @property
    def interval(self) -> Bounds | None:
        """Where an integer lies, be it fixed or bound by a range."""
        return self.bounds if self.dim is None else (self.dim, self.dim)


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A name that stands for a symbol; `path` leads to it through parts."""

    symbol: Symbol
    type: Type
    dim: Dim | None = None
    bounds: Bounds | None = None
    density: DensityFacts | None = None
    path: tuple[Symbol, ...] = ()

    def refer(self, span: Span) -> Value:
        """Return the value of the symbol, as spoken of at `span`."""
        expression: Expression
        if self.path:
            path = (*self.path, self.symbol)
            expression = formulas.Member(path=path, type=self.type, span=span)
        else:
            expression = formulas.Reference(symbol=self.symbol, type=self.type, span=span)
        return Value(expression=expression, dim=self.dim, bounds=self.bounds, density=self.density)


@dataclass(frozen=True, slots=True)
class SizeTarget:
    """A name that stands for a size."""

    dim: Dim


@dataclass(frozen=True, slots=True)
class PartTarget:
    """A name that stands for a part; its members are the names of `scope`."""

    path: tuple[Symbol, ...]
    spec: str
    scope: "Scope"


@dataclass(frozen=True, slots=True)
class ModuleTarget:
    """A name that stands for an imported file."""

    scope: "Scope"


@dataclass(frozen=True, slots=True)
class AbsentTarget:
    """A name of an imported file that an import does not bring along."""

    word: str


Target: TypeAlias = Binding | SizeTarget | PartTarget | ModuleTarget | AbsentTarget


def literal(value: int | float | bool, span: Span) -> Value:
    """Return a number or truth value written, or meant, at `span`."""
    match value:
        case bool():
            sort, dim = Sort.BOOL, None
        case int():
            sort, dim = Sort.INT, value
        case float():
            sort, dim = Sort.REAL, None
    return Value(expression=formulas.Literal(value=value, type=Type(sort), span=span), dim=dim)


def size_value(dim: Dim, span: Span) -> Value:
    """Return a size as an integer; one that the data binds is known when they are."""
    stage = Stage.CONSTANT if isinstance(dim, int) else Stage.GIVEN
    expression = formulas.SizeValue(size=dim, type=Type(Sort.INT, (), stage), span=span)
    return Value(expression=expression, dim=dim)


def latest(*values: Value) -> Stage:
    """Return the stage at which all of some values are known."""
    return max((value.stage for value in values), default=Stage.CONSTANT)


_SCALARS = {
    Sort.REAL: "a number",
    Sort.INT: "a whole number",
    Sort.BOOL: "a truth value",
    Sort.LABEL: "a label",
    Sort.CONSTRAINT: "a constraint",
    Sort.DENSITY: "a density",
    Sort.ENERGY: "an energy",
}


def describe(type_: Type) -> str:
    """Say in words what a value of a type is.

    >>> describe(Type(Sort.REAL, (3,)))
    'a vector of size 3'
    """
    if not type_.shape:
        return _SCALARS[type_.sort]
    of = " of truth values" if type_.sort is Sort.BOOL else ""
    match type_.shape:
        case (size,):
            return f"a vector{of} of size {size}"
        case (_, _):
            return f"a matrix{of} of shape {show_shape(type_.shape)}"
        case _:
            return f"an array{of} of shape {show_shape(type_.shape)}"


def show_shape(shape: Shape) -> str:
    """Return a shape as it is written, `[2, N]`."""
    return f"[{', '.join(str(dim) for dim in shape)}]"


def snippet(span: Span, otherwise: str) -> str:
    """Return the text of a span if it is short enough to be quoted, else `otherwise`."""
    text = span.text
    if text.startswith("(") and text.endswith(")") and "(" not in text[1 : text.find(")")]:
        text = text[1:-1] if text.find(")") == len(text) - 1 else text
    return text if 0 < len(text) <= 40 and "\n" not in text else otherwise
