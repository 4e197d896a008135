"""Constants of a graph as tensors."""

import warnings

import torch
from torch import Tensor

from ebmlang.graph import Constant

SHARED = 1 << 20
"""Bytes past which a tensor stands in the constant's own memory: nothing that is emitted writes to
its inputs, and an index of all pairs is as large as an array gets."""


def read_constant(constant: Constant, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return a constant as a tensor; not to be written to.

    Args:
        constant: The constant.
        dtype: Of real numbers.
        device: Where the tensor is wanted.
    """
    array = constant.array
    wanted = dtype if array.dtype.kind == "f" else None
    if array.nbytes <= SHARED:
        return torch.tensor(array, dtype=wanted, device=device)
    with warnings.catch_warnings():
        # It says that the array cannot be written to.
        warnings.simplefilter("ignore", UserWarning)
        shared = torch.from_numpy(array)
    return shared.to(device=device, dtype=wanted or shared.dtype)
