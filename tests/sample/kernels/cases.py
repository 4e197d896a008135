"""Small densities and states for tests of single kernels."""

from collections.abc import Callable

import torch
from torch import Tensor

from ebmlang.lang import DomainKind
from ebmlang.sample.density import TargetDensity
from ebmlang.sample.metric import Diagonal
from ebmlang.sample.state import ChainState, begin
from ebmlang.sample.streams import Streams
from ebmlang.spaces import Layout, build_sampling_chart
from tests.runtime.function_target import CPU, FunctionTarget, layout_of, nothing

STANDARD_ERRORS = 4.0
"""Distance from the truth that chance does not explain."""


def number(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def half_square(x: Tensor) -> Tensor:
    """The energy of a standard normal."""
    return x.square().sum(1) / 2


def plane(dim: int) -> Layout:
    return layout_of(DomainKind.REAL, dim)


def density_of(
    energy: Callable[[Tensor], Tensor],
    layout: Layout,
    requirements: Callable[[Tensor], Tensor] = nothing,
) -> TargetDensity:
    target = FunctionTarget(dim=layout.dim, energy=energy, requirements=requirements)
    chart = build_sampling_chart(layout, dtype=torch.float64, device=CPU)
    return TargetDensity(target=target, chart=chart)


def streams_of(count: int, seed: int = 0) -> Streams:
    return Streams(seed=seed, chains=torch.arange(count), dtype=torch.float64)


def normal(count: int, dim: int, seed: int = 1) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(count, dim, dtype=torch.float64, generator=rng)


def begin_at(density: TargetDensity, position: Tensor) -> ChainState:
    return begin(density, position, streams_of(len(position)).at(0))


def unit_metric(dim: int) -> Diagonal:
    return Diagonal(scale=torch.ones(1, dim, dtype=torch.float64))
