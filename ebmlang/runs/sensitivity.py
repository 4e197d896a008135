"""How the lowest energy moves with what a spec is given: its data, weights, bounds and margins."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sensitivity:
    """Derivatives of the lowest energy, to first order, at one design.

    Attributes:
        givens: By each real input [nats per unit of it].
        weights: By each weight [nats per unit of weight].
        lower: By each bound from below of a variable that has one [nats per unit of it].
        upper: By each bound from above.
        requirements: By how much each requirement asks for, at the one of its elements that holds
            most [nats per tolerance]: asking for one tolerance less saves about so much. 0 where
            nothing would be saved.
        leftover: How far the design is from being at rest, as a share of the slope; the
            derivatives are as accurate as this is small.
        reliable: Whether it is at rest, and only one way of writing what holds it: else a
            derivative may be wrong, or depend on the direction of the change.
    """

    givens: Mapping[str, NDArray[np.float64]]
    weights: Mapping[str, float]
    lower: Mapping[str, NDArray[np.float64]]
    upper: Mapping[str, NDArray[np.float64]]
    requirements: Mapping[str, float]
    leftover: float
    reliable: bool

    def describe(self) -> dict[str, Any]:
        """Return the whole as a dictionary, for JSON. Any: arrays and numbers."""
        return {
            "givens": dict(self.givens),
            "weights": dict(self.weights),
            "lower": dict(self.lower),
            "upper": dict(self.upper),
            "requirements": dict(self.requirements),
            "leftover": self.leftover,
            "reliable": self.reliable,
        }
