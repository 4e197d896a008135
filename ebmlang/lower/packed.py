"""The energy as solvers and samplers see it: over packed points."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.lower.gradient import Derive, Question
from ebmlang.lower.native.bound import Code
from ebmlang.runtime import EnergyText, ValueAndGradient, differentiate_value


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PackedEnergy:
    """An energy bound to data and weights; a `Target` of the runtime.

    Attributes:
        dim: The length of a packed point.
        dtype: The dtype of points and values.
        device: Where points and values live.
        prepared: What emitted code has computed from data and weights.
        total, required: Emitted functions. Any: `prepared`, as they index it.
        derive: Values with gradients.
        write: The energy as C text.
        code: The same as C.
    """

    dim: int
    dtype: torch.dtype
    device: torch.device
    prepared: tuple[Tensor, ...]
    total: Callable[[Tensor, Any], Tensor]
    required: Callable[[Tensor, Any], Tensor]
    derive: Derive
    write: Callable[[int], EnergyText | None]
    code: Code

    def energy(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, " chain"]:
        """Return the sum of the soft terms [nats]; `require`s are not in it."""
        return self.total(x, self.prepared)

    def requirements(self, x: Float[Tensor, "chain dim"]) -> Float[Tensor, "chain requirement"]:
        """Return the margins of everything required, in tolerances."""
        return self.required(x, self.prepared)

    def energy_and_gradient(self, x: Float[Tensor, "chain dim"]) -> ValueAndGradient:
        """Return the energy and its gradient; not differentiable."""
        slopes = self.derive(Question.ENERGY)
        return differentiate_value(self.energy, x) if slopes is None else slopes(x)

    def lagrangian_and_gradient(
        self, x: Float[Tensor, "chain dim"], *terms: Float[Tensor, "chain requirement"]
    ) -> ValueAndGradient | None:
        """Return the augmented Lagrangian and its gradient; None where that takes autograd.

        Args:
            x: Packed points.
            terms: Of each requirement scale, slack, multiplier and penalty.
        """
        slopes = self.derive(Question.LAGRANGIAN)
        return None if slopes is None else slopes(x, *terms)

    def violation_and_gradient(
        self, x: Float[Tensor, "chain dim"], *terms: Float[Tensor, "chain requirement"]
    ) -> ValueAndGradient | None:
        """Return half the squared violation and its gradient; None where that takes autograd.

        Args:
            x: Packed points.
            terms: Of each requirement scale and aim.
        """
        slopes = self.derive(Question.VIOLATION)
        return None if slopes is None else slopes(x, *terms)

    def write_text(self, blocks: int = 1) -> EnergyText | None:
        """Return the energy as C text; None where something in it has no such form.

        Args:
            blocks: For how many blocks of chains its function is.
        """
        return self.write(blocks)
