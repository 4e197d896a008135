"""How much to trust an estimated log partition function.

The error bar comes from islands that are independent of each other; four checks decide between a
number and "unreliable", since islands that all miss the same region agree with each other:

- Pareto k-hat of the weights: above 0.7 their mean is carried by a few;
- the way back: it errs to the other side, so a gap shows that particles lag behind;
- settling: particles that have arrived and go on moving should keep their mean potential;
- scouts: what they find by going downhill should not be far from all particles.

Sources: Vehtari, Simpson, Gelman, Yao and Gabry, Pareto smoothed importance sampling (2024),
section 3; Grosse, Ancha and Roy, Measuring the reliability of MCMC inference with bidirectional
Monte Carlo (2016); Efron and Stein, The jackknife estimate of variance (1981).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

LARGEST_KHAT = 0.7
"""Above it the mean of weights converges too slowly for any practical number of them."""

LARGEST_SPREAD = 1.0
"""Standard deviation of the islands' log partition functions [nats] above which their mean is that
of the luckiest island, and its error is not known."""

LARGEST_SCORE = 4.0
"""Standard errors by which the way back, or the settled particles, may be off: with 16 islands
one estimate in a thousand passes it by chance."""

FEWEST_WEIGHTS = 25
"""Different weights from which on a tail can be fitted: the largest fifth are five, as in PSIS."""

ROUNDING = 1e-9
"""Of log weights [nats]."""

FEWEST_ISLANDS = 4
"""From so few on a spread can be told, if roughly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPartition:
    """An estimated log partition function.

    The base measure is Lebesgue on numbers and on the first coordinates of a simplex, and uniform
    with total 1 on unit vectors and rotations.

    Attributes:
        value: log of the integral of exp(-E) where everything required holds [nats].
        error: One standard error, from the islands [nats].
        khat: Largest Pareto k-hat of the weights.
        reverse_gap: By how much the way back says more [nats].
        reverse_error: One standard error of the gap [nats].
        drift: Change of the mean potential while the particles settled, in its standard errors.
        overlooked: Largest share of the mass that scouts found where no particle is.
        reasons: Why it is not to be trusted; none where it is.
        islands: What each island says by itself [nats].
    """

    value: float
    error: float
    khat: float
    reverse_gap: float
    reverse_error: float
    drift: float
    overlooked: float
    reasons: tuple[str, ...]
    islands: tuple[float, ...]

    @property
    def reliable(self) -> bool:
        """Whether no check speaks against it."""
        return not self.reasons


def judge_partition(
    there: Float[Tensor, " island"],
    back: Float[Tensor, " island"],
    drift: Float[Tensor, " island"],
    log_weights: Sequence[Float[Tensor, "island particle"]],
    overlooked: float,
) -> LogPartition:
    """Combine what the islands say.

    Args:
        there: The log partition function of each, on the way to the target [nats].
        back: On the way back [nats].
        drift: Change of each one's mean potential while it settled [nats].
        log_weights: Of all particles, whenever some were resampled, and at the end.
        overlooked: Largest share of the mass that scouts found where no particle is.

    Returns:
        The estimate with its error and what the checks found.
    """
    value, error = jackknife(_log_mean, there)
    gap, gap_error = jackknife(_find_gap, torch.stack([there, back], 1))
    mean_drift, drift_error = jackknife(lambda part: part.mean(0), drift)
    score = 0.0 if mean_drift == 0 else mean_drift / drift_error
    khat = max(find_khat(weights.flatten()) for weights in log_weights)
    spread = float(there.std(correction=0))
    reasons = []
    if len(there) < FEWEST_ISLANDS:
        reasons.append(
            f"there are {len(there)} islands, and it takes {FEWEST_ISLANDS} for an error"
        )
    if not spread <= LARGEST_SPREAD:
        reasons.append(f"the islands' own values spread by {spread:.2g} nats")
    if khat > LARGEST_KHAT:
        reasons.append(f"a few weights carry the mean: k-hat is {khat:.2f}")
    if not abs(gap) <= LARGEST_SCORE * gap_error:
        reasons.append(f"annealing back says {gap:+.2g} nats, {gap_error:.2g} would be its error")
    if not abs(score) <= LARGEST_SCORE:
        reasons.append(
            f"the particles had not arrived: going on changes their mean energy by "
            f"{mean_drift:+.2g} nats"
        )
    if overlooked > 0:
        reasons.append(
            f"a region that holds about {overlooked:.0%} of the mass is far from all particles"
        )
    return LogPartition(
        value=value,
        error=error,
        khat=khat,
        reverse_gap=gap,
        reverse_error=gap_error,
        drift=score,
        overlooked=overlooked,
        reasons=tuple(reasons),
        islands=tuple(there.tolist()),
    )


def jackknife(
    statistic: Callable[[Tensor], Tensor], islands: Float[Tensor, "island ..."]
) -> tuple[float, float]:
    """Return a statistic of independent islands without its bias of first order, and its error.

    The error is that of a t variate: with so few islands the spread itself is uncertain, and an
    error that were the normal one would be passed too often. It is infinite of fewer than
    `FEWEST_ISLANDS`.
    """
    count = len(islands)
    whole = statistic(islands)
    if count < FEWEST_ISLANDS:
        return float(whole), math.inf
    rows = torch.arange(count, device=islands.device)
    without = torch.stack([statistic(islands[rows != left_out]) for left_out in range(count)])
    value = count * whole - (count - 1) * without.mean()
    variance = (count - 1) / count * (without - without.mean()).square().sum()
    widened = variance.sqrt() * math.sqrt((count - 1) / (count - 3))
    return float(value), float(widened)


def find_khat(log_weights: Float[Tensor, " chain"]) -> float:
    """Return the shape of a generalised Pareto law fitted to the largest weights.

    It is minus infinity where the weights are equal, or so few that they have no tail.
    """
    from arviz_stats.base.array import array_stats

    # Particles that a resampling made alike would be ties, which the fit cannot have.
    values = np.unique(log_weights[torch.isfinite(log_weights)].double().cpu().numpy())
    if len(values) < FEWEST_WEIGHTS or values[-1] - values[0] < ROUNDING:
        return -math.inf
    # The function takes log ratios with the sign of a log likelihood.
    found = array_stats.psislw(-values)  # type: ignore[no-untyped-call]  # it gives no types
    return float(found[1])


def _log_mean(islands: Float[Tensor, " island"]) -> Float[Tensor, ""]:
    return torch.logsumexp(islands, 0) - math.log(len(islands))


def _find_gap(both: Float[Tensor, "island way"]) -> Float[Tensor, ""]:
    there, back = both.unbind(1)
    return -_log_mean(-back) - _log_mean(there)
