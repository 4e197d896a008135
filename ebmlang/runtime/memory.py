"""How long the process keeps memory that tensors have given back.

Steps of solvers and samplers allocate and free the same few tensors over and over. The GNU
allocator hands blocks of more than some 128 kB back to the system as soon as twice that is free,
and each is then faulted in anew, page by page: a step on tensors of one megabyte takes 1.7 times
as long. It learns from use, though: a block that was mapped and freed raises both limits, to its
size and to twice that, up to 32 MB (mallopt(3), M_MMAP_THRESHOLD). One such block, never touched
and so costing nothing, is enough.
"""

from functools import cache

import torch

LARGEST_LEARNED = 31 * 2**20
"""Just below the size from which the allocator learns nothing [bytes]."""


@cache
def keep_freed_memory() -> None:
    """Let the allocator keep up to 62 MB for the next tensors; other allocators are left alone."""
    torch.empty(LARGEST_LEARNED, dtype=torch.uint8)
