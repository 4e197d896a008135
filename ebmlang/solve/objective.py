"""What a solver minimizes: the energy in a solver's coordinates, with a term per requirement.

The augmented Lagrangian of margins that must be >= 0 (Powell, Hestenes, Rockafellar):

    L(y) = E(x) + sum_i (max(0, lambda_i - rho_i c_i)^2 - lambda_i^2) / (2 rho_i)
    c_i  = scale_i (r_i - slack_i)

with a multiplier `lambda` and a penalty `rho` per requirement and start. Where nothing is
required the sum is empty and L is E.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from ebmlang.passes.gradient.lagrangian import row_path
from ebmlang.runtime import (
    LeastSquares,
    Target,
    differentiate_value,
    is_by_row,
    is_differentiated,
    take_points,
)
from ebmlang.solve.native.machine import Columns, Machine, Machines
from ebmlang.spaces import SolvingChart


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """Value and tangent gradient of an objective at one point per start.

    Attributes:
        value: `inf` where the value or the gradient is not finite.
        gradient: By the solver's coordinates, tangent to spheres and rotations; 0 where the
            value is `inf`.
    """

    value: Float[Tensor, " start"]
    gradient: Float[Tensor, "start dim"]


@runtime_checkable
class Objective(Protocol):
    """A function of a solver's coordinates, one value per start."""

    @property
    def chart(self) -> SolvingChart:
        """The coordinates."""

    def evaluate(self, y: Float[Tensor, "start dim"]) -> Evaluation:
        """Return value and gradient."""

    def take(self, index: Int[Tensor, " kept"]) -> "Objective":
        """Return the same function for some of the starts."""


@runtime_checkable
class SquaredObjective(Objective, Protocol):
    """An objective that is a sum of squares, plus a number per start."""

    def residuals(self, x: Float[Tensor, "start dim"]) -> Float[Tensor, "start residual"]:
        """Return what is squared at packed points, with a forward derivative."""

    def take(self, index: Int[Tensor, " kept"]) -> "SquaredObjective":
        """Return the same function for some of the starts; one may be taken several times."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lagrangian:
    """The energy with its requirements, as an objective.

    Attributes:
        target: The model.
        chart: The solver's coordinates.
        scale: What makes margins comparable: one over their slope.
        slack: What each margin is aimed above zero by [tolerances].
        multipliers: One per start and requirement; >= 0.
        penalty: One per start and requirement; positive.
        machines: The same as machine code, if there is any.
    """

    target: Target
    chart: SolvingChart
    scale: Float[Tensor, "start requirement"]
    slack: Float[Tensor, "start requirement"]
    multipliers: Float[Tensor, "start requirement"]
    penalty: Float[Tensor, "start requirement"]
    machines: Machines | None = None

    @property
    def machine(self) -> Machine | None:
        """The code of this function."""
        return None if self.machines is None else self.machines.lagrangian

    def evaluate(self, y: Float[Tensor, "start dim"]) -> Evaluation:
        """Return value and gradient."""
        if self.machine is not None:
            return _evaluate(self, self.machine, y)
        if is_differentiated(self.target):
            x = written(self.chart, y)
            terms = (self.scale, self.slack, self.multipliers, self.penalty)
            found = (
                self.target.lagrangian_and_gradient(x, *terms)
                if self.multipliers.shape[1]
                else self.target.energy_and_gradient(x)
            )
            if found is not None:
                return pull_back(self.chart, y, *found)
        return differentiate(self.chart, y, self.value)

    def columns(self) -> Columns:
        """Return what machine code reads for each start."""
        return {
            **_list_data(self.target),
            row_path("scale"): self.scale,
            row_path("slack"): self.slack,
            row_path("multipliers"): self.multipliers,
            row_path("penalty"): self.penalty,
        }

    def take(self, index: Int[Tensor, " kept"]) -> "Lagrangian":
        """Return the same function for some of the starts."""
        return replace(
            self,
            target=take_points(self.target, index),
            scale=self.scale[index],
            slack=self.slack[index],
            multipliers=self.multipliers[index],
            penalty=self.penalty[index],
        )

    def value(self, x: Float[Tensor, "start dim"]) -> Float[Tensor, " start"]:
        """Return L at packed points."""
        energy = self.target.energy(x)
        if not self.multipliers.shape[1]:
            return energy
        pressure = self.pressure(self.target.requirements(x))
        paid = pressure.square() - self.multipliers.square()
        return energy + (paid / (2 * self.penalty)).sum(1)

    def residuals(self, x: Float[Tensor, "start dim"]) -> Float[Tensor, "start residual"]:
        """Return what is squared: what a requirement adds is a square too.

        Only for a target that is `LeastSquares`.
        """
        assert isinstance(self.target, LeastSquares)
        own = self.target.residuals(x)
        if not self.multipliers.shape[1]:
            return own
        pressure = self.pressure(self.target.requirements(x))
        return torch.cat([own, pressure / (2 * self.penalty).sqrt()], 1)

    def pressure(self, margins: Float[Tensor, "start requirement"]) -> Tensor:
        """Return `max(0, lambda - rho c)`, the next multipliers."""
        return (self.multipliers - self.penalty * self.gap(margins)).clamp(min=0)

    def gap(self, margins: Float[Tensor, "start requirement"]) -> Tensor:
        """Return `c`: how far margins are above their slack, in their scale."""
        return self.scale * (margins - self.slack)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Violation:
    """Half the squared distance of all margins below an aim: zero where all reach it.

    Attributes:
        target: The model.
        chart: The solver's coordinates.
        scale: What makes margins comparable.
        aim: What each margin is to reach [tolerances].
        machine: The same as machine code, if there is any.
    """

    target: Target
    chart: SolvingChart
    scale: Float[Tensor, "start requirement"]
    aim: Float[Tensor, "start requirement"]
    machine: Machine | None = None

    def evaluate(self, y: Float[Tensor, "start dim"]) -> Evaluation:
        """Return value and gradient."""
        if self.machine is not None:
            return _evaluate(self, self.machine, y)
        if is_differentiated(self.target):
            x = written(self.chart, y)
            found = self.target.violation_and_gradient(x, self.scale, self.aim)
            if found is not None:
                return pull_back(self.chart, y, *found)
        return differentiate(self.chart, y, self._value)

    def columns(self) -> Columns:
        """Return what machine code reads for each start."""
        return {
            **_list_data(self.target),
            row_path("scale"): self.scale,
            row_path("aim"): self.aim,
        }

    def take(self, index: Int[Tensor, " kept"]) -> "Violation":
        """Return the same function for some of the starts."""
        return replace(
            self,
            target=take_points(self.target, index),
            scale=self.scale[index],
            aim=self.aim[index],
        )

    def _value(self, x: Tensor) -> Tensor:
        short = self.scale * (self.aim - self.target.requirements(x))
        return short.clamp(min=0).square().sum(1) / 2


def find_machine(objective: Objective) -> Machine | None:
    """Return the machine code of an objective; None where there is none."""
    return objective.machine if isinstance(objective, Lagrangian | Violation) else None


def differentiate(
    chart: SolvingChart, y: Float[Tensor, "start dim"], value_at: Callable[[Tensor], Tensor]
) -> Evaluation:
    """Evaluate a function of packed points and its gradient by solver's coordinates."""
    return pull_back(chart, y, *differentiate_value(value_at, written(chart, y)))


def written(chart: SolvingChart, y: Float[Tensor, "start dim"]) -> Float[Tensor, "start dim"]:
    """Return packed points, not differentiable."""
    with torch.no_grad():
        return chart.to_written(y)


def pull_back(
    chart: SolvingChart,
    y: Float[Tensor, "start dim"],
    value: Float[Tensor, " start"],
    slope: Float[Tensor, "start dim"],
) -> Evaluation:
    """Return an evaluation in solver's coordinates from a value and its slope at packed points."""
    with torch.no_grad():
        gradient = chart.tangent(y, chart.pull_back(y, slope)[:, None])[:, 0]
        finite = torch.isfinite(value) & torch.isfinite(gradient).all(1)
        return Evaluation(
            value=torch.where(finite, value, torch.inf),
            gradient=torch.where(finite[:, None], gradient, 0),
        )


def _list_data(target: Target) -> Columns:
    """Return the data that each start has of its own."""
    return target.data if is_by_row(target) else {}


def _evaluate(objective: Lagrangian | Violation, machine: Machine, y: Tensor) -> Evaluation:
    value, gradient = machine.evaluate(objective.columns(), y)
    return Evaluation(value=value, gradient=gradient)


def residual(
    chart: SolvingChart, y: Float[Tensor, "start dim"], gradient: Float[Tensor, "start dim"]
) -> Float[Tensor, "start dim"]:
    """Return the projected gradient, `P(y - g) - y`: zero where no feasible direction descends."""
    return (y - gradient).clamp(chart.lower, chart.upper) - y


def choose(
    condition: Bool[Tensor, " start"], yes: Shaped[Tensor, "start ..."], no: Tensor
) -> Shaped[Tensor, "start ..."]:
    """Return `yes` for the starts where the condition holds, else `no`."""
    return torch.where(condition.view(-1, *[1] * (yes.ndim - 1)), yes, no)
