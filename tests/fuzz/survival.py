"""Take any text down the road and watch that nothing but diagnostics comes out."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

from ebmlang.check import check_file
from ebmlang.graph.build import build_graph
from ebmlang.source import Diagnostic, EbmError, Report, SourceText
from ebmlang.source.draw import draw_diagnostics
from ebmlang.syntax import parse_file

DEADLINE = 20.0
"""CPU time that one small text may take [s]; the usual is some milliseconds."""

SIZE = 3
"""What every size that only data would bind is taken to be."""


class TooSlowError(AssertionError):
    """A text takes longer than its deadline."""


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise once the block has used this much CPU time."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TooSlowError(f"more than {seconds} s of CPU time")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def survive(text: str, *, build: bool = True, seconds: float = DEADLINE) -> tuple[Diagnostic, ...]:
    """Parse and check a text, build its graph if it is right, and draw what was said.

    Args:
        text: Any text.
        build: Whether to go on to the graph.
        seconds: CPU time that all of it may take [s].

    Returns:
        Everything that was reported.
    """
    with deadline(seconds):
        report = Report()
        file = parse_file(SourceText("fuzz.ebm", text), report)
        program = check_file(file, report)
        found = report.diagnostics
        if not report.has_errors:
            assert program is not None
            if build:
                try:
                    build_graph(program, dict.fromkeys(program.sizes, SIZE))
                except EbmError as error:
                    found = (*found, *error.diagnostics)
        draw_diagnostics(found)
    return found


def codes(diagnostics: tuple[Diagnostic, ...]) -> set[str]:
    """Return the codes of the errors among some messages."""
    return {d.code for d in diagnostics if d.code.startswith("E")}
