"""The reserved words of the language, each once, by what it is for.

A reserved word cannot name anything. Words are written small; only `AND`, `OR` and `NOT`
are read in capitals too, so `In`, `N` and `Sum` are ordinary names. The lookahead of
`NAME` in `grammar/tokens.lark` repeats `SPELLINGS`, and a test holds the two equal.
"""

from collections.abc import Mapping
from types import MappingProxyType

STATEMENT_WORDS = (
    "import",
    "from",
    "const",
    "given",
    "var",
    "let",
    "fn",
    "spec",
    "part",
    "require",
    "prefer",
    "minimize",
    "maximize",
    "report",
    "property",
    "example",
    "priority",
    "logic",
    "default",
)
"""Words that begin a statement, in the order of the language reference."""

LATER_STATEMENTS: Mapping[str, str] = MappingProxyType(
    {
        "type": "a name for a domain",
        "latent": "an unknown that is eliminated",
        "learn": "a trainable number of the energy",
        "net": "a trainable function",
        "symmetry": "a claim that the energy does not change under a group",
        "mode": "a configuration of the same compiled energy",
    }
)
"""Words that will begin a statement, with what the statement will be."""

CONNECTIVES = ("and", "or", "not", "implies", "iff")
"""Words that join constraints."""

AGGREGATES = ("sum", "prod", "min", "max", "mean")
"""Words that are quantifiers over reals, and functions of an array when called."""

QUANTIFIERS = ("forall", "exists")
"""Words that are quantifiers over constraints."""

CONSTANTS = ("inf", "pi", "true", "false")
"""Words that stand for a value."""

EXPRESSION_WORDS = ("within", "in", "scan", "over", "where", "for", "if", "then", "else", "mix")
"""The other words inside expressions."""

DOMAIN_WORDS = (
    "real",
    "int",
    "bool",
    "label",
    "positive",
    "simplex",
    "unit",
    "rotation",
    "ordered",
    "permutation",
)
"""Words that name a domain."""

CLAUSE_WORDS = ("array", "of", "weight", "satisfies", "violates")
"""Words inside statements that belong to no expression."""

LATER_WORDS = ("under", "drop", "set", "as")
"""Words of later features that begin no statement."""

RESERVED_WORDS = frozenset(
    (
        *STATEMENT_WORDS,
        *LATER_STATEMENTS,
        *CONNECTIVES,
        *AGGREGATES,
        *QUANTIFIERS,
        *CONSTANTS,
        *EXPRESSION_WORDS,
        *DOMAIN_WORDS,
        *CLAUSE_WORDS,
        *LATER_WORDS,
    )
)
"""All of them."""

CAPITALS: Mapping[str, str] = MappingProxyType({"AND": "and", "OR": "or", "NOT": "not"})
"""The three words that are read in capitals too, and how they are written."""

SPELLINGS = RESERVED_WORDS | frozenset(CAPITALS)
"""Every text that is read as a reserved word."""
