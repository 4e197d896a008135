"""NUTS with a metric learnt in windows: for few chains, and no length to choose."""

from jaxtyping import Float
from torch import Tensor

from ebmlang.sample.kernels.nuts import MOST_DOUBLINGS, Nuts
from ebmlang.sample.metric import Metric
from ebmlang.sample.samplers.windowed import LONGEST, Windowed, count_steps

TARGET_ACCEPTANCE = 0.8
"""Mean acceptance over the points of a trajectory that the step size aims at, as in Stan."""


def _build(step_size: Float[Tensor, ""], metric: Metric, length: float) -> Nuts:
    return Nuts(step_size=step_size, metric=metric, most_doublings=_doublings(step_size, length))


def _doublings(step_size: Float[Tensor, ""], length: float) -> int:
    """Return how often to double at most: fewer times where what is required is soon left."""
    if length >= LONGEST:
        return MOST_DOUBLINGS
    return min(MOST_DOUBLINGS, count_steps(step_size, length).bit_length())


def build_nuts() -> Windowed:
    """Return the sampler."""
    return Windowed(
        name="nuts", build=_build, target=TARGET_ACCEPTANCE, reads_gradients=True, turns=True
    )
