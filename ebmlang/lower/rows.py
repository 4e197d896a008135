"""The energy of many problems at once: one spec, and a row of data for each point of a batch.

Data that has a value per row is an array with the batch in front, handed to emitted code beside
what all rows share. A solver that drops some points of a batch takes their rows along.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ebmlang.lower.gradient import Derive, Question
from ebmlang.runtime import ValueAndGradient, differentiate_value


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowEnergy:
    """An energy bound to shared data and weights, and to a row of data for each point.

    A `RowTarget` of the runtime.

    Attributes:
        dim: The length of a packed point.
        dtype: The dtype of points and values.
        device: Where points and values live.
        prepared: What emitted code has computed from shared data and weights.
        columns: The data by row, each `[chain, ...]`.
        total, required, reported: Emitted functions. Any: `prepared`, as they index it.
        derive: Values with gradients.
    """

    dim: int
    dtype: torch.dtype
    device: torch.device
    prepared: tuple[Tensor, ...]
    columns: tuple[Tensor, ...]
    total: Callable[[Tensor, Any], Tensor]
    required: Callable[[Tensor, Any], Tensor]
    reported: Callable[[Tensor, Any], tuple[Tensor, ...]]
    derive: Derive

    def energy(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, " chain"]:
        """Return the sum of the soft terms [nats]; `require`s are not in it."""
        return self.total(x, (*self.prepared, *self.columns))

    def requirements(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain requirement"]:
        """Return the margins of everything required, in tolerances."""
        return self.required(x, (*self.prepared, *self.columns))

    def energy_and_gradient(self, x: Float[Tensor, "chain dim"]) -> ValueAndGradient:
        """Return the energy and its gradient; not differentiable."""
        slopes = self.derive(Question.ENERGY)
        return differentiate_value(self.energy, x) if slopes is None else slopes(x, *self.columns)

    def lagrangian_and_gradient(
        self, x: Float[Tensor, "chain dim"], *terms: Float[Tensor, "chain requirement"]
    ) -> ValueAndGradient | None:
        """Return the augmented Lagrangian and its gradient; None where that takes autograd."""
        slopes = self.derive(Question.LAGRANGIAN)
        return None if slopes is None else slopes(x, *self.columns, *terms)

    def violation_and_gradient(
        self, x: Float[Tensor, "chain dim"], *terms: Float[Tensor, "chain requirement"]
    ) -> ValueAndGradient | None:
        """Return half the squared violation and its gradient; None where that takes autograd."""
        slopes = self.derive(Question.VIOLATION)
        return None if slopes is None else slopes(x, *self.columns, *terms)

    def reports(self, x: Float[Tensor, "chain dim"]) -> tuple[Float[Tensor, "chain ..."], ...]:
        """Return the derived quantities that the spec asks for, in its order."""
        return self.reported(x, (*self.prepared, *self.columns))

    def take(self, index: Int[Tensor, " kept"]) -> "RowEnergy":
        """Return the energy of some of the points, each as often as it is named."""
        return replace(self, columns=tuple(column[index] for column in self.columns))
