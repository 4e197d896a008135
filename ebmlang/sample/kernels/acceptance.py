"""What becomes of the end of a trajectory: accepted, rejected, and why.

One place for the decision that all kernels with a momentum share. A point where the energy or its
gradient is not finite is rejected and counted; one that violates a requirement has density zero.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ebmlang.sample.density import Density, Evaluation
from ebmlang.sample.integrator import DIVERGENCE, faithfulness
from ebmlang.sample.state import Info
from ebmlang.spaces import share_full, share_number


def judge_end(
    density: Density,
    gain: Float[Tensor, " chain"],
    after: Evaluation,
    *,
    uniform: Float[Tensor, " chain"],
    count: int,
    hamiltonian: Float[Tensor, " chain"],
) -> Info:
    """Accept where `uniform < min(1, exp(-gain))`, the end is finite and everything required holds.

    Args:
        density: What is sampled.
        gain: Of total energy along the trajectory, nan where its end is not finite [nats].
        after: The density at its end.
        uniform: What decides, in (0, 1).
        count: Gradients that it took.
        hamiltonian: Total energy at its begin, or nan [nats].

    Returns:
        What is said of the step; the chains with `accepted` go to the end.
    """
    acceptance = faithful = faithfulness(gain)
    infeasible = find_infeasible(density, gain, after)
    if density.is_restricted:
        acceptance = torch.where(infeasible, 0, faithful)
    return Info(
        acceptance=acceptance,
        faithful=faithful,
        accepted=uniform < acceptance,
        diverged=torch.le(gain, share_number(DIVERGENCE, gain.dtype, gain.device)).logical_not_(),
        infeasible=infeasible,
        gradients=share_full(gain.shape[0], count, torch.long, gain.device),
        hamiltonian=hamiltonian,
    )


def find_infeasible(
    density: Density, gain: Float[Tensor, " chain"], after: Evaluation
) -> Bool[Tensor, " chain"]:
    """Return where a trajectory, of this gain, ended finite outside of what is required."""
    if not density.is_restricted:
        return share_full(gain.shape[0], False, torch.bool, gain.device)
    return ~(density.is_feasible(after) | gain.isnan())
