"""What becomes of the end of a trajectory: accepted, rejected, and why.

One place for the decision that all kernels with a momentum share. A point where the energy or its
gradient is not finite is rejected and counted; one that violates a requirement has density zero.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.sample.density import Density, Evaluation
from ebmlang.sample.integrator import DIVERGENCE, faithfulness
from ebmlang.sample.state import Info


def judge_end(
    density: Density,
    gain: Float[Tensor, " chain"],
    end: Float[Tensor, "chain dim"],
    after: Evaluation,
    *,
    uniform: Float[Tensor, " chain"],
    count: int,
    hamiltonian: Float[Tensor, " chain"],
) -> Info:
    """Accept where `uniform < min(1, exp(-gain))`, the end is finite and everything required holds.

    Args:
        density: What is sampled.
        gain: Of total energy along the trajectory, in float64 [nats].
        end: Its last position.
        after: The density there.
        uniform: What decides, in (0, 1).
        count: Gradients that it took.
        hamiltonian: Total energy at its begin, or nan [nats].

    Returns:
        What is said of the step; the chains with `accepted` go to the end.
    """
    faithful, finite = faithfulness(gain, end, after)
    infeasible = ~density.is_feasible(after)
    acceptance = torch.where(infeasible, 0, faithful)
    return Info(
        acceptance=acceptance,
        faithful=faithful,
        accepted=uniform < acceptance,
        diverged=~finite | (gain > DIVERGENCE),
        infeasible=infeasible & finite,
        gradients=torch.full_like(infeasible, count, dtype=torch.long),
        hamiltonian=hamiltonian,
    )
