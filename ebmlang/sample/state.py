"""Where chains are, and what a step did: one record for all kernels, so that they can be mixed."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ebmlang.sample.density import Density, Evaluation
from ebmlang.sample.streams import Noise


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChainState:
    """Where each chain is.

    Attributes:
        position: In a sampler's coordinates.
        evaluation: The density there.
        momentum: Whitened, standard normal and tangent at the position. Kernels that draw it anew
            in each step leave it as it is.
        level: Uniform in (-1, 1); with its absolute value a persistent kernel decides on
            acceptance, others leave it as it is.
    """

    position: Float[Tensor, "chain dim"]
    evaluation: Evaluation
    momentum: Float[Tensor, "chain dim"]
    level: Float[Tensor, " chain"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Info:
    """What a step did, per chain.

    Attributes:
        acceptance: The probability with which what was proposed was accepted.
        faithful: What it would be if nothing were required: how well a flow was followed.
        accepted: Whether the chain moved.
        diverged: Whether what was proposed was not finite, or its energy far off.
        infeasible: Whether what was proposed violated a requirement.
        gradients: Evaluations of energy and gradient that were spent.
        hamiltonian: Potential and kinetic energy after the momentum was drawn [nats]; nan of a
            kernel that has no momentum.
        branch: Which of several densities the chain was moved by; None where there is one.
    """

    acceptance: Float[Tensor, " chain"]
    faithful: Float[Tensor, " chain"]
    accepted: Bool[Tensor, " chain"]
    diverged: Bool[Tensor, " chain"]
    infeasible: Bool[Tensor, " chain"]
    gradients: Int[Tensor, " chain"]
    hamiltonian: Float[Tensor, " chain"]
    branch: Int[Tensor, " chain"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stride:
    """Several steps in a row, in each of which every chain moved.

    Attributes:
        state: Where the chains are in the end.
        visited: The density where they were before the first step, and after each.
        info: What the steps did: one step below the other, as if each were of chains of its own.
    """

    state: ChainState
    visited: tuple[Evaluation, ...]
    info: Info


def begin(density: Density, position: Float[Tensor, "chain dim"], noise: Noise) -> ChainState:
    """Begin at the positions."""
    momentum = noise.normal("first momentum", position.shape[1])
    return ChainState(
        position=position,
        evaluation=density.evaluate(position),
        momentum=density.chart.tangent(position, momentum),
        level=2 * noise.uniform("first level")[:, 0] - 1,
    )


def choose(accepted: Bool[Tensor, " chain"], new: ChainState, old: ChainState) -> ChainState:
    """Return the new state of the chains that accepted, and the old one of the others.

    Both are states of one density. What is one tensor in both is not looked at.
    """
    rows = accepted.unsqueeze(1)

    def pick(a: Tensor, b: Tensor) -> Tensor:
        return a if a is b else torch.where(accepted if a.dim() == 1 else rows, a, b)

    there, here = new.evaluation, old.evaluation
    position = pick(new.position, old.position)
    # Where a density's coordinates are the written ones, they are so in the other state as well.
    is_written = there.point is new.position
    return ChainState(
        position=position,
        evaluation=Evaluation(
            point=position if is_written else pick(there.point, here.point),
            energy=pick(there.energy, here.energy),
            log_jacobian=pick(there.log_jacobian, here.log_jacobian),
            reference=pick(there.reference, here.reference),
            gradient=pick(there.gradient, here.gradient),
        ),
        momentum=pick(new.momentum, old.momentum),
        level=pick(new.level, old.level),
    )
