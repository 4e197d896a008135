"""The energy as solvers and samplers see it: over packed points."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PackedEnergy:
    """An energy bound to data and weights; a `Target` of the runtime.

    Attributes:
        dim: The length of a packed point.
        dtype: The dtype of points and values.
        device: Where points and values live.
        prepared: What emitted code has computed from data and weights.
        total, required: Emitted functions. Any: `prepared`, as they index it.
    """

    dim: int
    dtype: torch.dtype
    device: torch.device
    prepared: tuple[Tensor, ...]
    total: Callable[[Tensor, Any], Tensor]
    required: Callable[[Tensor, Any], Tensor]

    def energy(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, " chain"]:
        """Return the sum of the soft terms [nats]; `require`s are not in it."""
        return self.total(x, self.prepared)

    def requirements(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain requirement"]:
        """Return the margins of everything required, in tolerances."""
        return self.required(x, self.prepared)
