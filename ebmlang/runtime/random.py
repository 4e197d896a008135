"""Random streams: every draw comes from a generator that was made from a seed.

torch's global generator is neither read nor changed. Runs that need several independent
streams derive a seed for each by name.
"""

import zlib
from functools import lru_cache

import numpy as np
import torch


@lru_cache(maxsize=256)
def derive_seed(seed: int, purpose: str) -> int:
    """Return the seed of an independent stream for one purpose.

    >>> derive_seed(0, "starts") == derive_seed(0, "starts")
    True
    >>> derive_seed(0, "starts") == derive_seed(0, "momentum")
    False
    """
    name = zlib.crc32(purpose.encode())
    high, low = np.random.SeedSequence([abs(seed), int(seed < 0), name]).generate_state(2)
    # torch takes signed 64-bit seeds; 63 bits stay positive everywhere.
    return (int(high) << 31) ^ int(low)


def build_generator(seed: int, purpose: str, device: torch.device) -> torch.Generator:
    """Return a generator on a device for one purpose of a seeded run."""
    generator = torch.Generator(device=device)
    generator.manual_seed(derive_seed(seed, purpose))
    return generator
