"""Reflective HMC with a diagonal metric learnt in windows: for what is required."""

from jaxtyping import Float
from torch import Tensor

from ebmlang.sample.kernels.reflection import Reflective
from ebmlang.sample.metric import Metric
from ebmlang.sample.samplers.hmc import TARGET_ACCEPTANCE
from ebmlang.sample.samplers.windowed import Windowed, count_steps


def _build(step_size: Float[Tensor, ""], metric: Metric, length: float) -> Reflective:
    return Reflective(step_size=step_size, metric=metric, most_steps=count_steps(step_size, length))


def build_reflection() -> Windowed:
    """Return the sampler."""
    return Windowed(name="reflection", build=_build, target=TARGET_ACCEPTANCE)
