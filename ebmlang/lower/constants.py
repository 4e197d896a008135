"""Constants of a graph as tensors."""

import warnings
from functools import lru_cache

import torch
from torch import Tensor

from ebmlang.graph import Constant

SHARED = 1 << 20
"""Bytes past which a tensor stands in the constant's own memory: nothing that is emitted writes to
its inputs, and an index of all pairs is as large as an array gets."""

KEPT = 1 << 16
"""Bytes up to which a tensor is kept: to look for it takes a tenth of what it takes to make it, and
each binding of an energy asks for the same ones."""


def read_constant(constant: Constant, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return a constant as a tensor; not to be written to.

    Args:
        constant: The constant.
        dtype: Of real numbers.
        device: Where the tensor is wanted.
    """
    read = _keep if constant.array.nbytes <= KEPT else _read
    return read(constant, dtype, device)


def _read(constant: Constant, dtype: torch.dtype, device: torch.device) -> Tensor:
    array = constant.array
    wanted = dtype if array.dtype.kind == "f" else None
    if array.nbytes <= SHARED:
        return torch.tensor(array, dtype=wanted, device=device)
    with warnings.catch_warnings():
        # It says that the array cannot be written to.
        warnings.simplefilter("ignore", UserWarning)
        shared = torch.from_numpy(array)
    return shared.to(device=device, dtype=wanted or shared.dtype)


@lru_cache(maxsize=256)
def _keep(constant: Constant, dtype: torch.dtype, device: torch.device) -> Tensor:
    # What is made in inference mode could not be differentiated through later.
    with torch.inference_mode(False):
        return _read(constant, dtype, device)
