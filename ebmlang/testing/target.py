"""A density with known answers, as a record."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

Energy: TypeAlias = Callable[[Float[Tensor, "chain dim"]], Float[Tensor, " chain"]]
Draw: TypeAlias = Callable[[int, torch.Generator], Float[Tensor, "draw dim"]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Target:
    """A density known in every respect, in float64.

    Attributes:
        name: Its name in the literature.
        dim: The length of a point.
        energy: -log of the density up to a constant; `inf` outside its support [nats].
        draw: Makes exact draws.
        mean, variance: Of each coordinate.
        log_partition: log of the integral of exp(-energy).
        source: Where it comes from.
    """

    name: str
    dim: int
    energy: Energy
    draw: Draw
    mean: Float[Tensor, " dim"]
    variance: Float[Tensor, " dim"]
    log_partition: float
    source: str
