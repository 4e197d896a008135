"""What relations and connectives mean, as two tables.

A formula is written with `apply(operator, *values)`, so the same line serves on NumPy arrays and
on the nodes of a graph.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

# Any below: a value of the algebra at hand, an array or a node.


class Apply(Protocol):
    """An algebra: applies an operator of the table to its values."""

    def __call__(self, operator: str, *values: Any) -> Any:
        """Return the value of the operator."""

    def number(self, value: float) -> Any:
        """Return a number as a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationRule:
    """One relation in normal form.

    Attributes:
        margin: r of the operands; it holds where r >= 0.
        energy: C of the margin; zero exactly where r >= 0.
        negation: The relation that holds where this one does not, and its operands.
        sides: Smooth functions of the operands whose smallest is the margin, where it has a kink.
    """

    margin: Callable[..., Any]
    energy: Callable[[Apply, Any], Any]
    negation: str
    negated_operands: Callable[..., tuple[Any, ...]] = lambda _apply, *operands: operands
    sides: Callable[..., tuple[Any, ...]] | None = None


def _quadratic(f: Apply, margin: Any) -> Any:
    return f("mul", f("square", f("relu", f("neg", margin))), f.number(0.5))


def _linear(f: Apply, margin: Any) -> Any:
    return f("neg", margin)


def _unit(f: Apply, margin: Any) -> Any:
    """C = 1 where a whole-number margin is violated: it is -1 there at the least."""
    return f("relu", f("neg", margin))


def _distance(f: Apply, a: Any, b: Any) -> Any:
    return f("to_real", f("abs", f("sub", a, b)))


def _difference(f: Apply, a: Any, b: Any) -> Any:
    """1 where two truth values differ, else 0."""
    return _distance(f, f("to_int", a), f("to_int", b))


RELATIONS: Mapping[str, RelationRule] = MappingProxyType(
    {
        "le": RelationRule(
            margin=lambda f, a, b, s: f("div", f("sub", b, a), s),
            energy=_quadratic,
            negation="le",
            negated_operands=lambda f, a, b, s: (b, a, s),  # noqa: ARG005
        ),
        "eq": RelationRule(
            margin=lambda f, a, b, s: f(
                "sub", f.number(1.0), f("div", f("abs", f("sub", a, b)), s)
            ),
            energy=_quadratic,
            negation="ne",
            sides=lambda f, a, b, s: tuple(
                f("sub", f.number(1.0), f("div", f("sub", *pair), s)) for pair in ((a, b), (b, a))
            ),
        ),
        "ne": RelationRule(
            margin=lambda f, a, b, s: f(
                "sub", f("div", f("abs", f("sub", a, b)), s), f.number(1.0)
            ),
            energy=_quadratic,
            negation="eq",
        ),
        "int_le": RelationRule(
            margin=lambda f, a, b: f("to_real", f("sub", b, a)),
            energy=_quadratic,
            negation="int_le",
            negated_operands=lambda f, a, b: (f("add", b, f.number(1)), a),
        ),
        "int_eq": RelationRule(
            margin=lambda f, a, b: f("neg", _distance(f, a, b)),
            energy=_quadratic,
            negation="int_ne",
        ),
        "int_ne": RelationRule(
            margin=lambda f, a, b: f("sub", _distance(f, a, b), f.number(1.0)),
            energy=_unit,
            negation="int_eq",
        ),
        "same": RelationRule(
            margin=lambda f, a, b: f("neg", _difference(f, a, b)),
            energy=_linear,
            negation="differ",
        ),
        "differ": RelationRule(
            margin=lambda f, a, b: f("sub", _difference(f, a, b), f.number(1.0)),
            energy=_linear,
            negation="same",
        ),
    }
)
"""Relation by the name of its graph operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicRule:
    """What AND and OR do to energies, as reductions; to margins they are min and max."""

    conjunction: str
    disjunction: str


LOGICS: Mapping[str, LogicRule] = MappingProxyType(
    {
        "product": LogicRule(conjunction="sum", disjunction="noisy_or"),
        "godel": LogicRule(conjunction="max", disjunction="min"),
    }
)
"""Logic by the name that `logic NAME` selects."""

DUAL: Mapping[str, str] = MappingProxyType({"and": "or", "or": "and", "all": "any", "any": "all"})
"""What negation turns a connective into."""
