"""Slice sampling with a width and a diagonal metric learnt in windows: gradients have no say."""

from jaxtyping import Float
from torch import Tensor

from ebmlang.sample.kernels.slice import Slice
from ebmlang.sample.metric import Metric
from ebmlang.sample.samplers.windowed import Windowed

TARGET_ACCEPTANCE = 0.7
"""One over the number of points tried in a bracket, on average, at which the width aims: about
three standard deviations. On standard normals of 1 to 50 dimensions the squared jump per evaluation
is 0.39 at a width of 2, 0.42 at 3, 0.43 at 4 and 0.40 at 10, so little hangs on it."""


def _build(width: Float[Tensor, ""], metric: Metric, length: float) -> Slice:
    del length  # There is no trajectory.
    return _probe(width, metric)


def _probe(width: Float[Tensor, ""], metric: Metric) -> Slice:
    return Slice(width=width, metric=metric)


def build_slice() -> Windowed:
    """Return the sampler."""
    return Windowed(name="slice", build=_build, target=TARGET_ACCEPTANCE, probe=_probe)
