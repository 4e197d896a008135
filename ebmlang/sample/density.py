"""What a sampler moves on: minus the log density in a sampler's coordinates, its *potential*.

    U(q) = E(x(q)) - log |dx / dq|                                   plain
    U(q) = beta (E(x(q)) - log |dx / dq|) + (1 - beta) R(q)          tempered

The energy and the log-determinant are kept apart: the reported energy has no Jacobian in it,
and differences of each are taken before they are added, so that a large constant in the
energy costs no digits. R is minus the log of a reference density whose integral is 1.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, final, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ebmlang.runtime import Target, evaluate_gradient, make_leaf
from ebmlang.spaces import SamplingChart, share_full

if TYPE_CHECKING:
    from ebmlang.sample.native.machine import Machine


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """The density at one point per chain.

    Attributes:
        point: The packed point in the written coordinates.
        energy: There, as written: neither tempered nor with a Jacobian [nats].
        log_jacobian: Of the map from a sampler's coordinates to the written ones [nats].
        reference: R of a tempered density, 0 of a plain one [nats].
        gradient: Of the potential, by a sampler's coordinates.
    """

    point: Float[Tensor, "chain packed"]
    energy: Float[Tensor, " chain"]
    log_jacobian: Float[Tensor, " chain"]
    reference: Float[Tensor, " chain"]
    gradient: Float[Tensor, "chain dim"]

    @property
    def finite(self) -> Bool[Tensor, " chain"]:
        """Where all of it is finite."""
        values = torch.isfinite(self.energy) & torch.isfinite(self.log_jacobian)
        return values & torch.isfinite(self.reference) & torch.isfinite(self.gradient).all(1)


@runtime_checkable
class Density(Protocol):
    """A potential over a sampler's coordinates, and what must hold."""

    @property
    def chart(self) -> SamplingChart:
        """A sampler's coordinates."""

    @property
    def target(self) -> Target:
        """The energy behind it, in the written coordinates."""

    @property
    def is_restricted(self) -> bool:
        """Whether something may be required."""

    def evaluate(self, q: Float[Tensor, "chain dim"]) -> Evaluation:
        """Return energy, log-determinant and gradient."""

    def potential(self, evaluation: Evaluation) -> Float[Tensor, " chain"]:
        """Return U as a number of its own, in float64; for differences there is `gain`."""

    def gain(self, before: Evaluation, after: Evaluation) -> Float[Tensor, " chain"]:
        """Return the rise of the potential in float64, each difference taken by itself."""

    def is_feasible(self, evaluation: Evaluation) -> Bool[Tensor, " chain"]:
        """Whether everything required holds, exactly; a margin that is not a number does not."""

    def steepest_margin(
        self, q: Float[Tensor, "chain dim"]
    ) -> tuple[Float[Tensor, " chain"], Float[Tensor, "chain dim"]]:
        """Return the smallest margin of what is required, and its gradient."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TargetDensity:
    """A target seen through a chart.

    Attributes:
        target: The energy, whose gradient moves the chains.
        chart: A sampler's coordinates.
        exact: The same density in float64 where the target is in less: its values are what is
            compared, so that acceptance is as exact as in float64; None where they are the same.
        machine: The same in machine code, with loops around it for kernels that have a form as
            data; None where all is done in torch.
        is_restricted: Whether something may be required; where nothing is, no step asks for it.
    """

    target: Target
    chart: SamplingChart
    exact: "TargetDensity | None" = None
    machine: "Machine | None" = None
    is_restricted: bool = True

    def evaluate(self, q: Float[Tensor, "chain dim"]) -> Evaluation:
        """Return energy, log-determinant and gradient."""
        at = q.detach() if q.requires_grad else q
        if self.machine is not None:
            return self.machine.evaluate(at, self.target.dim)
        x, log_jacobian = self.chart.to_written(at)
        energy, slope = evaluate_gradient(self.target, x)
        gradient = self.chart.pull_back(at, slope)
        if self.exact is not None:
            energy, log_jacobian = self.exact.values(at.double())
        return Evaluation(
            point=x,
            energy=energy,
            log_jacobian=log_jacobian,
            reference=share_full(energy.shape[0], 0, energy.dtype, energy.device),
            gradient=gradient,
        )

    def values(
        self, q: Float[Tensor, "chain dim"]
    ) -> tuple[Float[Tensor, " chain"], Float[Tensor, " chain"]]:
        """Return energy and log-determinant."""
        with torch.no_grad():
            x, log_jacobian = self.chart.to_written(q)
            return self.target.energy(x), log_jacobian

    def potential(self, evaluation: Evaluation) -> Float[Tensor, " chain"]:
        """Return U as a number of its own, in float64."""
        return evaluation.energy.double() - evaluation.log_jacobian

    def gain(self, before: Evaluation, after: Evaluation) -> Float[Tensor, " chain"]:
        """Return the rise of the potential in float64, each difference taken by itself."""
        energy = after.energy.double() - before.energy
        if after.log_jacobian is before.log_jacobian:
            return energy
        return energy - (after.log_jacobian.double() - before.log_jacobian.double())

    def is_feasible(self, evaluation: Evaluation) -> Bool[Tensor, " chain"]:
        """Whether everything required holds, exactly; a margin that is not a number does not."""
        with torch.no_grad():
            return (self.target.requirements(evaluation.point) >= 0).all(1)

    def steepest_margin(
        self, q: Float[Tensor, "chain dim"]
    ) -> tuple[Float[Tensor, " chain"], Float[Tensor, "chain dim"]]:
        """Return the smallest margin of what is required, and its gradient.

        Where nothing is required the margin is `inf`.
        """
        with torch.inference_mode(False), torch.enable_grad():
            leaf = make_leaf(q)
            margins = self.target.requirements(self.chart.to_written(leaf)[0])
            if margins.shape[1] == 0:
                return q.new_full((len(q),), torch.inf), torch.zeros_like(q)
            smallest = margins.amin(1)
            gradient = _differentiate(margins.min(1).values.sum(), leaf)
        return smallest.detach(), gradient


Reference = Callable[
    [Float[Tensor, "chain dim"]], tuple[Float[Tensor, " chain"], Float[Tensor, "chain dim"]]
]
"""R and its gradient: minus the log of a density of integral 1 over a sampler's coordinates."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TemperedDensity:
    """A density on the way from a reference to the target.

    Attributes:
        plain: The target's.
        reference: Where it comes from.
        inverse_temperature: beta of each chain: 0 is the reference, 1 the target.
    """

    plain: TargetDensity
    reference: Reference
    inverse_temperature: Float[Tensor, " chain"]

    @property
    def chart(self) -> SamplingChart:
        """A sampler's coordinates."""
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
        """Return energy, log-determinant and the gradient of the tempered potential."""
        plain = self.plain.evaluate(q)
        reference, slope = self.reference(q)
        beta = self.inverse_temperature[:, None]
        return replace(
            plain, reference=reference, gradient=beta * plain.gradient + (1 - beta) * slope
        )

    def potential(self, evaluation: Evaluation) -> Float[Tensor, " chain"]:
        """Return the tempered potential in float64."""
        beta = self.inverse_temperature.double()
        plain = self.plain.potential(evaluation)
        return beta * plain + (1 - beta) * evaluation.reference.double()

    def gain(self, before: Evaluation, after: Evaluation) -> Float[Tensor, " chain"]:
        """Return the rise of the tempered potential in float64."""
        beta = self.inverse_temperature.double()
        rise = after.reference.double() - before.reference.double()
        return beta * self.plain.gain(before, after) + (1 - beta) * rise

    def is_feasible(self, evaluation: Evaluation) -> Bool[Tensor, " chain"]:
        """Whether everything required holds: it does not soften with temperature."""
        return self.plain.is_feasible(evaluation)

    def steepest_margin(
        self, q: Float[Tensor, "chain dim"]
    ) -> tuple[Float[Tensor, " chain"], Float[Tensor, "chain dim"]]:
        """Return the smallest margin of what is required, and its gradient."""
        return self.plain.steepest_margin(q)


def _differentiate(total: Tensor, leaf: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain dim"]:
    """Return the gradient by the leaf; zeros where nothing depends on it."""
    if not total.requires_grad:
        return torch.zeros_like(leaf)
    found = torch.autograd.grad(total, leaf, allow_unused=True)[0]
    return torch.zeros_like(leaf) if found is None else found
