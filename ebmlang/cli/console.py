"""What is printed where: results on stdout, everything else on stderr."""

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TextIO

from ebmlang.source import CODES, Diagnostic, EbmError
from ebmlang.source.draw import describe_diagnostic, draw_diagnostics

if TYPE_CHECKING:
    from rich.console import Console

PIPE_WIDTH = 160
"""Columns that a table may take where no terminal says how wide it is."""


def print_errors(error: EbmError, *, as_json: bool) -> None:
    """Print what is wrong: drawn on stderr, or as one JSON object on stdout."""
    if as_json:
        print_json({"status": "error", "diagnostics": describe(error.diagnostics)})
    else:
        print_diagnostics(error.diagnostics)


def print_diagnostics(diagnostics: Sequence[Diagnostic]) -> None:
    """Draw messages on stderr, followed by a blank line."""
    if diagnostics:
        drawn = draw_diagnostics(diagnostics, color=has_color(sys.stderr))
        print(drawn, end="\n\n", file=sys.stderr)


def describe(diagnostics: Iterable[Diagnostic]) -> list[dict[str, object]]:
    """Return messages as plain data."""
    return [describe_diagnostic(diagnostic) for diagnostic in diagnostics]


def keep_warnings(
    diagnostics: Iterable[Diagnostic], switched_off: Sequence[str]
) -> tuple[Diagnostic, ...]:
    """Return the warnings that are to be shown.

    Args:
        diagnostics: The warnings found.
        switched_off: Names or codes of those not wanted.

    Raises:
        EbmError: E0903 where there is no such warning.
    """
    known = {kind.slug: code for code, kind in CODES.items() if code.startswith("W")}
    off: set[str] = set()
    for name in switched_off:
        if name not in known and name not in known.values():
            listed = ", ".join(f"`{slug}`" for slug in known)
            message = Diagnostic(
                code="E0903",
                headline=f"there is no warning `{name}`",
                notes=(f"there are {listed}",),
            )
            raise EbmError(message)
        off.add(known.get(name, name))
    return tuple(d for d in diagnostics if d.code not in off)


def print_json(value: object) -> None:
    """Print one JSON object on stdout."""
    import json

    if "numpy" not in sys.modules:
        # Without numpy there are no arrays to turn into lists.
        print(json.dumps(value, indent=2, ensure_ascii=False))
        return
    from ebmlang.runs.plain import show_json

    print(show_json(value))


def has_color(stream: TextIO) -> bool:
    """Whether to color what goes to a stream; see https://no-color.org."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def open_console() -> "Console":
    """Return the console that draws tables on stdout."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return Console(width=width, markup=False, emoji=False, highlight=False)
