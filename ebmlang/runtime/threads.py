"""How many threads torch uses.

One thread for small work: below a million element operations in one call, a second thread
costs more in handing over than it brings (up to 11 times slower on a quiet two-core machine,
more than 40 times on a busy one), so work below that size runs on one.
"""

from contextlib import AbstractContextManager

import torch

SMALL_WORK = 1_000_000
"""Element operations in one call below which one thread is faster [elements]."""


def thread_count(elements: int, available: int) -> int:
    """Return the number of threads for calls that touch so many elements.

    >>> thread_count(5_000, 8), thread_count(50_000_000, 8)
    (1, 8)
    """
    return 1 if elements < SMALL_WORK else available


def threads_for(elements: int) -> AbstractContextManager[None]:
    """Set torch's thread count for work of this size; the former count comes back at the end.

    Args:
        elements: Numbers that one operation touches, chains times dimensions [elements].
    """
    available = torch.get_num_threads()
    return _Threads(thread_count(elements, available), available)


class _Threads(AbstractContextManager[None]):
    """Sets a thread count where it is another: to see that none is needed takes less time."""

    __slots__ = ("_available", "_wanted")

    def __init__(self, wanted: int, available: int) -> None:
        self._wanted, self._available = wanted, available

    def __enter__(self) -> None:
        if self._wanted != self._available:
            torch.set_num_threads(self._wanted)

    def __exit__(self, *_error: object) -> None:
        if self._wanted != self._available:
            torch.set_num_threads(self._available)
