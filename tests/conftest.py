"""Settings of every test: the same examples each time, and torch on one thread."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Two threads on a busy machine of two cores are many times slower than one. Set before torch,
# or what loads it, is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Runs of a test are to have the same numbers whether there is a compiler or not.
os.environ.setdefault("EBM_TIER", "straight")

# Runs must not differ by chance; `--hypothesis-profile=search` looks for new examples.
settings.register_profile("fixed", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("search", deadline=None, print_blob=True)
settings.load_profile("fixed")

SHAPED = (
    "spaces",
    "runtime",
    "solve",
    "sample",
    "lower/test_operators.py",
    "lower/test_torch_kernels.py",
)
"""Tests of what works on tensors, which are also to run with their shapes checked."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by where they are."""
    shaped = [Path(__file__).parent / place for place in SHAPED]
    for item in items:
        if any(item.path.is_relative_to(place) for place in shaped):
            item.add_marker("shaped")
