"""Ctrl-C in a long run: stop at the next round and keep what is finished.

The first Ctrl-C only asks; the loop sees it between rounds and returns. A second one raises
`KeyboardInterrupt` at once, for those who cannot wait.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupt:
    """Whether the user has asked the run to stop."""

    def __init__(self) -> None:
        self.requested = False

    def request(self) -> None:
        """Ask the run to stop at its next round."""
        self.requested = True


class _Handler:
    def __init__(self, interrupt: Interrupt) -> None:
        self.interrupt = interrupt

    def __call__(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self.interrupt.requested:
            raise KeyboardInterrupt
        self.interrupt.request()


@contextmanager
def watch_interrupts() -> Iterator[Interrupt]:
    """Turn the first Ctrl-C inside the block into a request.

    A block inside of another hears the same requests: what is made of several runs stops as one.
    Python delivers signals to the main thread only, so in any other thread the block changes
    nothing and the request never comes.
    """
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    handler = signal.getsignal(signal.SIGINT)
    if isinstance(handler, _Handler):
        yield handler.interrupt
        return

    former = signal.signal(signal.SIGINT, _Handler(interrupt))
    try:
        yield interrupt
    finally:
        # None: what was there before was not put there from Python, and cannot be put back.
        signal.signal(signal.SIGINT, signal.SIG_DFL if former is None else former)
