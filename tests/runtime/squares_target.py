"""A target that is a sum of squares of plain torch functions."""

from dataclasses import dataclass

import torch
from torch import Tensor

from tests.runtime.function_target import CPU, Function, nothing


@dataclass(frozen=True, kw_only=True)
class SquaresTarget:
    dim: int
    residuals: Function
    requirements: Function = nothing
    dtype: torch.dtype = torch.float64
    device: torch.device = CPU

    def energy(self, x: Tensor) -> Tensor:
        return self.residuals(x).square().sum(1)
