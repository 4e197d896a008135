"""What the chains of one fold tell the next: step size, damping and a diagonal metric.

With positions x and gradients g of a fold, in units of its standard deviations,

    step size = 1/2 / sqrt(lambda(g)),   damping = step size / sqrt(lambda(x))

where lambda is the largest eigenvalue of the second moments, estimated by
`trace(M^2) / trace(M)`: the stiffest direction bounds the step, the longest says for how long a
momentum should persist.

Source: Hoffman and Sountsov, Tuning-Free Generalized Hamiltonian Monte Carlo (2022), section 3.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

STEP_SHARE = 0.5
"""The step size, in units of one over the square root of the stiffest curvature (section 3.1)."""

LARGEST_STEP = 1.0
"""Largest step size, in standard deviations (section 3.1)."""

FOLDS = 4
"""Folds of chains, as in the source."""

FEWEST = 3
"""Healthy chains below which a fold tells nothing and coordinates are taken as near 1."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoldPace:
    """What each fold of chains moves by, learnt from the fold before it.

    Attributes:
        scale: The diagonal of the metric.
        step_size: In its unit.
        damping: Of the momentum over one step.
    """

    scale: Float[Tensor, "fold dim"]
    step_size: Float[Tensor, " fold"]
    damping: Float[Tensor, " fold"]


def learn_pace(
    position: Float[Tensor, "chain dim"],
    gradient: Float[Tensor, "chain dim"],
    healthy: Bool[Tensor, " chain"],
) -> FoldPace:
    """Return what each fold moves by, learnt from the healthy chains of the fold before it."""
    folds = zip(
        position.tensor_split(FOLDS),
        gradient.tensor_split(FOLDS),
        healthy.tensor_split(FOLDS),
        strict=True,
    )
    told = [_tell(x[ok].double(), g[ok].double()) for x, g, ok in folds]
    scale, step_size, damping = (
        torch.stack(part).roll(1, 0).to(position.dtype) for part in zip(*told, strict=True)
    )
    return FoldPace(scale=scale, step_size=step_size, damping=damping)


def _tell(
    x: Float[Tensor, "chain dim"], g: Float[Tensor, "chain dim"]
) -> tuple[Float[Tensor, " dim"], Float[Tensor, ""], Float[Tensor, ""]]:
    if len(x) < FEWEST:
        ones = x.new_ones(x.shape[1])
        return ones, x.new_tensor(STEP_SHARE), x.new_tensor(STEP_SHARE)
    spread = x.std(0)
    scale = torch.where(spread > 0, spread, 1)
    stiffest = estimate_largest(g * scale)
    longest = estimate_largest((x - x.mean(0)) / scale)
    step_size = (STEP_SHARE / stiffest.sqrt()).clamp(max=LARGEST_STEP)
    return scale, step_size, step_size / longest.sqrt()


def estimate_largest(rows: Float[Tensor, "chain dim"]) -> Float[Tensor, ""]:
    """Estimate the largest eigenvalue of the second moments of rows.

    Returns:
        `trace(M^2) / trace(M)`, between the mean eigenvalue weighted by itself and the largest.
    """
    small = rows.T @ rows if rows.shape[1] < len(rows) else rows @ rows.T
    moments = small / len(rows)
    tiny = torch.finfo(rows.dtype).tiny
    return (moments.square().sum() / moments.trace().clamp(min=tiny)).clamp(min=tiny)
