"""Coordinates that straighten funnels and bends: the law seen through a learnt map.

    q_i = center_i + scale_i w_i
    w_i = z_i                                                     coordinates that drive
    w_i = m_i(z) + z_i exp(s_i(z))                                coordinates that are driven
    m_i(z) = m0_i + sum_j (M_ij z_j + N_ij z_j^2),   s_i(z) = s0_i + sum_j S_ij z_j

where the sums run over coordinates that are not driven. So the map is inverted in closed form, the
log of its volume is `sum(log scale) + sum(s)`, and a kernel that moves z moves q exactly. With
S it turns a funnel, and every hierarchical prior written centred, into what is called its
non-centred form; with N it straightens a curved valley. Chains fall into contiguous groups, each
with a map of its own.

Sources: Papaspiliopoulos, Roberts and Skold, A general framework for the parametrization of
hierarchical models (2007); Parno and Marzouk, Transport map accelerated MCMC (2018), section 3.
"""

from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ebmlang.runtime import Target, map_tensors
from ebmlang.sample.density import Density, Evaluation
from ebmlang.sample.state import ChainState
from ebmlang.spaces import SamplingChart


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Warp:
    """The map of each group of chains.

    Rows of what is not driven, and columns of what is, are zero.

    Attributes:
        center: Of q.
        scale: Of q.
        mean: The constants m0.
        mean_linear: The matrix M.
        mean_square: The matrix N.
        log_scale: The constants s0.
        log_scale_linear: The matrix S.
    """

    center: Float[Tensor, "group dim"]
    scale: Float[Tensor, "group dim"]
    mean: Float[Tensor, "group dim"]
    mean_linear: Float[Tensor, "group dim dim"]
    mean_square: Float[Tensor, "group dim dim"]
    log_scale: Float[Tensor, "group dim"]
    log_scale_linear: Float[Tensor, "group dim dim"]

    @property
    def bends(self) -> bool:
        """Whether any group has a coordinate that is driven."""
        matrices = (self.mean_linear, self.mean_square, self.log_scale_linear)
        return any(bool((matrix != 0).any()) for matrix in matrices)

    def straighten(self, q: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain dim"]:
        """Return z."""
        parts = []
        for at, part in self._parts(q):
            w = (part - at.center[0]) / at.scale[0]
            # What is driven does not enter the sums, so w does as well there as z.
            mean, log_scale = at._moments(w)
            parts.append((w - mean) * (-log_scale).exp())
        return torch.cat(parts)

    def bend(
        self, z: Float[Tensor, "chain dim"]
    ) -> tuple[Float[Tensor, "chain dim"], Float[Tensor, " chain"]]:
        """Return q and `log |dq / dz|`."""
        parts, volumes = [], []
        for at, part in self._parts(z):
            mean, log_scale = at._moments(part)
            parts.append(at.center[0] + at.scale[0] * (mean + part * log_scale.exp()))
            volumes.append(log_scale.sum(1) + at.scale[0].log().sum())
        return torch.cat(parts), torch.cat(volumes)

    def pull(
        self, z: Float[Tensor, "chain dim"], slope: Float[Tensor, "chain dim"]
    ) -> Float[Tensor, "chain dim"]:
        """Return the slope by z of a function whose slope by q is given: J^T slope."""
        parts = []
        for (at, part), down in zip(self._parts(z), slope.tensor_split(self._groups), strict=True):
            steep = down * at.scale[0]
            own = steep * at._moments(part)[1].exp()
            parts.append(own + at._share(part, steep, own))
        return torch.cat(parts)

    def push(
        self, z: Float[Tensor, "chain dim"], slope: Float[Tensor, "chain dim"]
    ) -> Float[Tensor, "chain dim"]:
        """Undo `pull`."""
        parts = []
        for (at, part), own in zip(self._parts(z), slope.tensor_split(self._groups), strict=True):
            steep = own * (-at._moments(part)[1]).exp()
            parts.append((steep - at._share(part, steep, own)) / at.scale[0])
        return torch.cat(parts)

    def volume_slope(self, z: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain dim"]:
        """Return the slope of `log |dq / dz|` by z."""
        sums = [at.log_scale_linear[0].sum(0).expand_as(part) for at, part in self._parts(z)]
        return torch.cat(sums)

    @property
    def _groups(self) -> int:
        return len(self.scale)

    def _parts(
        self, rows: Float[Tensor, "chain dim"]
    ) -> "list[tuple[Warp, Float[Tensor, 'part dim']]]":
        if self._groups == 1:
            return [(self, rows)]
        return [(pick_group(self, i), p) for i, p in enumerate(rows.tensor_split(self._groups))]

    def _moments(
        self, z: Float[Tensor, "chain dim"]
    ) -> tuple[Float[Tensor, "chain dim"], Float[Tensor, "chain dim"]]:
        """Return m(z) and s(z) of the only group."""
        mean = self.mean[0] + z @ self.mean_linear[0].T + z.square() @ self.mean_square[0].T
        return mean, self.log_scale[0] + z @ self.log_scale_linear[0].T

    def _share(
        self,
        z: Float[Tensor, "chain dim"],
        steep: Float[Tensor, "chain dim"],
        own: Float[Tensor, "chain dim"],
    ) -> Float[Tensor, "chain dim"]:
        """Return what comes to those that drive through those that are driven."""
        through_mean = steep @ self.mean_linear[0] + 2 * z * (steep @ self.mean_square[0])
        return through_mean + (own * z) @ self.log_scale_linear[0]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WarpedDensity:
    """A density, not tempered, as a function of z; the map's volume counts with the Jacobian."""

    plain: Density
    warp: Warp

    @property
    def chart(self) -> SamplingChart:
        """Flat coordinates: it says how z moves, not where it is."""
        return self.plain.chart

    @property
    def target(self) -> Target:
        """The energy behind it."""
        return self.plain.target

    @property
    def is_restricted(self) -> bool:
        """Whether something may be required."""
        return self.plain.is_restricted

    def evaluate(self, q: Float[Tensor, "chain dim"]) -> Evaluation:
        """Return energy, log-determinant and gradient."""
        bent, volume = self.warp.bend(q)
        return self._enter(q, self.plain.evaluate(bent), volume)

    def potential(self, evaluation: Evaluation) -> Float[Tensor, " chain"]:
        """Return the potential in float64."""
        return self.plain.potential(evaluation)

    def gain(self, before: Evaluation, after: Evaluation) -> Float[Tensor, " chain"]:
        """Return the rise of the potential in float64."""
        return self.plain.gain(before, after)

    def is_feasible(self, evaluation: Evaluation) -> Bool[Tensor, " chain"]:
        """Whether everything required holds."""
        return self.plain.is_feasible(evaluation)

    def steepest_margin(
        self, q: Float[Tensor, "chain dim"]
    ) -> tuple[Float[Tensor, " chain"], Float[Tensor, "chain dim"]]:
        """Return the smallest margin of what is required, and its gradient."""
        margin, slope = self.plain.steepest_margin(self.warp.bend(q)[0])
        return margin, self.warp.pull(q, slope)

    def enter(self, state: ChainState) -> ChainState:
        """Return a state of the plain density as one of this."""
        z = self.warp.straighten(state.position)
        volume = self.warp.bend(z)[1]
        return replace(state, position=z, evaluation=self._enter(z, state.evaluation, volume))

    def leave(self, state: ChainState) -> ChainState:
        """Undo `enter`."""
        z, here = state.position, state.evaluation
        bent, volume = self.warp.bend(z)
        slope = here.gradient + self.warp.volume_slope(z)
        plain = replace(
            here, log_jacobian=here.log_jacobian - volume, gradient=self.warp.push(z, slope)
        )
        return replace(state, position=bent, evaluation=plain)

    def _enter(
        self, z: Float[Tensor, "chain dim"], plain: Evaluation, volume: Float[Tensor, " chain"]
    ) -> Evaluation:
        slope = self.warp.pull(z, plain.gradient) - self.warp.volume_slope(z)
        return replace(plain, log_jacobian=plain.log_jacobian + volume, gradient=slope)


def straight(position: Float[Tensor, "chain dim"], groups: int) -> Warp:
    """Return the map that changes nothing."""
    dim = position.shape[1]
    zeros, matrix = position.new_zeros(groups, dim), position.new_zeros(groups, dim, dim)
    return Warp(
        center=zeros,
        scale=torch.ones_like(zeros),
        mean=zeros,
        mean_linear=matrix,
        mean_square=matrix,
        log_scale=zeros,
        log_scale_linear=matrix,
    )


def pick_group(warp: Warp, group: int) -> Warp:
    """Return the map of one group."""
    here = slice(group, group + 1)
    return map_tensors(lambda values: values[here], warp)
