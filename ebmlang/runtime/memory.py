"""Memory of tensors: how long the process keeps what they have given back, and in which pages.

Steps of solvers and samplers allocate and free the same few tensors over and over. The GNU
allocator hands blocks of more than some 128 kB back to the system as soon as twice that is free,
and each is then faulted in anew, page by page: a step on tensors of one megabyte takes 1.7 times
as long. It learns from use, though: a block that was mapped and freed raises both limits, to its
size and to twice that, up to 32 MB (mallopt(3), M_MMAP_THRESHOLD). One such block, never touched
and so costing nothing, is enough.
"""

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from torch import Tensor

LARGEST_LEARNED = 31 * 2**20
"""Just below the size from which the allocator learns nothing [bytes]."""


@cache
def keep_freed_memory() -> None:
    """Let the allocator keep up to 62 MB for the next tensors; other allocators are left alone."""
    torch.empty(LARGEST_LEARNED, dtype=torch.uint8)


LARGE = 4 * 2**20
"""Size from which numpy asks for huge pages, where the system has them [bytes]."""


def make_room(shape: Sequence[int], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return a tensor of numbers that are not set yet, to be filled once.

    On the CPU a large one has huge pages, by way of numpy: memory that was never used is faulted in
    4 kB at a time otherwise, which takes three times as long as filling it.
    """
    size = math.prod(shape) * dtype.itemsize
    if size < LARGE or device.type != "cpu":
        return torch.empty(shape, dtype=dtype, device=device)
    return torch.from_numpy(np.empty(size, dtype=np.uint8)).view(dtype).view(tuple(shape))
