"""Telling people how far a run is.

Loops speak to the `Progress` protocol. What is shown goes to stderr and is nothing where
stderr is not a terminal, so that files and pipes stay clean.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, final, runtime_checkable

if TYPE_CHECKING:
    from rich.progress import Progress as RichBar
    from rich.progress import TaskID


@runtime_checkable
class Progress(Protocol):
    """What a loop tells about itself: phases, each with rounds."""

    def started(self, total: int, text: str) -> None:
        """A phase of so many rounds begins."""

    def advance(self, count: int, text: str) -> None:
        """So many more rounds are done; `text` says how it stands."""

    def finished(self, text: str) -> None:
        """The phase is over."""


@final
@dataclass(frozen=True, slots=True)
class SilentProgress:
    """Says nothing."""

    def started(self, total: int, text: str) -> None:
        """Say nothing."""

    def advance(self, count: int, text: str) -> None:
        """Say nothing."""

    def finished(self, text: str) -> None:
        """Say nothing."""


@final
class RichProgress:
    """A bar on stderr, drawn by rich."""

    def __init__(self) -> None:
        self._bar: RichBar | None = None
        self._task: TaskID | None = None

    def started(self, total: int, text: str) -> None:
        """Draw an empty bar."""
        # rich is loaded only when a bar is drawn: importing it takes a tenth of a second.
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as Bar

        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[detail]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task(text, total=total, detail="")
        self._bar.start()

    def advance(self, count: int, text: str) -> None:
        """Fill the bar by so many rounds."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=count, detail=text)

    def finished(self, text: str) -> None:
        """Take the bar away and leave one line."""
        if self._bar is not None:
            self._bar.stop()
            if text:
                self._bar.console.print(text, highlight=False)
            self._bar = None
            self._task = None


@contextmanager
def show_progress(*, silent: bool) -> Iterator[Progress]:
    """Draw bars inside the block where stderr is a terminal; whatever ends it, none is left.

    Args:
        silent: Whether to draw none all the same.
    """
    progress: Progress = SilentProgress()
    if not silent and sys.stderr.isatty():
        progress = RichProgress()
    try:
        yield progress
    finally:
        # A second Ctrl-C, or an error, leaves a phase without its end, and the cursor hidden.
        progress.finished("")
