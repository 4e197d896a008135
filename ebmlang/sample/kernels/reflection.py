"""Reflective HMC: trajectories that bounce off what is required instead of ending outside of it.

A step drifts by half its length, and where the midpoint violates a requirement turns the velocity
around as a mirror would, before it drifts the other half:

    y = flow(q, z, h/2);   where the least margin at y is negative:  z <- z - 2 (n . z) n;
    q' = flow(y, z, h/2),                    n = L^T grad margin(y) / |L^T grad margin(y)|

Kicks by the energy's gradient come between steps, as in leapfrog. A trajectory that ends where
something required does not hold is rejected; on the way its steps may end a little outside, as
every second bounce makes them do for two steps.

**It is exact.** Take q' with the momentum turned around, (q', -z'): it drifts back to the same y,
so the decision and n are the same, the mirror takes -z' to -z (a mirror is linear and its own
inverse), and the drift leads to q: a step is undone by turning around. Its volume is kept: the
drifts are flows that keep it, and at given y the mirror is an orthogonal map of z, of determinant
-1, whatever n is; so a wrong or missing gradient costs acceptance, never exactness. The mirror
must be used whether z points out or in: "only where it points out" could not be undone. |z| is
kept too, so a bounce costs no energy. Kicks are undone by turning around and keep volumes as well,
whatever function of the position they are. So the whole, with the momentum turned around at the
end, is its own inverse and of volume 1, and the Metropolis rule with the exact indicator at the
end is exact for exp(-U) where everything required holds.

Why not reject a trajectory as soon as one of its steps ends outside? That is exact as well, but
loses every second bounce: in the unit disc, at steps of 0.2 and up to 16 of them, it accepts
0.60 of the ends instead of 0.88.

On manifolds the drift is the geodesic flow and n is taken in the tangent space; the same holds.

Sources: Afshar and Domke, Reflection, Refraction, and Hamiltonian Monte Carlo (2015), section 3,
for the mirror in HMC; Betancourt, Nested Sampling with Constrained Hamiltonian Monte Carlo (2011),
section 3, for bouncing at a point outside instead of at the wall.
"""

import math
from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ebmlang.sample.density import Density, Evaluation
from ebmlang.sample.integrator import add_kinetic, find_gain, find_speed
from ebmlang.sample.kernels.acceptance import judge_end
from ebmlang.sample.kernels.hmc import STEP_JITTER
from ebmlang.sample.metric import Metric
from ebmlang.sample.state import ChainState, Info, choose
from ebmlang.sample.streams import Noise


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reflective:
    """One reflective trajectory.

    Attributes:
        step_size: Before jitter; of all chains, or of each.
        metric: Of the momenta.
        most_steps: The number of steps is uniform from 1 to this. Each costs a gradient of the
            energy, which `gradients` counts, and one of the margins, which it does not.
    """

    step_size: Float[Tensor, "*chain"]
    metric: Metric
    most_steps: int

    def step(self, density: Density, state: ChainState, noise: Noise) -> tuple[ChainState, Info]:
        """Follow the flow once."""
        count = math.ceil(noise.shared("steps") * self.most_steps)
        position, before = state.position, state.evaluation
        momentum = density.chart.tangent(position, noise.normal("momentum", position.shape[1]))
        jitter = noise.near_one("jitter", STEP_JITTER)
        sizes = (self.step_size.reshape(-1, 1) * jitter).to(position.dtype)

        path = follow(density, position, momentum, before, sizes, self.metric, count)

        after, speeds = path.evaluation, (find_speed(momentum), find_speed(path.momentum))
        gain = find_gain(density, before, after, speeds, path.position)
        # The last kick may have left a gradient out.
        gain = torch.where(torch.isfinite(after.gradient).all(1), gain, torch.nan)
        info = judge_end(
            density,
            gain,
            after,
            uniform=noise.uniform("accept")[:, 0],
            count=count,
            hamiltonian=add_kinetic(density.potential(before), speeds[0]),
        )
        end = replace(state, position=path.position, evaluation=after)
        return choose(info.accepted, end, state), info


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Path:
    """Where a reflective trajectory led.

    Attributes:
        position: Its end.
        momentum: Whitened, there.
        evaluation: The density there.
        reflections: How often it bounced.
    """

    position: Float[Tensor, "chain dim"]
    momentum: Float[Tensor, "chain dim"]
    evaluation: Evaluation
    reflections: Int[Tensor, " chain"]


def follow(
    density: Density,
    position: Float[Tensor, "chain dim"],
    momentum: Float[Tensor, "chain dim"],
    evaluation: Evaluation,
    step_size: Float[Tensor, "chain 1"],
    metric: Metric,
    count: int,
) -> Path:
    """Take reflective steps; reversible, and volume is kept.

    Args:
        density: Whose flow it is.
        position: Where to start.
        momentum: Whitened, tangent there.
        evaluation: The density there.
        step_size: Of each chain.
        metric: Of the momenta.
        count: Steps.
    """
    chart, chains = density.chart, len(position)
    pace, half = metric.paced(step_size, chains), metric.paced(step_size / 2, chains)
    reflections = torch.zeros(len(position), dtype=torch.long, device=position.device)
    momentum = chart.tangent(position, half.kick(momentum, evaluation.gradient, 1.0))
    for remaining in reversed(range(count)):
        position, momentum = half.drift(chart, position, momentum)
        momentum, reflected = _reflect(density, position, momentum, metric)
        reflections = reflections + reflected
        position, momentum = half.drift(chart, position, momentum)
        evaluation = density.evaluate(position)
        slope = _usable_gradient(density, evaluation)
        share = 1.0 if remaining else 0.5
        momentum = chart.tangent(position, pace.kick(momentum, slope, share))
    return Path(
        position=position,
        momentum=momentum,
        evaluation=evaluation,
        reflections=reflections,
    )


def _reflect(
    density: Density,
    midpoint: Float[Tensor, "chain dim"],
    momentum: Float[Tensor, "chain dim"],
    metric: Metric,
) -> tuple[Float[Tensor, "chain dim"], Bool[Tensor, " chain"]]:
    """Mirror the momenta of the chains whose midpoint violates a requirement.

    Where the margin has no direction there, or none that is a number, the chain goes straight on.
    """
    margin, gradient = density.steepest_margin(midpoint)
    normal = density.chart.tangent(midpoint, metric.gather(gradient))
    length = normal.norm(dim=1, keepdim=True)
    normal = normal / length
    reflected = (margin < 0) & torch.isfinite(normal).all(1)
    mirrored = momentum - 2 * (normal * momentum).sum(1, keepdim=True) * normal
    return torch.where(reflected[:, None], mirrored, momentum), reflected


def _usable_gradient(density: Density, evaluation: Evaluation) -> Float[Tensor, "chain dim"]:
    """Return the gradient; zero where it is not finite outside of what is required.

    There the energy need not exist, and the trajectory only passes through; inside, a gradient
    that is not finite makes the end not finite, and that is counted.
    """
    exists = torch.isfinite(evaluation.gradient).all(1) | density.is_feasible(evaluation)
    return torch.where(exists[:, None], evaluation.gradient, 0)
