"""The grammar as tables for the lexer and the parsing machine: found, built, kept.

The rules are in `grammar/ebm.lark`; lark makes the tables. That is slow, so its work is
kept in the user's cache folder under a name made from everything it depends on. The cache
only saves time: a missing, unwritable or broken one changes nothing else.
"""

import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ebmlang.source import InternalError
from ebmlang.syntax.lexemes import RawToken
from ebmlang.syntax.tree_builder import BUILDERS

if TYPE_CHECKING:
    from lark import Lark

STARTS = ("file", "expression", "domain")
"""The rules that a text can be parsed as."""


@dataclass(frozen=True, slots=True)
class Reduction:
    """A rule that is complete: how many pieces it joins, and what it makes of them."""

    size: int
    rule: str
    build: Callable[[list[Any]], Any]  # a node, or whatever else the rule stands for


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """The language as tables.

    Attributes:
        lex: Cuts a text into tokens; never stops, whatever the text.
        shifts: By state and kind of piece, the state after taking one.
        reductions: By state and kind of the next lexeme, the rule that is complete.
        first: By start rule, the state to begin in.
        last: By start rule, the state in which it is complete.
    """

    lex: Callable[[str], Iterable[RawToken]]
    shifts: Mapping[int, Mapping[str, int]]
    reductions: Mapping[int, Mapping[str, Reduction]]
    first: Mapping[str, int]
    last: Mapping[str, int]


@cache
def load_grammar() -> Grammar:
    """Return the tables of the language, from the cache where there is one.

    Raises:
        InternalError: This installation has no grammar.
    """
    return build_grammar(find_grammar(), cache_folder())


def find_grammar() -> Path:
    """Return the folder of the grammar: the checkout's, else the one in the package.

    Raises:
        InternalError: This installation has neither.
    """
    package = Path(__file__).resolve().parents[1]
    # An editable install has a stale copy in the package: the checkout comes first.
    for folder in (package.parent / "grammar", package / "_grammar"):
        if (folder / "ebm.lark").is_file():
            return folder
    raise InternalError("this installation of ebmlang has no grammar folder")


def cache_folder() -> Path:
    """Return the folder that this user's caches belong in."""
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("ebmlang"))


def build_grammar(folder: Path, kept_in: Path) -> Grammar:
    """Return the tables for the grammar in `folder`, kept in the folder `kept_in`."""
    import lark

    fingerprint = hashlib.sha256(f"{lark.__version__} {sys.version}".encode())
    for name in ("tokens.lark", "ebm.lark"):
        fingerprint.update((folder / name).read_bytes())
    kept = kept_in / f"grammar-{fingerprint.hexdigest()[:16]}.lark"
    if kept.is_file():
        return _tabulate(_open(folder, kept))
    with suppress(OSError):
        kept_in.mkdir(parents=True, exist_ok=True)
    # Another process may be reading: the file appears under its name only when whole.
    unfinished = kept.with_suffix(f".{os.getpid()}")
    opened = _open(folder, unfinished)
    with suppress(OSError):
        unfinished.replace(kept)
    return _tabulate(opened)


def _open(folder: Path, kept: Path) -> "Lark":
    from lark import Lark

    return Lark.open(
        str(folder / "ebm.lark"),
        parser="lalr",
        lexer="basic",
        strict=True,
        start=list(STARTS),
        keep_all_tokens=True,
        maybe_placeholders=False,
        transformer=SimpleNamespace(**BUILDERS),
        postlex=_KeepAll(),
        cache=str(kept),
    )


class _KeepAll:
    """Keeps the terminals that no rule takes, so that the lexer knows all text."""

    always_accept = ("COMMENT", "LATER_STATEMENT", "LATER_WORD", "OPEN_STRING", "STRAY")

    def process(self, stream: Iterator[Any]) -> Iterator[Any]:  # lark's tokens, untouched
        return stream


def _tabulate(opened: "Lark") -> Grammar:
    """Read lark's tables into plain ones.

    Lark's own driver is twice as slow, since it looks names up that are tokens, and it
    joins pieces before it finds that a lexeme does not fit.
    """
    from lark.lexer import LexerThread
    from lark.parsers.lalr_analysis import Shift

    lexer = opened.parser.lexer
    start_lexing: Any = LexerThread.from_text  # lark leaves what it returns half typed
    configured = {
        start: opened.parse_interactive("", start=start).parser_state.parse_conf for start in STARTS
    }
    table = configured[STARTS[0]]
    shifts: dict[int, dict[str, int]] = {}
    reductions: dict[int, dict[str, Reduction]] = {}
    for state, actions in table.states.items():
        shifts[state] = {}
        reductions[state] = {}
        for kind, (action, argument) in actions.items():
            if action is Shift:
                shifts[state][str(kind)] = argument
            else:
                build = table.callbacks[argument]
                reductions[state][str(kind)] = Reduction(
                    len(argument.expansion), str(argument.origin.name), build
                )
    return Grammar(
        lex=lambda text: start_lexing(lexer, text).lex(None),
        shifts=shifts,
        reductions=reductions,
        first={start: conf.start_state for start, conf in configured.items()},
        last={start: conf.end_state for start, conf in configured.items()},
    )
