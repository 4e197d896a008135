"""Bringing chains down from far-out starts, each at a pace of its own.

Where there is much data, a spread start lies a million nats above the typical set, and chains
differ in how small their steps have to be by factors of a hundred. A step size that all chains
share would leave some of them where they are for ever. So before a sampler sees them, chains take
adjusted Langevin steps, each of its own size: longer after one that was accepted, half as long
after one that was not. What comes of it is no draw from anything, only a better start.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.sample.advance import advance
from ebmlang.sample.kernels.hmc import Hmc
from ebmlang.sample.metric import identity
from ebmlang.sample.sampler import Setting
from ebmlang.sample.state import begin

ROUND = 5
"""Steps between two looks at whether chains still fall."""

MOST_ROUNDS = 30
"""Rounds after which chains have to make do with where they are."""

FALL, FALL_PER_DIMENSION = 10.0, 1.0
"""What a chain falls in a round, by itself and for each dimension, if it is still far out [nats].
At home the potential of a normal law is half of a chi-square variate: one chain in some ten
thousand falls by as much by chance."""

LONGER, SHORTER = 1.3, 0.5
"""What a step size is multiplied with after a step that was accepted, and after one that was not;
it keeps its place where about seven of ten are accepted."""


def settle(
    setting: Setting, position: Float[Tensor, "chain dim"]
) -> tuple[Float[Tensor, "chain dim"], int]:
    """Bring chains down until none falls fast any more.

    Args:
        setting: Of the run; the random numbers are those of iteration 0.
        position: Where chains start; the density is not zero there.

    Returns:
        Where they are then, and how many gradients it took of each.
    """
    density, noise = setting.density, setting.streams.at(0).fork("settle")
    state = begin(density, position, noise)
    steepest = state.evaluation.gradient.abs().amax(1)
    # The first step moves no coordinate by more than 1 along the gradient.
    step_size = (2 / steepest).sqrt().clamp(max=1.0)
    metric, gradients = identity(position), 1
    fall = FALL + FALL_PER_DIMENSION * density.chart.dim
    for number in range(MOST_ROUNDS):
        before = density.potential(state.evaluation)
        for repetition in range(ROUND):
            kernel = Hmc(step_size=step_size, metric=metric, most_steps=1)
            state, info = advance(kernel, density, state, noise.fork(f"{number} {repetition}"))
            step_size = step_size * torch.where(info.accepted, LONGER, SHORTER)
            gradients += 1
        fallen = before - density.potential(state.evaluation)
        if not bool((fallen > fall).any()):
            break
    return state.position, gradients
