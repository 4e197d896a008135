"""Settings of every test: the same examples each time, and torch on one thread."""

import os

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
