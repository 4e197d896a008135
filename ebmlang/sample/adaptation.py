"""Warm-up: step size, trajectory length and a diagonal mass for all chains together, then frozen.

The step size follows dual averaging on the acceptance averaged over the chains. Where
something is required, the length of trajectories follows it too, on the share that end where
it holds. The mass is the
inverse variance pooled over chains and draws of a window; windows double in length, and what
was seen before the last one is forgotten. A chain that is not finite counts neither here
nor there.

Sources: Hoffman and Gelman, The No-U-Turn Sampler (2014), section 3.2 and algorithm 4; Stan
Reference Manual, section "HMC algorithm parameters", for the windows.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

TARGET_ACCEPTANCE = 0.9
"""Mean acceptance, apart from what is required, that the step size aims at. At 0.8 one trajectory
in a thousand diverges on the eight schools and on ordered normals, which a verdict must refuse;
at 0.9 none does, for a fifth more gradients."""

TARGET_FEASIBLE = 0.5
"""Least share of trajectories that should end where everything required holds."""

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
    [(75, 100), (100, 150), (150, 250), (250, 450)]
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
