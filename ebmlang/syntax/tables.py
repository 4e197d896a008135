"""The rules of `grammar/` turned into plain tables; the only module that knows lark.

The result holds nothing but numbers, texts, lists and dicts, so that it can be kept as
JSON and read again without lark. It depends on the rules alone: states are numbered in the order
in which they are reached.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from lark import Lark

STARTS = ("file", "expression", "domain")
"""The rules that a text can be parsed as."""


class PlainRule(TypedDict):
    """A rule of the grammar.

    `?rule` is `transparent`: it stands for its only part where it has just one. The parts
    of a `_rule` are spliced into the rule it is part of, which has `splices` then.
    """

    name: str
    size: int
    builder: str
    transparent: bool
    splices: bool


class PlainTables(TypedDict):
    """An LALR automaton and its lexer; for each state a row by kind of piece or lexeme."""

    pattern: str
    rules: list[PlainRule]
    shifts: list[dict[str, int]]
    reductions: list[dict[str, int]]
    first: dict[str, int]
    last: dict[str, int]


def build_tables(folder: Path) -> PlainTables:
    """Return the tables of the grammar in a folder.

    Raises:
        lark.exceptions.LarkError: The grammar has a mistake or a conflict.
    """
    from lark import Lark

    opened = Lark.open(
        str(folder / "ebm.lark"),
        parser="lalr",
        lexer="basic",
        strict=True,
        start=list(STARTS),
        maybe_placeholders=False,
        postlex=_KeepAll(),
    )
    return _tabulate(opened)


class _KeepAll:
    """Keeps the terminals that no rule takes, so that the lexer knows all text."""

    always_accept = ("COMMENT", "LATER_STATEMENT", "LATER_WORD", "OPEN_STRING", "STRAY")

    def process(self, stream: Iterator[Any]) -> Iterator[Any]:  # lark's tokens, untouched
        return stream


def _tabulate(opened: "Lark") -> PlainTables:
    from lark.lexer import BasicLexer
    from lark.parsers.lalr_analysis import Shift

    numbers = {rule: number for number, rule in enumerate(opened.rules)}
    configured = {
        start: opened.parse_interactive("", start=start).parser_state.parse_conf for start in STARTS
    }
    states = configured[STARTS[0]].states
    # Lark numbers states anew in every process.
    order = [configured[start].start_state for start in STARTS]
    for state in order:
        following = {
            str(kind): target for kind, (act, target) in states[state].items() if act is Shift
        }
        order += dict.fromkeys(
            following[kind] for kind in sorted(following) if following[kind] not in order
        )
    places = {state: place for place, state in enumerate(order)}
    shifts: list[dict[str, int]] = [{} for _ in order]
    reductions: list[dict[str, int]] = [{} for _ in order]
    for state, place in places.items():
        for kind in sorted(states[state], key=str):
            action, argument = states[state][kind]
            if action is Shift:
                shifts[place][str(kind)] = places[argument]
            else:
                reductions[place][str(kind)] = numbers[argument]
    # The lexer has its terminals in the order in which they are tried.
    terminals = BasicLexer(opened.lexer_conf).terminals
    return PlainTables(
        pattern="|".join(f"(?P<{one.name}>{one.pattern.to_regexp()})" for one in terminals),
        rules=[_plain_rule(rule) for rule in opened.rules],
        shifts=shifts,
        reductions=reductions,
        first={start: places[conf.start_state] for start, conf in configured.items()},
        last={start: places[conf.end_state] for start, conf in configured.items()},
    )


def _plain_rule(rule: Any) -> PlainRule:  # lark's Rule, which it does not export
    name = str(rule.origin.name)
    return PlainRule(
        name=name,
        size=len(rule.expansion),
        builder=str(rule.alias or name),
        transparent=bool(rule.options.expand1 and not rule.alias),
        splices=any(not part.is_term and part.name.startswith("_") for part in rule.expansion),
    )
