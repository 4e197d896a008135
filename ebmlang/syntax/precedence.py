"""How tightly each form of expression binds, as data: what needs parentheses where.

The levels are those of `grammar/ebm.lark`, from loose to tight. An *open* form, a
quantifier, a scan or a conditional, reaches as far as it can, so it may stand bare only
where nothing follows that it would swallow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, auto
from types import MappingProxyType
from typing import assert_never

from ebmlang.lang.words import CONSTANTS
from ebmlang.syntax.tree import (
    And,
    Arithmetic,
    Array,
    Builder,
    Call,
    Conditional,
    Distributed,
    Expression,
    Field,
    Iff,
    Implies,
    Index,
    Mix,
    Name,
    Negative,
    Not,
    Number,
    Or,
    Quantifier,
    Relation,
    Scan,
    Text,
)


class Level(IntEnum):
    """A level of the grammar; a higher one binds more tightly."""

    EQUIVALENCE = auto()
    IMPLICATION = auto()
    DISJUNCTION = auto()
    CONJUNCTION = auto()
    NEGATION = auto()
    RELATION = auto()
    SUM = auto()
    PRODUCT = auto()
    UNARY = auto()
    POWER = auto()
    POSTFIX = auto()
    INDEXABLE = auto()


@dataclass(frozen=True, slots=True)
class Demand:
    """What a place asks of the expression in it.

    Attributes:
        level: The loosest level that may stand there bare.
        may_be_open: Whether an open form may.
    """

    level: Level
    may_be_open: bool


ANY = Demand(Level.EQUIVALENCE, True)
"""A place that ends at a bracket, a comma or a reserved word."""

ARITHMETIC: Mapping[str, tuple[Level, Level, Level]] = MappingProxyType(
    {
        "+": (Level.SUM, Level.SUM, Level.PRODUCT),
        "-": (Level.SUM, Level.SUM, Level.PRODUCT),
        "*": (Level.PRODUCT, Level.PRODUCT, Level.UNARY),
        "/": (Level.PRODUCT, Level.PRODUCT, Level.UNARY),
        "%": (Level.PRODUCT, Level.PRODUCT, Level.UNARY),
        "@": (Level.PRODUCT, Level.PRODUCT, Level.UNARY),
        "^": (Level.POWER, Level.POSTFIX, Level.UNARY),
    }
)
"""By operator: its own level, and what it asks of its left and of its right side."""


def needs_parentheses(node: Expression, demand: Demand) -> bool:
    """Return whether a place takes this expression only in parentheses."""
    if isinstance(node, Quantifier | Scan | Conditional):
        return not demand.may_be_open
    return level_of(node) < demand.level


def level_of(node: Expression) -> Level:
    """Return the level of an expression that is not open."""
    match node:
        case Iff():
            return Level.EQUIVALENCE
        case Implies():
            return Level.IMPLICATION
        case Or():
            return Level.DISJUNCTION
        case And():
            return Level.CONJUNCTION
        case Not():
            return Level.NEGATION
        case Relation() | Distributed():
            return Level.RELATION
        case Arithmetic(operator=operator):
            return ARITHMETIC[operator][0]
        case Negative():
            return Level.UNARY
        case Number() | Text():
            return Level.POSTFIX
        case Name(name=name):
            return Level.POSTFIX if name in CONSTANTS else Level.INDEXABLE
        case Call() | Mix() | Index() | Field() | Array() | Builder():
            return Level.INDEXABLE
        case Quantifier() | Scan() | Conditional():
            return Level.EQUIVALENCE
        case _:
            assert_never(node)
