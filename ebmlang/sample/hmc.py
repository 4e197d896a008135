"""Hamiltonian Monte Carlo over a batch of chains, on free coordinates and on manifolds.

Each iteration draws a momentum, follows the Hamiltonian flow by leapfrog for a number of steps,
and accepts or rejects the end, each chain for itself. The number of steps is drawn anew each
time, shared by the chains; each chain's step size varies a little, so that no orbit of the
flow closes on itself. On manifolds the free flow is the geodesic one.

A point where the energy or its gradient is not finite is rejected and counted; nothing is
clamped or replaced. Requirements are the exact indicator: an end that violates one has
density zero and is rejected.

Sources: Neal, MCMC using Hamiltonian dynamics (2011), sections 3 and 5.4.2.2; Byrne and
Girolami, Geodesic Monte Carlo on Embedded Manifolds (2013), algorithm 1.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ebmlang.sample.density import Density, Evaluation

STEP_JITTER = 0.1
"""Largest relative change of a chain's step size (Neal 2011, section 5.4.2.2). The number of steps
varies too, so little is needed, and more makes the largest steps diverge."""

DIVERGENCE = 1000.0
"""Gain of total energy [nats] from which on a trajectory has diverged, as in Stan: acceptance is
below exp(-1000), so the integrator has left the flow, not the typical set."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HmcParameters:
    """What adaptation chooses.

    Attributes:
        step_size: Before jitter.
        inverse_mass: Per coordinate; equal within one element of a manifold.
        most_steps: The number of leapfrog steps is uniform from 1 to this.
    """

    step_size: Float[Tensor, ""]
    inverse_mass: Float[Tensor, " dim"]
    most_steps: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HmcState:
    """Where each chain is."""

    position: Float[Tensor, "chain dim"]
    evaluation: Evaluation


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HmcInfo:
    """What an iteration did, per chain.

    Attributes:
        acceptance: The probability with which the end was accepted.
        faithful: What it would be if nothing were required: how well the flow was followed.
        accepted: Whether it was.
        diverged: Whether the end was not finite, or its energy far off.
        infeasible: Whether the end violated a requirement.
    """

    acceptance: Float[Tensor, " chain"]
    faithful: Float[Tensor, " chain"]
    accepted: Bool[Tensor, " chain"]
    diverged: Bool[Tensor, " chain"]
    infeasible: Bool[Tensor, " chain"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Streams:
    """The random streams of a run.

    Attributes:
        schedule: On the CPU, for the number of steps: drawing it never waits for the device.
        chains: On the device, for all else.
    """

    schedule: torch.Generator
    chains: torch.Generator


def init(density: Density, position: Float[Tensor, "chain dim"]) -> HmcState:
    """Begin at the positions."""
    return HmcState(position=position, evaluation=density.evaluate(position))


def step(
    density: Density, state: HmcState, parameters: HmcParameters, streams: Streams
) -> tuple[HmcState, HmcInfo]:
    """Do one iteration."""
    count = int(torch.randint(1, parameters.most_steps + 1, (), generator=streams.schedule))
    position, before = state.position, state.evaluation
    inverse_mass = parameters.inverse_mass
    normal = torch.empty_like(position).normal_(generator=streams.chains)
    momentum = density.chart.tangent(position, normal / inverse_mass.sqrt())
    jitter = torch.empty_like(position[:, :1]).uniform_(
        1 - STEP_JITTER, 1 + STEP_JITTER, generator=streams.chains
    )

    end, turned, after = integrate(
        density, position, momentum, before, parameters.step_size * jitter, inverse_mass, count
    )

    gain = _gain(before, after) + kinetic(turned, inverse_mass) - kinetic(momentum, inverse_mass)
    finite = after.finite & torch.isfinite(gain) & torch.isfinite(end).all(1)
    infeasible = ~density.is_feasible(after)
    faithful = torch.where(finite, (-gain).clamp(max=0).exp(), 0)
    acceptance = torch.where(infeasible, 0, faithful)
    uniform = torch.empty_like(acceptance).uniform_(generator=streams.chains)
    accepted = uniform < acceptance
    following = HmcState(
        position=torch.where(accepted[:, None], end, position),
        evaluation=Evaluation(
            point=torch.where(accepted[:, None], after.point, before.point),
            energy=torch.where(accepted, after.energy, before.energy),
            log_jacobian=torch.where(accepted, after.log_jacobian, before.log_jacobian),
            gradient=torch.where(accepted[:, None], after.gradient, before.gradient),
        ),
    )
    return following, HmcInfo(
        acceptance=acceptance,
        faithful=faithful,
        accepted=accepted,
        diverged=~finite | (gain > DIVERGENCE),
        infeasible=infeasible & finite,
    )


def integrate(
    density: Density,
    position: Float[Tensor, "chain dim"],
    momentum: Float[Tensor, "chain dim"],
    evaluation: Evaluation,
    step_size: Float[Tensor, "chain 1"],
    inverse_mass: Float[Tensor, " dim"],
    count: int,
) -> tuple[Float[Tensor, "chain dim"], Float[Tensor, "chain dim"], Evaluation]:
    """Take leapfrog steps; reversible, and volume is kept.

    Returns:
        The end, the momentum there, and the density there.
    """
    chart = density.chart
    time = step_size * inverse_mass
    half = step_size / 2
    momentum = chart.tangent(position, momentum - half * evaluation.gradient)
    for remaining in reversed(range(count)):
        position, momentum = chart.flow(position, momentum, time)
        evaluation = density.evaluate(position)
        kick = step_size if remaining else half
        momentum = chart.tangent(position, momentum - kick * evaluation.gradient)
    return position, momentum, evaluation


def kinetic(
    momentum: Float[Tensor, "chain dim"], inverse_mass: Float[Tensor, " dim"]
) -> Float[Tensor, " chain"]:
    """Return `p^T M^-1 p / 2` in float64."""
    return (momentum.double().square() * inverse_mass.double()).sum(1) / 2


def _gain(before: Evaluation, after: Evaluation) -> Float[Tensor, " chain"]:
    """Return the rise of `E - log |J|` in float64, each difference taken by itself."""
    energy = after.energy.double() - before.energy.double()
    return energy - (after.log_jacobian.double() - before.log_jacobian.double())
