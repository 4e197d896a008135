"""Langevin moves with a step size and a diagonal metric learnt in windows.

The adjusted sampler is exact. The unadjusted one is biased, and nothing picks it but a user.
"""

from jaxtyping import Float
from torch import Tensor

from ebmlang.sample.kernels.langevin import AdjustedLangevin, UnadjustedLangevin
from ebmlang.sample.metric import Metric
from ebmlang.sample.samplers.windowed import Windowed

TARGET_ACCEPTANCE = 0.574
"""Mean acceptance at which adjusted Langevin moves fastest in many dimensions.

Source: Roberts and Rosenthal, Optimal scaling of discrete approximations to Langevin diffusions
(1998), theorem 2.
"""

TARGET_FAITHFUL = 0.98
"""Acceptance that the correction of unadjusted moves would have, at which the step size aims. The
rest is bias: on a standard normal the step h is then 0.6 in one dimension, and the variance,
1 / (1 - h^2 / 4), is a tenth too large."""


def _build_adjusted(
    step_size: Float[Tensor, ""], metric: Metric, length: float
) -> AdjustedLangevin:
    del length  # One step is all of a trajectory.
    return AdjustedLangevin(step_size=step_size, metric=metric)


def _build_unadjusted(
    step_size: Float[Tensor, ""], metric: Metric, length: float
) -> UnadjustedLangevin:
    del length
    return UnadjustedLangevin(step_size=step_size, metric=metric)


def build_langevin() -> Windowed:
    """Return the adjusted sampler."""
    return Windowed(name="langevin", build=_build_adjusted, target=TARGET_ACCEPTANCE)


def build_unadjusted_langevin() -> Windowed:
    """Return the unadjusted sampler: biased."""
    return Windowed(name="unadjusted-langevin", build=_build_unadjusted, target=TARGET_FAITHFUL)
