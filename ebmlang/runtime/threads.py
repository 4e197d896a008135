"""How many threads torch uses.

One thread for small work: below a million element operations in one call, a second thread
costs more in handing over than it brings (up to 11 times slower on a quiet two-core machine,
more than 40 times on a busy one), so work below that size runs on one.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

SMALL_WORK = 1_000_000
"""Element operations in one call below which one thread is faster [elements]."""


def thread_count(elements: int, available: int) -> int:
    """Return the number of threads for calls that touch so many elements.

    >>> thread_count(5_000, 8), thread_count(50_000_000, 8)
    (1, 8)
    """
    return 1 if elements < SMALL_WORK else available


@contextmanager
def threads_for(elements: int) -> Iterator[None]:
    """Set torch's thread count for work of this size; the former count comes back at the end.

    Args:
        elements: Numbers that one operation touches, chains times dimensions [elements].
    """
    available = torch.get_num_threads()
    torch.set_num_threads(thread_count(elements, available))
    try:
        yield
    finally:
        torch.set_num_threads(available)
