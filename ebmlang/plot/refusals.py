"""What is said where there is nothing to draw, or no such quantity."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from ebmlang.source import Diagnostic, EbmError

MOST_NAMED = 8
"""Quantities that a message lists."""


def refuse_nothing(name: str, reason: str, *helps: str) -> EbmError:
    """Return the error of a run that holds nothing to draw."""
    return EbmError(
        Diagnostic(
            code="E0820",
            headline=f"there is nothing to draw in `{name}`: {reason}",
            helps=helps
            or (
                "`ebm solve SPEC --out found.json` and `ebm sample SPEC --out NAME.run` write runs",
            ),
        )
    )


def require_known(wanted: Sequence[str], known: Iterable[str]) -> None:
    """Raise unless all quantities that are asked for are there.

    Raises:
        EbmError: E0920, once for each that is not.
    """
    names = list(known)
    missing = [name for name in wanted if name not in names]
    if missing:
        raise EbmError(*(_refuse_quantity(name, names) for name in missing))


def _refuse_quantity(name: str, names: Sequence[str]) -> Diagnostic:
    close = get_close_matches(name, names, n=1)
    listed = ", ".join(f"`{one}`" for one in names[:MOST_NAMED])
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return Diagnostic(
        code="E0920",
        headline=f"the run has no quantity `{name}`",
        notes=(f"it has {listed}{more}",) if names else (),
        helps=(f"did you mean `{close[0]}`?",) if close else (),
    )
