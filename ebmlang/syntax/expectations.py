"""What could stand at a place, in a user's words.

The parsing machine knows some sixty kinds of lexeme; a person wants "an expression", "an
operator or the next statement".
"""

from collections.abc import Mapping
from types import MappingProxyType

STATEMENT_KINDS = frozenset(
    {
        "IMPORT",
        "FROM",
        "CONST",
        "GIVEN",
        "VAR",
        "LET",
        "FN",
        "SPEC",
        "PART",
        "TERM",
        "REPORT",
        "PROPERTY",
        "EXAMPLE",
        "PRIORITY",
        "LOGIC",
        "DEFAULT",
    }
)
"""Kinds that begin a statement."""

_ARITHMETIC_KINDS = frozenset({"PLUS", "MINUS", "TIMES", "POWER"})
_RELATION_KINDS = frozenset({"RELATION", "MORE", "TILDE", "WITHIN"})
_OPERATOR_KINDS = _ARITHMETIC_KINDS | _RELATION_KINDS | {"AND", "OR", "IMPLIES", "IFF"}
_SUFFIX_KINDS = frozenset({"LPAR", "LSQB", "DOT"})

_GROUPS = (
    # Each: kinds that must all be possible, the words for them, further kinds they cover.
    (
        frozenset({"NAME", "NUMBER", "LPAR"}),
        "an expression",
        frozenset(
            {
                "STRING",
                "CONSTANT",
                "LSQB",
                "MINUS",
                "NOT",
                "AGGREGATE",
                "MIX",
                "SCAN",
                "IF",
                "FORALL",
                "EXISTS",
            }
        ),
    ),
    (frozenset({"PLUS", "TIMES"}), "an operator", _OPERATOR_KINDS | _SUFFIX_KINDS),
    (frozenset({"REAL", "INT"}), "a domain", frozenset({"LABEL", "DOMAIN", "ARRAY"})),
    (frozenset({"LET", "VAR"}), "the next statement", STATEMENT_KINDS | {"$END"}),
)

_SINGLE: Mapping[str, str] = MappingProxyType(
    {
        "NAME": "a name",
        "EQUAL": "`=`",
        "COLON": "`:`",
        "COMMA": "`,`",
        "RPAR": "`)`",
        "RSQB": "`]`",
        "RBRACE": "`}`",
        "LPAR": "`(`",
        "LSQB": "`[`",
        "LBRACE": "`{`",
        "RANGE": "`..`",
        "DOT": "`.`",
        "IN": "`in`",
        "WITHIN": "`within`",
        "WEIGHT": "`weight`",
        "SATISFIES": "`satisfies`",
        "VIOLATES": "`violates`",
        "OVER": "`over`",
        "WHERE": "`where`",
        "FOR": "`for`",
        "THEN": "`then`",
        "ELSE": "`else`",
        "OF": "`of`",
        "TILDE": "`~`",
        "MORE": "`>`",
        "IMPORT": "`import`",
        "REAL": "`real`",
        "INT": "`int`",
        "$END": "the end",
    }
)

_MOST = 4
"""More possibilities than this help nobody."""


def describe_expected(kinds: frozenset[str]) -> str:
    """Return what could stand here, such as "`,` or `)`".

    Args:
        kinds: The kinds of lexeme that the parsing machine would take.
    """
    found = []
    for needed, words, covered in _GROUPS:
        if needed <= kinds:
            found.append(words)
            kinds = kinds - needed - covered
    # What closes or continues a list comes between the operators and the next statement.
    last = [found.pop()] if found and found[-1] == "the next statement" else []
    found += [words for kind, words in _SINGLE.items() if kind in kinds]
    found = [*found[: _MOST - len(last)], *last]
    if len(found) < 2:
        return "".join(found) or "nothing"
    return f"{', '.join(found[:-1])} or {found[-1]}"
