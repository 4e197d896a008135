"""How many of something a run is asked for."""

from ebmlang.source import Diagnostic, EbmError

MOST = 2**31
"""More than this of anything fits no machine, and not into the integers that torch takes."""


def require_counts(*, least: int = 1, **counts: int) -> None:
    """Raise unless each count is in reach.

    Raises:
        EbmError: E0903, with all that are not.

    >>> require_counts(starts=128, designs=10)
    """
    problems = [
        Diagnostic(
            code="E0903",
            headline=f"`{name}` is {count}, and must be from {least} to {MOST:,}",
        )
        for name, count in counts.items()
        if not least <= count <= MOST
    ]
    if problems:
        raise EbmError(*problems)
