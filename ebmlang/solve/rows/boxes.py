"""Bounds that differ from row to row, folded into the energy.

A chart has one set of bounds for a whole batch. So a coordinate whose bounds come from its row is
searched as `u`, with bounds that all rows share:

| written bounds | `u` lies in | back |
| --- | --- | --- |
| both | [0, 1] | `lower + (upper - lower) * u` |
| from below | [0, inf) | `lower + u` |
| from above | (-inf, 0] | `upper + u` |
| none, or the same for all rows | the written bounds | `u` |

For the chart of a box this is an affine change, so starts, steps and ends are those that the row
alone would have.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ebmlang.runtime import (
    DerivedTarget,
    LeastSquares,
    RowTarget,
    ValueAndGradient,
    evaluate_gradient,
    is_differentiated,
)
from ebmlang.solve.native.machine import BOX_COLUMNS


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowBoxes(DerivedTarget):
    """An energy by row, over coordinates whose bounds all rows share; a `RowTarget`.

    Attributes:
        target: The energy in the written coordinates.
        shift: What is added to `u` after `width` [written unit].
        width: Written units per unit of `u`.
        lower: Bounds that come from the row; `-inf` where there are none [written unit].
        upper: Likewise; `inf` where there are none.
    """

    target: RowTarget
    shift: Float[Tensor, "chain dim"]
    width: Float[Tensor, "chain dim"]
    lower: Float[Tensor, "chain dim"]
    upper: Float[Tensor, "chain dim"]

    @property
    def data(self) -> Mapping[str, Tensor]:
        """The data by row, and the boxes behind it."""
        boxes = (self.shift, self.width, self.lower, self.upper)
        return {**self.target.data, **dict(zip(BOX_COLUMNS, boxes, strict=True))}

    def to_written(self, u: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain dim"]:
        """Return the packed points at shared coordinates; differentiable."""
        x = self.shift + self.width * u
        both = self.lower.isfinite() & self.upper.isfinite()
        met = torch.where(both & (u >= 1), self.upper, x)
        # The value is taken to the bounds exactly; the gradient must still lead inwards.
        met = torch.minimum(torch.maximum(met, self.lower), self.upper)
        return x + (met - x).detach()

    def energy(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, " chain"]:
        """Return the sum of the soft terms [nats]; `require`s are not in it."""
        return self.target.energy(self.to_written(x))

    def requirements(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain requirement"]:
        """Return the margins of everything required, in tolerances."""
        return self.target.requirements(self.to_written(x))

    def energy_and_gradient(self, x: Float[Tensor, "chain dim"]) -> ValueAndGradient:
        """Return the energy and its gradient; not differentiable."""
        value, slope = evaluate_gradient(self.target, self.to_written(x))
        return value, slope * self.width

    def lagrangian_and_gradient(
        self, x: Float[Tensor, "chain dim"], *terms: Float[Tensor, "chain requirement"]
    ) -> ValueAndGradient | None:
        """Return the augmented Lagrangian and its gradient; None where that takes autograd."""
        if not is_differentiated(self.target):
            return None
        found = self.target.lagrangian_and_gradient(self.to_written(x), *terms)
        return None if found is None else (found[0], found[1] * self.width)

    def violation_and_gradient(
        self, x: Float[Tensor, "chain dim"], *terms: Float[Tensor, "chain requirement"]
    ) -> ValueAndGradient | None:
        """Return half the squared violation and its gradient; None where that takes autograd."""
        if not is_differentiated(self.target):
            return None
        found = self.target.violation_and_gradient(self.to_written(x), *terms)
        return None if found is None else (found[0], found[1] * self.width)

    def take(self, index: Int[Tensor, " kept"]) -> "RowBoxes":
        """Return the energy of some of the points, each as often as it is named."""
        return RowBoxes(
            target=self.target.take(index),
            shift=self.shift[index],
            width=self.width[index],
            lower=self.lower[index],
            upper=self.upper[index],
        )


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SquaredBoxes(DerivedTarget):
    """The same where the energy is a sum of squares; a `LeastSquares` and a `RowTarget`.

    Attributes:
        target: Of a target that has residuals.
    """

    target: RowBoxes

    @property
    def data(self) -> Mapping[str, Tensor]:
        """The data by row, and the boxes behind it."""
        return self.target.data

    def energy(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, " chain"]:
        """Return the sum of the soft terms [nats]; `require`s are not in it."""
        return self.target.energy(x)

    def requirements(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain requirement"]:
        """Return the margins of everything required, in tolerances."""
        return self.target.requirements(x)

    def residuals(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain residual"]:
        """Return what is squared [square roots of nats]."""
        inner = self.target.target
        assert isinstance(inner, LeastSquares)
        return inner.residuals(self.target.to_written(x))

    def take(self, index: Int[Tensor, " kept"]) -> "SquaredBoxes":
        """Return the energy of some of the points, each as often as it is named."""
        return SquaredBoxes(target=self.target.take(index))


def build_boxes(
    target: RowTarget, lower: Float[Tensor, "chain dim"], upper: Float[Tensor, "chain dim"]
) -> RowBoxes:
    """Return an energy over coordinates whose bounds all rows share.

    Args:
        target: The energy in the written coordinates.
        lower: Bounds that come from the row; `-inf` where there are none.
        upper: Likewise; `inf` where there are none.
    """
    below, above = lower.isfinite(), upper.isfinite()
    zero = torch.zeros_like(lower)
    return RowBoxes(
        target=target,
        shift=torch.where(below, lower, torch.where(above, upper, zero)),
        width=torch.where(below & above, upper - lower, 1),
        lower=lower,
        upper=upper,
    )
