"""A target made of plain torch functions, for tests that know nothing of the language."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ebmlang.lang import DomainKind
from ebmlang.spaces import ConcreteDomain, Layout, build_layout

CPU = torch.device("cpu")
Function = Callable[[Tensor], Tensor]


def nothing(x: Tensor) -> Tensor:
    return x.new_empty(len(x), 0)


@dataclass(frozen=True, kw_only=True)
class FunctionTarget:
    dim: int
    energy: Function
    requirements: Function = nothing
    dtype: torch.dtype = torch.float64
    device: torch.device = CPU


def layout_of(kind: DomainKind, *shape: int, lower: object = None, upper: object = None) -> Layout:
    bounds = [None if side is None else np.asarray(side, dtype=float) for side in (lower, upper)]
    domain = ConcreteDomain(kind=kind, shape=shape, lower=bounds[0], upper=bounds[1])
    return build_layout({"x": domain})
