"""What a sampler moves on: minus the log density in a sampler's coordinates.

    U(q) = E(x(q)) - log |dx / dq|

The energy and the log-determinant are kept apart: the reported energy has no Jacobian in it,
and differences of each are taken before they are added, so that a large constant in the
energy costs no digits.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ebmlang.runtime import Target
from ebmlang.spaces import SamplingChart


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """The density at one point per chain.

    Attributes:
        point: The packed point in the written coordinates.
        energy: There, without Jacobian [nats].
        log_jacobian: Of the map from a sampler's coordinates to the written ones [nats].
        gradient: Of `energy - log_jacobian`, by a sampler's coordinates.
    """

    point: Float[Tensor, "chain packed"]
    energy: Float[Tensor, " chain"]
    log_jacobian: Float[Tensor, " chain"]
    gradient: Float[Tensor, "chain dim"]

    @property
    def finite(self) -> Bool[Tensor, " chain"]:
        """Where energy, Jacobian and gradient are all finite."""
        values = torch.isfinite(self.energy) & torch.isfinite(self.log_jacobian)
        return values & torch.isfinite(self.gradient).all(1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Density:
    """A target seen through a chart."""

    target: Target
    chart: SamplingChart

    def evaluate(self, q: Float[Tensor, "chain dim"]) -> Evaluation:
        """Return energy, log-determinant and gradient."""
        with torch.enable_grad():
            leaf = q.detach().requires_grad_()
            x, log_jacobian = self.chart.to_written(leaf)
            energy = self.target.energy(x)
            total = (energy - log_jacobian).sum()
            gradient = (
                torch.autograd.grad(total, leaf, allow_unused=True)[0]
                if total.requires_grad
                else None
            )
        return Evaluation(
            point=x.detach(),
            energy=energy.detach(),
            log_jacobian=log_jacobian.detach(),
            gradient=torch.zeros_like(q) if gradient is None else gradient,
        )

    def is_feasible(self, evaluation: Evaluation) -> Bool[Tensor, " chain"]:
        """Whether everything required holds, exactly; a margin that is not a number does not."""
        with torch.no_grad():
            return (self.target.requirements(evaluation.point) >= 0).all(1)
