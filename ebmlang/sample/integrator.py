"""The Hamiltonian flow in whitened momenta, by leapfrog: reversible, and volume is kept.

Sources: Neal, MCMC using Hamiltonian dynamics (2011), section 2.3; Byrne and Girolami, Geodesic
Monte Carlo on Embedded Manifolds (2013), algorithm 1.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.sample.density import Density, Evaluation
from ebmlang.sample.metric import Metric, Pace
from ebmlang.spaces import share_full, share_number

DIVERGENCE = 1000.0
"""Gain of total energy [nats] from which on a trajectory has diverged, as in Stan: acceptance is
below exp(-1000), so the integrator has left the flow, not the typical set."""


def leapfrog(
    density: Density,
    position: Float[Tensor, "chain dim"],
    momentum: Float[Tensor, "chain dim"],
    evaluation: Evaluation,
    step_size: Float[Tensor, "#chain 1"],
    metric: Metric,
    count: int,
) -> tuple[Float[Tensor, "chain dim"], Float[Tensor, "chain dim"], Evaluation]:
    """Take leapfrog steps.

    Args:
        density: Whose flow it is.
        position: Where to start.
        momentum: Whitened, tangent there.
        evaluation: The density there.
        step_size: Of each chain, or of all; negative ones go back in time.
        metric: Of the momenta.
        count: Steps; each costs one gradient.

    Returns:
        The end, the momentum there, and the density there.
    """
    pace = metric.paced(step_size, position.shape[0])
    return keep_pace(density, position, momentum, evaluation, pace, count)


def keep_pace(
    density: Density,
    position: Float[Tensor, "chain dim"],
    momentum: Float[Tensor, "chain dim"],
    evaluation: Evaluation,
    pace: Pace,
    count: int,
) -> tuple[Float[Tensor, "chain dim"], Float[Tensor, "chain dim"], Evaluation]:
    """Take leapfrog steps whose length in the metric is known: `leapfrog` says the rest."""
    chart = density.chart
    momentum = chart.tangent(position, pace.kick(momentum, evaluation.gradient, 0.5))
    for remaining in reversed(range(count)):
        position, momentum = pace.drift(chart, position, momentum)
        evaluation = density.evaluate(position)
        share = 1.0 if remaining else 0.5
        momentum = chart.tangent(position, pace.kick(momentum, evaluation.gradient, share))
    return position, momentum, evaluation


def find_speed(momentum: Float[Tensor, "chain dim"]) -> Float[Tensor, " chain"]:
    """Return |z| in float64."""
    speed: Tensor = torch.linalg.vector_norm(momentum, dim=1, dtype=torch.float64)
    return speed


def add_kinetic(
    potential: Float[Tensor, " chain"], speed: Float[Tensor, " chain"]
) -> Float[Tensor, " chain"]:
    """Return U + |z|^2 / 2."""
    return torch.addcmul(potential, speed, speed, value=0.5)


def find_gain(
    density: Density,
    before: Evaluation,
    after: Evaluation,
    speeds: tuple[Float[Tensor, " chain"], Float[Tensor, " chain"]],
    end: Float[Tensor, "chain dim"],
) -> Float[Tensor, " chain"]:
    """Return what total energy rose by along a trajectory; nan where not all is finite at its end.

    All that an evaluation says goes into the gain, the gradient through the last kick, and a number
    that is not finite comes out of no sum or product as one that is. Only the position does not.

    Args:
        density: Whose flow it was.
        before: The density at the begin, finite.
        after: The density at the end.
        speeds: |z| at the begin and at the end.
        end: The last position.
    """
    started, ended = speeds
    gain = add_kinetic(density.gain(before, after), ended)
    gain = gain.addcmul_(started, started, value=-0.5)
    # Zeros where all is finite: products with 0 and their sums, which nothing can overflow.
    nothing = share_number(0.0, gain.dtype, gain.device)
    probe = torch.mv(end * nothing, share_full(end.shape[1], 1, end.dtype, end.device))
    return gain.addcmul_(gain, nothing).add_(probe)


def faithfulness(gain: Float[Tensor, " chain"]) -> Float[Tensor, " chain"]:
    """Return min(1, exp(-gain)); 0 where the gain is nan."""
    return (-gain).clamp_(max=0.0).exp_().nan_to_num_(nan=0.0)
