"""The grammar, ready for use: found, turned into tables, and kept for next time.

The rules are in `grammar/ebm.lark`. Making the tables is slow, so they lie beside the rules
(`scripts/write_grammar_tables.py` writes them); where the rules have changed since, they are
made, and kept in the user's cache folder. Either says what it was made from, and only saves
time: one that is missing, broken or of other rules changes nothing else.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ebmlang.source import InternalError
from ebmlang.syntax.tables import PlainRule, PlainTables, build_tables
from ebmlang.syntax.tree_builder import BUILDERS, Parts

TABLES = "tables.json"
"""What lies beside the rules."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the grammar: what it is called, how many pieces it joins, what it makes."""

    name: str
    size: int
    build: Callable[[Parts], Any]  # a node, or whatever else the rule stands for


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """The language as tables.

    Attributes:
        pattern: Matches one piece of any text; the matching group is its kind.
        shifts: By state and kind of piece, the state after taking one.
        reductions: By state and kind of the next lexeme, the rule that is complete.
        first: By start rule, the state to begin in.
        last: By start rule, the state in which it is complete.
    """

    pattern: re.Pattern[str]
    shifts: Sequence[Mapping[str, int]]
    reductions: Sequence[Mapping[str, Rule]]
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
    """Return the grammar in `folder`; tables that it lacks are kept in the folder `kept_in`."""
    made_from = find_fingerprint(folder)
    kept = kept_in / f"grammar-{made_from}.json"
    for file in (folder / TABLES, kept):
        with suppress(OSError, ValueError, TypeError, KeyError):
            found = json.loads(file.read_text(encoding="utf-8"))
            if found["made_from"] == made_from:
                return _assemble(found["tables"])
    tables = build_tables(folder)
    # Another process may be reading: the file appears under its name only when whole.
    unfinished = kept.with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        kept_in.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(show_tables(folder, tables), encoding="utf-8")
        unfinished.replace(kept)
    return _assemble(tables)


def show_tables(folder: Path, tables: PlainTables) -> str:
    """Return tables as they are kept."""
    return json.dumps({"made_from": find_fingerprint(folder), "tables": tables})


def find_fingerprint(folder: Path) -> str:
    """Return a word for everything that the tables of a grammar are made from."""
    parts = [(folder / name).read_bytes() for name in ("tokens.lark", "ebm.lark")]
    # The shape of the tables is decided there.
    parts.append(Path(__file__).with_name("tables.py").read_bytes())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _assemble(tables: PlainTables) -> Grammar:
    rules = [_assemble_rule(plain) for plain in tables["rules"]]
    return Grammar(
        pattern=re.compile(tables["pattern"]),
        shifts=tables["shifts"],
        reductions=[
            {kind: rules[number] for kind, number in row.items()} for row in tables["reductions"]
        ],
        first=tables["first"],
        last=tables["last"],
    )


# --- what rules make -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Splice:
    """The parts of a rule that is no node of its own, to be spliced into its parent."""

    parts: Parts


def _assemble_rule(plain: PlainRule) -> Rule:
    node = BUILDERS.get(plain["builder"])
    build: Callable[[Parts], Any]
    if plain["transparent"] and plain["size"] == 1:
        build = _only
    elif node is None:
        # A long list is a chain of splices, flattened once, by the rule it is part of.
        build = _Splice
    else:
        build = _over_splices(node) if plain["splices"] else node
    return Rule(plain["name"], plain["size"], build)


def _only(parts: Parts) -> Any:  # whatever the only part is
    return parts[0]


def _over_splices(build: Callable[[Parts], Any]) -> Callable[[Parts], Any]:
    return lambda parts: build(_flatten(parts))


def _flatten(parts: Parts) -> list[Any]:
    flat = []
    waiting = list(reversed(parts))
    while waiting:
        part = waiting.pop()
        if isinstance(part, _Splice):
            waiting.extend(reversed(part.parts))
        else:
            flat.append(part)
    return flat
