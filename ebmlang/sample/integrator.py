"""The Hamiltonian flow in whitened momenta, by leapfrog: reversible, and volume is kept.

Sources: Neal, MCMC using Hamiltonian dynamics (2011), section 2.3; Byrne and Girolami, Geodesic
Monte Carlo on Embedded Manifolds (2013), algorithm 1.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ebmlang.sample.density import Density, Evaluation
from ebmlang.sample.metric import Metric

DIVERGENCE = 1000.0
"""Gain of total energy [nats] from which on a trajectory has diverged, as in Stan: acceptance is
below exp(-1000), so the integrator has left the flow, not the typical set."""


def leapfrog(
    density: Density,
    position: Float[Tensor, "chain dim"],
    momentum: Float[Tensor, "chain dim"],
    evaluation: Evaluation,
    step_size: Float[Tensor, "chain 1"],
    metric: Metric,
    count: int,
) -> tuple[Float[Tensor, "chain dim"], Float[Tensor, "chain dim"], Evaluation]:
    """Take leapfrog steps.

    Args:
        density: Whose flow it is.
        position: Where to start.
        momentum: Whitened, tangent there.
        evaluation: The density there.
        step_size: Of each chain; negative ones go back in time.
        metric: Of the momenta.
        count: Steps; each costs one gradient.

    Returns:
        The end, the momentum there, and the density there.
    """
    chart = density.chart
    half = step_size / 2
    momentum = chart.tangent(position, momentum - half * metric.gather(evaluation.gradient))
    for remaining in reversed(range(count)):
        position, momentum = metric.drift(chart, position, momentum, step_size)
        evaluation = density.evaluate(position)
        kick = step_size if remaining else half
        momentum = chart.tangent(position, momentum - kick * metric.gather(evaluation.gradient))
    return position, momentum, evaluation


def kinetic(momentum: Float[Tensor, "chain dim"]) -> Float[Tensor, " chain"]:
    """Return |z|^2 / 2 in float64."""
    return momentum.double().square().sum(1) / 2


def faithfulness(
    gain: Float[Tensor, " chain"],
    position: Float[Tensor, "chain dim"],
    evaluation: Evaluation,
) -> tuple[Float[Tensor, " chain"], Bool[Tensor, " chain"]]:
    """Return min(1, exp(-gain)), 0 where anything is not finite; and whether it is finite.

    Args:
        gain: Of total energy along a trajectory, in float64.
        position: Its end.
        evaluation: The density there.
    """
    finite = evaluation.finite & torch.isfinite(gain) & torch.isfinite(position).all(1)
    return torch.where(finite, (-gain).clamp(max=0).exp(), 0), finite
