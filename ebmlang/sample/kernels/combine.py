"""Kernels made of kernels: one picked at random, all in turn, or one on a block of coordinates.

Each part leaves exp(-U) as it is, so whatever is chosen without looking at the state does too. All
kernels share one state: what a part does not use, such as a momentum that persists, it passes on.

    Mixture(kernels=(ensemble, persistent), shares=(0.7, 0.3))
    smooth = find_block(chart, layout, {"mean", "scale"})
    Cycle(kernels=(on_block(hmc, smooth), on_block(slice, ~smooth)))
"""

from collections.abc import Collection, Sequence
from dataclasses import Field, dataclass, replace
from itertools import accumulate
from typing import Any, ClassVar, Protocol, TypeVar, final, runtime_checkable

import torch
from jaxtyping import Bool
from torch import Tensor

from ebmlang.sample.density import Density
from ebmlang.sample.metric import Metric
from ebmlang.sample.sampler import Kernel
from ebmlang.sample.state import ChainState, Info
from ebmlang.sample.streams import Noise
from ebmlang.spaces import Layout, SamplingChart


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mixture:
    """In each step one of several kernels, the same for all chains.

    Attributes:
        kernels: To pick from.
        shares: The probability of each, in any unit.
    """

    kernels: tuple[Kernel, ...]
    shares: tuple[float, ...]

    def __post_init__(self) -> None:
        assert len(self.kernels) == len(self.shares) > 0
        assert min(self.shares) >= 0 < sum(self.shares)

    def step(self, density: Density, state: ChainState, noise: Noise) -> tuple[ChainState, Info]:
        """Pick a kernel and step."""
        place = noise.shared("kernel") * sum(self.shares)
        picked = sum(place >= bound for bound in accumulate(self.shares[:-1]))
        return _step_part(self.kernels, picked, density, state, noise)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cycle:
    """In each step several kernels, one after the other.

    Attributes:
        kernels: In their order.
    """

    kernels: tuple[Kernel, ...]

    def step(self, density: Density, state: ChainState, noise: Noise) -> tuple[ChainState, Info]:
        """Step with each kernel."""
        infos = []
        for place in range(len(self.kernels)):
            state, info = _step_part(self.kernels, place, density, state, noise)
            infos.append(info)
        return state, _join(infos)


@runtime_checkable
class Metrical(Protocol):
    """A kernel, as a dataclass, that moves in a metric."""

    # Any: what `dataclasses.replace` asks of its argument.
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def metric(self) -> Metric:
        """In which it moves."""

    def step(self, density: Density, state: ChainState, noise: Noise) -> tuple[ChainState, Info]:
        """Move every chain once."""


K = TypeVar("K", bound=Metrical)


def on_block(kernel: K, mask: Bool[Tensor, " dim"]) -> K:
    """Return the kernel on some coordinates; the others stay as they are, bit for bit.

    It draws from the law of those coordinates given the others.

    Args:
        kernel: Any that moves in a metric.
        mask: True where a sampler's coordinate moves; all or none of a manifold's element.
    """
    return replace(kernel, metric=kernel.metric.masked(mask))


def find_block(
    chart: SamplingChart, layout: Layout, paths: Collection[str]
) -> Bool[Tensor, " dim"]:
    """Return which of a sampler's coordinates are those of some variables.

    Args:
        chart: The sampler's coordinates.
        layout: Of the model.
        paths: The variables' names.
    """
    assert set(paths) <= {block.path for block in layout.blocks}
    packed = torch.zeros(layout.dim, dtype=torch.bool, device=chart.pieces[0].columns.device)
    for block in layout.blocks:
        packed[block.start : block.stop] = block.path in paths
    return chart.cover(packed)


def _step_part(
    kernels: Sequence[Kernel], place: int, density: Density, state: ChainState, noise: Noise
) -> tuple[ChainState, Info]:
    """Step with one part, on random numbers of its own.

    On manifolds a part that moves and passes the momentum on leaves it tangent somewhere else, so
    there it is drawn anew for the next; in flat coordinates it is independent of the position.
    """
    part = noise.fork(f"part {place}")
    if not density.chart.is_flat:
        normal = part.normal("carried momentum", state.position.shape[1])
        state = replace(state, momentum=density.chart.tangent(state.position, normal))
    return kernels[place].step(density, state, part)


def _join(infos: Sequence[Info]) -> Info:
    """Sum up what the parts of a cycle did.

    Acceptance is their mean, gradients their sum; the chain moved, diverged or left what is
    required if it did so in any part. The total energy is that of the first part with a momentum.
    """
    hamiltonian = infos[0].hamiltonian
    for info in infos[1:]:
        hamiltonian = torch.where(torch.isnan(hamiltonian), info.hamiltonian, hamiltonian)
    return Info(
        acceptance=torch.stack([info.acceptance for info in infos]).mean(0),
        faithful=torch.stack([info.faithful for info in infos]).mean(0),
        accepted=torch.stack([info.accepted for info in infos]).any(0),
        diverged=torch.stack([info.diverged for info in infos]).any(0),
        infeasible=torch.stack([info.infeasible for info in infos]).any(0),
        gradients=torch.stack([info.gradients for info in infos]).sum(0),
        hamiltonian=hamiltonian,
    )
