"""The grammar as a table for the parsing machine: found, built, and kept for next time.

The rules are in `grammar/ebm.lark`. Building the table from them is slow, so it is kept in
the user's cache folder under a name made from everything it depends on. The cache only
saves time: a missing, unwritable or broken one changes nothing else.
"""

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ebmlang.source import InternalError
from ebmlang.syntax.tree_builder import BUILDERS

if TYPE_CHECKING:
    from lark import Lark

STARTS = ("file", "expression", "domain")
"""The rules that a text can be parsed as."""


@cache
def load_grammar() -> "Lark":
    """Return the parser of the language, from the cache where there is one.

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


def build_grammar(folder: Path, kept_in: Path) -> "Lark":
    """Return the parser for the grammar in `folder`, kept in the folder `kept_in`."""
    import lark

    fingerprint = hashlib.sha256(f"{lark.__version__} {sys.version}".encode())
    for name in ("tokens.lark", "ebm.lark"):
        fingerprint.update((folder / name).read_bytes())
    kept = kept_in / f"grammar-{fingerprint.hexdigest()[:16]}.lark"
    if kept.is_file():
        return _open(folder, kept)
    with suppress(OSError):
        kept_in.mkdir(parents=True, exist_ok=True)
    # Another process may be reading: the file appears under its name only when whole.
    unfinished = kept.with_suffix(f".{os.getpid()}")
    parser = _open(folder, unfinished)
    with suppress(OSError):
        unfinished.replace(kept)
    return parser


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

    always_accept: Iterable[str] = (
        "COMMENT",
        "LATER_STATEMENT",
        "LATER_WORD",
        "OPEN_STRING",
        "STRAY",
    )

    def process(self, stream: Iterator[Any]) -> Iterator[Any]:  # lark's tokens, untouched
        return stream
