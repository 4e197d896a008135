"""The shape of the space in which chains move: a linear map L per group of chains.

Momenta are whitened: z ~ N(0, I), the velocity is L z, the force on z is -L^T dU/dq, and the
kinetic energy is |z|^2 / 2 for every L. With L L^T the covariance of the target, the flow is
that of a standard normal. Chains fall into as many contiguous parts as there are groups, of equal
size but for one; each part has its own L.

On manifolds L is one number per element, so that what is tangent stays tangent: there, a metric is
`Diagonal`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ebmlang.spaces import SamplingChart


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Diagonal:
    """L is diagonal.

    Attributes:
        scale: The diagonal: standard deviations, equal within one element of a manifold.
    """

    scale: Float[Tensor, "group dim"]

    def spread(self, z: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain dim"]:
        """Return L z."""
        return z * self._rows(len(z))

    def gather(self, g: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain dim"]:
        """Return L^T g."""
        return g * self._rows(len(g))

    def paced(self, time: Float[Tensor, "#chain 1"], chains: int) -> "Pace":
        """Return steps of a time, of so many chains."""
        return Pace(time=time * self._rows(chains), metric=None)

    def used(self) -> Bool[Tensor, "group dim"]:
        """Return which numbers of z move anything."""
        return self.scale != 0

    def deviations(self) -> Float[Tensor, "group dim"]:
        """Return the standard deviation of each coordinate of L z."""
        return self.scale

    def masked(self, mask: Bool[Tensor, " dim"]) -> "Diagonal":
        """Return the metric that moves some coordinates only."""
        return Diagonal(scale=self.scale * mask)

    def _rows(self, chains: int) -> Float[Tensor, "#chain dim"]:
        """Return the diagonal of each chain."""
        groups = len(self.scale)
        if groups == 1:
            return self.scale
        sizes = [len(part) for part in torch.empty(chains).tensor_split(groups)]
        counts = torch.tensor(sizes, device=self.scale.device)
        return self.scale.repeat_interleave(counts, 0)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dense:
    """L is any matrix, such as a Cholesky factor of a covariance."""

    factor: Float[Tensor, "group dim dim"]

    def spread(self, z: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain dim"]:
        """Return L z."""
        return _by_group(z, len(self.factor), lambda part, i: part @ self.factor[i].T)

    def gather(self, g: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain dim"]:
        """Return L^T g."""
        return _by_group(g, len(self.factor), lambda part, i: part @ self.factor[i])

    def paced(self, time: Float[Tensor, "#chain 1"], chains: int) -> "Pace":
        """Return steps of a time, of so many chains."""
        del chains  # Groups are looked for where rows are multiplied.
        return Pace(time=time, metric=self)

    def used(self) -> Bool[Tensor, "group dim"]:
        """Return which numbers of z move anything."""
        return (self.factor != 0).any(1)

    def deviations(self) -> Float[Tensor, "group dim"]:
        """Return the standard deviation of each coordinate of L z."""
        return self.factor.square().sum(2).sqrt()

    def masked(self, mask: Bool[Tensor, " dim"]) -> "Dense":
        """Return the metric that moves some coordinates only."""
        return Dense(factor=self.factor * mask[:, None])


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LowRank:
    """L = D (I + V (S - I) V^T): a diagonal, stretched along a few orthonormal directions.

    Attributes:
        scale: The diagonal D.
        directions: The columns of V, orthonormal.
        stretch: The diagonal of S: standard deviations along the directions, in units of D.
    """

    scale: Float[Tensor, "group dim"]
    directions: Float[Tensor, "group dim rank"]
    stretch: Float[Tensor, "group rank"]

    def spread(self, z: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain dim"]:
        """Return L z."""
        return _by_group(z, len(self.scale), lambda part, i: self._stretch(part, i) * self.scale[i])

    def gather(self, g: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain dim"]:
        """Return L^T g."""
        return _by_group(g, len(self.scale), lambda part, i: self._stretch(part * self.scale[i], i))

    def paced(self, time: Float[Tensor, "#chain 1"], chains: int) -> "Pace":
        """Return steps of a time, of so many chains."""
        del chains  # Groups are looked for where rows are multiplied.
        return Pace(time=time, metric=self)

    def used(self) -> Bool[Tensor, "group dim"]:
        """Return which numbers of z move anything: all do, along the directions."""
        return torch.ones_like(self.scale, dtype=torch.bool)

    def deviations(self) -> Float[Tensor, "group dim"]:
        """Return the standard deviation of each coordinate of L z."""
        gained = self.stretch.square() - 1
        along = (self.directions.square() * gained[:, None]).sum(2)
        return self.scale * (1 + along).clamp(min=0).sqrt()

    def masked(self, mask: Bool[Tensor, " dim"]) -> "LowRank":
        """Return the metric that moves some coordinates only."""
        return replace(self, scale=self.scale * mask)

    def _stretch(self, part: Tensor, i: int) -> Tensor:
        along = (part @ self.directions[i]) * (self.stretch[i] - 1)
        return part + along @ self.directions[i].T


Metric: TypeAlias = Diagonal | Dense | LowRank


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pace:
    """Steps in a metric, all of one length: what moves chains, and what changes their momenta.

    Attributes:
        time: Of a step of each chain; where L is diagonal, times L.
        metric: L where it is not diagonal.
    """

    time: Float[Tensor, "#chain #dim"]
    metric: Dense | LowRank | None

    def drift(
        self, chart: SamplingChart, q: Float[Tensor, "chain dim"], z: Float[Tensor, "chain dim"]
    ) -> tuple[Float[Tensor, "chain dim"], Float[Tensor, "chain dim"]]:
        """Move freely, along geodesics on manifolds; return the end and z there."""
        if self.metric is not None:
            assert chart.is_flat
            return torch.addcmul(q, self.time, self.metric.spread(z)), z
        end, turned = chart.flow(q, z, self.time)
        if chart.is_flat:
            return end, turned
        # Flows on manifolds take round-off out of where they end; what is held still has not moved.
        held = self.time == 0
        return torch.where(held, q, end), torch.where(held, z, turned)

    def kick(
        self, z: Float[Tensor, "chain dim"], gradient: Float[Tensor, "chain dim"], share: float
    ) -> Float[Tensor, "chain dim"]:
        """Return z after a share of a step under a force."""
        force = gradient if self.metric is None else self.metric.gather(gradient)
        return torch.addcmul(z, self.time, force, value=-share)


def identity(q: Float[Tensor, "chain dim"]) -> Diagonal:
    """Return the metric of coordinates that are all near 1."""
    return Diagonal(scale=torch.ones_like(q[:1]))


def trim(metric: Metric, z: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain dim"]:
    """Return z with zeros where it moves nothing."""
    used = metric.used()
    return _by_group(z, len(used), lambda part, i: part * used[i])


def _by_group(
    rows: Float[Tensor, "chain dim"], groups: int, act: Callable[[Tensor, int], Tensor]
) -> Float[Tensor, "chain dim"]:
    if groups == 1:
        return act(rows, 0)
    return torch.cat([act(part, i) for i, part in enumerate(rows.tensor_split(groups))])
