"""Warm-up: a step size and a diagonal mass for all chains together, then frozen.

The step size follows dual averaging on the acceptance averaged over the chains. The mass is the
inverse variance pooled over chains and draws of a window; windows double in length, and what
was seen before the last one is forgotten. A chain that is not finite counts neither here
nor there.

Sources: Hoffman and Gelman, The No-U-Turn Sampler (2014), section 3.2 and algorithm 4; Stan
Reference Manual, section "HMC algorithm parameters", for the windows.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

TARGET_ACCEPTANCE = 0.8
"""Mean acceptance that the step size aims at."""

SHRINKAGE, DELAY, FORGETTING = 0.05, 10.0, 0.75
"""The constants gamma, t0 and kappa of dual averaging, as in the source."""

FIRST_SHARE, LAST_SHARE = 0.15, 0.1
"""Shares of the warm-up before the first and after the last window, where only the step size
adapts; Stan's 75 and 50 of 1000, the first doubled since starts may be far out."""

FIRST_WINDOW = 25
"""Iterations of the first window; each later one is twice as long."""

PRIOR_DRAWS, PRIOR_VARIANCE = 5.0, 1e-3
"""A window's variance is averaged with so many draws of this variance, as in Stan."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepAdaptation:
    """Dual averaging of the log step size.

    Attributes:
        count: Iterations so far.
        center: What the log step size is drawn to.
        error: Running mean of target minus acceptance.
        log_step: The step size to use next, as its logarithm.
        log_mean: The averaged one, to freeze.
    """

    count: Float[Tensor, ""]
    center: Float[Tensor, ""]
    error: Float[Tensor, ""]
    log_step: Float[Tensor, ""]
    log_mean: Float[Tensor, ""]


def init_step(step_size: Float[Tensor, ""]) -> StepAdaptation:
    """Begin at a step size, with a pull towards ten times as much."""
    log_step = step_size.double().log()
    zero = torch.zeros_like(log_step)
    return StepAdaptation(
        count=zero,
        center=log_step + torch.log(zero + 10),
        error=zero,
        log_step=log_step,
        log_mean=log_step,
    )


def update_step(state: StepAdaptation, acceptance: Float[Tensor, ""]) -> StepAdaptation:
    """Learn from the mean acceptance of one iteration."""
    count = state.count + 1
    share = 1 / (count + DELAY)
    error = (1 - share) * state.error + share * (TARGET_ACCEPTANCE - acceptance.double())
    log_step = state.center - count.sqrt() / SHRINKAGE * error
    weight = count**-FORGETTING
    return StepAdaptation(
        count=count,
        center=state.center,
        error=error,
        log_step=log_step,
        log_mean=weight * log_step + (1 - weight) * state.log_mean,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MassAdaptation:
    """Moments of the positions of one window, pooled over chains, in float64.

    Attributes:
        count: Draws so far.
        mean: Their mean.
        squares: Their squared distances from it, summed.
    """

    count: Float[Tensor, ""]
    mean: Float[Tensor, " dim"]
    squares: Float[Tensor, " dim"]


def init_mass(position: Float[Tensor, "chain dim"]) -> MassAdaptation:
    """Begin an empty window."""
    zeros = torch.zeros_like(position[0], dtype=torch.float64)
    return MassAdaptation(count=zeros.sum(), mean=zeros, squares=zeros)


def update_mass(
    state: MassAdaptation, position: Float[Tensor, "chain dim"], healthy: Bool[Tensor, " chain"]
) -> MassAdaptation:
    """Add the healthy chains' positions.

    Source: Chan, Golub and LeVeque (1979), equation 2.1, for merging two sets of moments.
    """
    chosen = torch.where(healthy[:, None], position.double(), 0)
    added = healthy.sum().double()
    total = (state.count + added).clamp(min=1)
    mean = chosen.sum(0) / added.clamp(min=1)
    squares = torch.where(healthy[:, None], (chosen - mean).square(), 0).sum(0)
    shift = mean - state.mean
    return MassAdaptation(
        count=state.count + added,
        mean=state.mean + shift * added / total,
        squares=state.squares + squares + shift.square() * state.count * added / total,
    )


def estimate_variance(state: MassAdaptation) -> Float[Tensor, " dim"]:
    """Return the window's variance, drawn a little to `PRIOR_VARIANCE`."""
    variance = state.squares / (state.count - 1).clamp(min=1)
    share = state.count / (state.count + PRIOR_DRAWS)
    return share * variance + (1 - share) * PRIOR_VARIANCE


def plan_windows(warmup: int) -> tuple[range, ...]:
    """Return the iterations of each window of a warm-up; what is left over joins the last.

    >>> [(w.start, w.stop) for w in plan_windows(500)]
    [(75, 100), (100, 150), (150, 450)]
    """
    start, end = round(FIRST_SHARE * warmup), warmup - round(LAST_SHARE * warmup)
    windows = []
    length = FIRST_WINDOW
    while start + length <= end:
        # A window after which the next, twice as long, would not fit takes all that is left.
        stop = start + length if start + 3 * length <= end else end
        windows.append(range(start, stop))
        start, length = stop, 2 * length
    return tuple(windows)
