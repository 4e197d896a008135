"""Python's recursion limit, raised while nested formulas are walked."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ebmlang.source.limits import RECURSION


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Let Python recurse as deep as the limit on nesting needs, then no more."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, RECURSION))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
