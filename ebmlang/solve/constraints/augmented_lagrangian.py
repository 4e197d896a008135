"""Requirements as a sequence of problems without them: the augmented Lagrangian.

Each round minimizes the Lagrangian, then raises the multipliers of what is still violated. A
penalty grows where that does not shrink the violation. Both are kept per start and requirement,
since one margin may count in tenths of a millimetre what another counts in metres. Margins are
aimed at a small slack above zero, so that the answer satisfies `r >= 0` exactly and not only
up to the round-off of an active constraint.

A margin is in tolerances, and the shape of a relation within its tolerance (the kink of `==`
at its middle) shows only inside. So until a start is within one tolerance of a requirement only
its penalty grows; the multiplier begins there.

Source: Birgin and Martinez, Practical Augmented Lagrangian Methods (2014), algorithm 4.1 and
equation 12.1 for the first penalty.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ebmlang.runtime import Target
from ebmlang.solve.objective import Lagrangian
from ebmlang.spaces import SolvingChart

SLACK = {torch.float64: 1e-7, torch.float32: 1e-4}
"""What margins are aimed above zero by [tolerances]: some ten times what a minimizer that stops
at the square root of eps can resolve, and far below what a tolerance means to its user."""

ROUNDS = 30
"""Most rounds: some ten for the penalty to grow from its first value, the rest for multipliers."""

GROWTH = 10.0
"""Factor of the penalty where a round did not help enough."""

HELP = 0.5
"""Share of the former violation to which a round must bring it, or the penalty grows."""

FIRST_PENALTY = (1e-8, 1e8)
"""Limits of the first penalty."""

LARGEST_PENALTY = 1e12
"""Limit of the penalty: beyond it a violation of one slack drowns the energy in round-off."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AugmentedState:
    """The Lagrangian of the next round, and how well the last one did.

    Attributes:
        lagrangian: Multipliers and penalties.
        shortfall: Violation or lack of complementarity, the larger [tolerances].
        settled: Starts whose margins are all above zero and whose multipliers fit.
    """

    lagrangian: Lagrangian
    shortfall: Float[Tensor, "start requirement"]
    settled: Bool[Tensor, " start"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AugmentedInfo:
    """What a round did.

    Attributes:
        violation: Largest distance of a margin below its aim, per start [tolerances].
    """

    violation: Float[Tensor, " start"]


def init(
    target: Target, chart: SolvingChart, y: Float[Tensor, "start dim"], group: int | None = None
) -> AugmentedState:
    """Begin at the positions with multipliers zero.

    A first penalty balances the energy against the requirement's margin, as both are at the
    middle of the starts.

    Args:
        target: The model.
        chart: The solver's coordinates.
        y: The positions.
        group: How many starts in a row are about the same energy; None if all are.
    """
    with torch.no_grad():
        x = chart.to_written(y)
        energy, margins = target.energy(x), target.requirements(x)
    size = _middle(energy.abs()[:, None], group).clamp(min=1)
    weight = (_middle(margins.abs(), group).square() / 2).clamp(min=1)
    penalty = (GROWTH * size / weight).clamp(*FIRST_PENALTY)
    lagrangian = Lagrangian(
        target=target,
        chart=chart,
        slack=SLACK[target.dtype],
        multipliers=torch.zeros_like(margins),
        penalty=penalty,
    )
    return AugmentedState(
        lagrangian=lagrangian,
        shortfall=torch.full_like(margins, torch.inf),
        settled=torch.zeros_like(energy, dtype=torch.bool),
    )


def resume(
    state: AugmentedState, y: Float[Tensor, "start dim"], group: int | None = None
) -> AugmentedState:
    """Lower first penalties that the positions reached since then show to be too high."""
    lagrangian = state.lagrangian
    here = init(lagrangian.target, lagrangian.chart, y, group).lagrangian.penalty
    lower = torch.minimum(lagrangian.penalty, here)
    return replace(state, lagrangian=replace(lagrangian, penalty=lower))


def step(
    state: AugmentedState, y: Float[Tensor, "start dim"], done: Bool[Tensor, " start"]
) -> tuple[AugmentedState, AugmentedInfo]:
    """Learn from where the last round has led.

    Args:
        state: The Lagrangian of that round.
        y: Where it has led.
        done: Starts that have come to rest there. The others are still on the way, along
            what may be a narrow valley; a steeper penalty would only narrow it, so they keep
            their Lagrangian.
    """
    lagrangian = state.lagrangian
    with torch.no_grad():
        margins = lagrangian.target.requirements(lagrangian.chart.to_written(y))
    gap = margins - lagrangian.slack
    violation = (-gap).clamp(min=0)
    shortfall = torch.minimum(gap, lagrangian.multipliers / lagrangian.penalty).abs()
    met = shortfall <= lagrangian.slack / 2
    near = violation <= 1
    at_rest = done[:, None]
    helped = met | (near & (shortfall <= HELP * state.shortfall))
    grown = (GROWTH * lagrangian.penalty).clamp(max=LARGEST_PENALTY)
    penalty = torch.where(at_rest & ~helped, grown, lagrangian.penalty)
    pressure = torch.where(at_rest & near, lagrangian.pressure(margins), lagrangian.multipliers)
    following = AugmentedState(
        lagrangian=replace(lagrangian, multipliers=pressure, penalty=penalty),
        shortfall=torch.where(at_rest, shortfall, state.shortfall),
        settled=done & met.all(1),
    )
    return following, AugmentedInfo(violation=violation.amax(1))


def take(state: AugmentedState, index: Int[Tensor, " kept"]) -> AugmentedState:
    """Return the state of some of the starts."""
    return AugmentedState(
        lagrangian=state.lagrangian.take(index),
        shortfall=state.shortfall[index],
        settled=state.settled[index],
    )


def _middle(
    values: Float[Tensor, "start column"], group: int | None
) -> Float[Tensor, "start column"]:
    """Return the median of each column over each group, what is not finite counted as large."""
    count = len(values) if group is None else group
    shape = (len(values) // count, count, values.shape[1])
    groups = values.nan_to_num(nan=torch.inf).reshape(shape)
    middle = groups.median(1, keepdim=True).values.clamp(max=1 / FIRST_PENALTY[0])
    return middle.expand_as(groups).reshape(values.shape)
