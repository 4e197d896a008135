"""Dual averaging: a step size, or a length, that follows an acceptance.

Source: Hoffman and Gelman, The No-U-Turn Sampler (2014), section 3.2.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

SHRINKAGE, DELAY, FORGETTING = 0.05, 10.0, 0.75
"""The constants gamma, t0 and kappa of dual averaging, as in the source."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LogAverage:
    """Dual averaging of the logarithm of a step size or a length.

    Attributes:
        count: Iterations so far.
        center: What it is drawn to.
        error: Running mean of the target minus what was seen.
        log_next: What to use next.
        log_mean: The averaged one, to freeze.
        log_largest: What neither passes: where every step is accepted, as on a uniform sphere,
            nothing else would end the growth.
    """

    count: Float[Tensor, ""]
    center: Float[Tensor, ""]
    error: Float[Tensor, ""]
    log_next: Float[Tensor, ""]
    log_mean: Float[Tensor, ""]
    log_largest: float


def init_average(value: Float[Tensor, ""], largest: float) -> LogAverage:
    """Begin at a value, with a pull towards ten times as much."""
    log_value = value.double().log()
    return LogAverage(
        count=torch.zeros_like(log_value),
        center=log_value + math.log(10),
        error=torch.zeros_like(log_value),
        log_next=log_value,
        log_mean=log_value,
        log_largest=math.log(largest),
    )


def update_average(state: LogAverage, seen: Float[Tensor, ""], target: float) -> LogAverage:
    """Learn from one iteration: less where less was seen than the target, more where more."""
    count = state.count + 1
    share = 1 / (count + DELAY)
    error = (1 - share) * state.error + share * (target - seen.double())
    log_next = state.center - count.sqrt() / SHRINKAGE * error
    log_next = log_next.clamp(max=state.log_largest)
    weight = count**-FORGETTING
    return LogAverage(
        count=count,
        center=state.center,
        error=error,
        log_next=log_next,
        log_mean=weight * log_next + (1 - weight) * state.log_mean,
        log_largest=state.log_largest,
    )
