"""Requirements as a sequence of problems without them: the augmented Lagrangian.

Each round minimizes the Lagrangian, then raises the multipliers of what is still violated. A
penalty grows where that does not shrink the violation. Both are kept per start and requirement.
Where Newton's method is within reach it ends the rounds of each start that it brings to its
minimum (`arrival.py`).

A margin is in tolerances, and one may count in billionths what another counts in metres. So
margins are scaled to have a slope of one in the solver's coordinates. They are aimed at a small
slack above zero, so that the answer satisfies `r >= 0` exactly and not only up to the round-off
of an active constraint; of an equality with a narrow tolerance, at half of it.

Source: Birgin and Martinez, Practical Augmented Lagrangian Methods (2014), algorithm 4.1 and
equation 12.1 for the first penalty, section 12.2 for scaling.
"""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ebmlang.runtime import Target, take_points
from ebmlang.solve.constraints.arrival import arrive, is_within_reach
from ebmlang.solve.native.machine import Machines
from ebmlang.solve.objective import Lagrangian
from ebmlang.spaces import SolvingChart

RESOLUTION = {torch.float64: 1e-7, torch.float32: 1e-4}
"""What margins are aimed above zero by, in their scale: some ten times what a minimizer that stops
at the square root of eps can resolve."""

ARRIVED_RESOLUTION = 1e-11
"""The same where Newton's method has the last steps: so little that no multiplier makes it felt."""

ROUND_OFF = 1e-10
"""Least slack of Newton's method [tolerances]: above what margins are rounded by."""

WIDEST_SLACK = 0.5
"""Most slack [tolerances]: the middle between the edge and the middle of `a == b within s`."""

SLOPES = (1e-6, 1e12)
"""Limits of the slope that a margin is divided by: a flatter one is not worth following."""

NEAREST = 0.1
"""Share of the starts, those nearest to its boundary, whose slopes give a margin its scale: far
away an exponential may be steeper by any factor."""

CHUNK = 2**22
"""Numbers of a matrix per start, or of margins, that are computed at once: 32 MB in float64."""

ESCAPED = 1e3
"""Factor of the violation, in the margins' scale, at which a start counts as lost."""

REACH = 1e-1
"""Largest violation, in the margins' scale, from which Newton's method is tried."""

ROUNDS = 30
"""Most rounds: some ten for the penalty to grow from its first value, the rest for multipliers."""

PATIENCE = 6
"""Rounds in a row that do not help before a start is given up: the penalty is then a million times
what it was, and the violation is the least there is around."""

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
        shortfall: Violation or lack of complementarity, the larger, in the margins' scale.
        settled: Starts whose margins are all above zero and whose multipliers fit.
        unhelped: Rounds in a row that ended at rest and brought the worst of it no nearer.
        pushing: Requirements that had a multiplier after the last round that ended at rest.
        stable: Starts where the round before had left the same ones.
    """

    lagrangian: Lagrangian
    shortfall: Float[Tensor, "start requirement"]
    settled: Bool[Tensor, " start"]
    unhelped: Int[Tensor, " start"]
    pushing: Bool[Tensor, "start requirement"]
    stable: Bool[Tensor, " start"]

    @property
    def hopeless(self) -> Bool[Tensor, " start"]:
        """Which starts no penalty helps."""
        return self.unhelped >= PATIENCE


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AugmentedInfo:
    """What a round did.

    Attributes:
        violation: Largest distance of a margin below its aim, per start, in its scale.
    """

    violation: Float[Tensor, " start"]


def _is_arriving(lagrangian: Lagrangian) -> bool:
    requirements = lagrangian.multipliers.shape[1]
    return is_within_reach(lagrangian.chart, lagrangian.target.dtype, requirements)


def init(
    target: Target,
    chart: SolvingChart,
    y: Float[Tensor, "start dim"],
    group: int | None = None,
    machines: Machines | None = None,
) -> AugmentedState:
    """Begin at the positions with multipliers zero.

    A first penalty balances the energy against the requirement's margin, as both are at the
    middle of the starts.

    Args:
        target: The model.
        chart: The solver's coordinates.
        y: The positions.
        group: How many starts in a row are about the same energy; None if all are.
        machines: The machine code of what is minimized, if there is any.
    """
    if machines is not None and machines.energy is not None:
        return _without_requirements(target, chart, y[:, :0], machines)
    with torch.no_grad():
        x = chart.to_written(y)
        margins = target.requirements(x)
    if not margins.shape[1]:
        return _without_requirements(target, chart, margins, machines)
    with torch.no_grad():
        energy = target.energy(x)
    slope = _slopes(target, chart, y, margins, group)
    lagrangian = Lagrangian(
        target=target,
        chart=chart,
        scale=1 / slope,
        slack=(RESOLUTION[target.dtype] * slope).clamp(max=WIDEST_SLACK),
        multipliers=torch.zeros_like(margins),
        penalty=torch.ones_like(margins),
        machines=machines,
    )
    return AugmentedState(
        lagrangian=_with_first_penalty(lagrangian, energy, margins, group),
        shortfall=torch.full_like(margins, torch.inf),
        settled=torch.zeros_like(energy, dtype=torch.bool),
        unhelped=torch.zeros_like(energy, dtype=torch.long),
        pushing=torch.zeros_like(margins, dtype=torch.bool),
        stable=torch.zeros_like(energy, dtype=torch.bool),
    )


def _without_requirements(
    target: Target,
    chart: SolvingChart,
    margins: Float[Tensor, "start requirement"],
    machines: Machines | None,
) -> AugmentedState:
    """Return the state where the Lagrangian is the energy, and nothing has a scale or a price."""
    flags = torch.zeros(len(margins), dtype=torch.bool, device=margins.device)
    return AugmentedState(
        lagrangian=Lagrangian(
            target=target,
            chart=chart,
            scale=margins,
            slack=margins,
            multipliers=margins,
            penalty=margins,
            machines=machines,
        ),
        shortfall=margins,
        settled=flags,
        unhelped=flags.long(),
        pushing=margins.bool(),
        stable=flags,
    )


def _with_first_penalty(
    lagrangian: Lagrangian, energy: Tensor, margins: Tensor, group: int | None
) -> Lagrangian:
    size = _middle(energy.abs()[:, None], group).clamp(min=1)
    weight = (_middle((lagrangian.scale * margins).abs(), group).square() / 2).clamp(min=1)
    penalty = (GROWTH * size / weight).clamp(*FIRST_PENALTY)
    return replace(lagrangian, penalty=penalty)


def _slopes(
    target: Target,
    chart: SolvingChart,
    y: Float[Tensor, "start dim"],
    margins: Float[Tensor, "start requirement"],
    group: int | None,
) -> Float[Tensor, "start requirement"]:
    """Return how steep each margin is near its boundary, in the solver's coordinates."""
    count = len(y) if group is None else group
    shape = (len(margins) // count, count, margins.shape[1])
    distances = margins.abs().nan_to_num(nan=torch.inf).reshape(shape)
    nearest = distances.argsort(1)[:, : math.ceil(NEAREST * count)]
    begins = count * torch.arange(len(distances), device=y.device)
    found = [margins.new_ones(len(distances), 0)]
    columns = torch.arange(margins.shape[1], device=y.device)
    # Each column at each of its points is a point of its own, whose margins are all computed.
    size = max(1, CHUNK // max(1, nearest[:, :, :1].numel() * len(columns)))
    for part in torch.split(columns, size):
        places = begins[:, None, None] + nearest[:, :, part]
        rows, asked = places.flatten(), part.expand_as(places).flatten()
        lengths = _lengths(take_points(target, rows), chart, y[rows], asked)
        found.append(lengths.reshape(places.shape).nanmedian(1).values.nan_to_num(nan=1.0))
    slope = torch.cat(found, 1).repeat_interleave(count, 0)
    # What no unknown decides has no slope, and needs no scale.
    return torch.where(slope > 0, slope.clamp(*SLOPES), 1)


def _lengths(
    target: Target,
    chart: SolvingChart,
    y: Float[Tensor, "start dim"],
    columns: Int[Tensor, " start"],
) -> Float[Tensor, " start"]:
    with torch.enable_grad():
        leaf = y.detach().requires_grad_()
        margin = target.requirements(chart.to_written(leaf)).gather(1, columns[:, None])
        slope = torch.zeros_like(y)
        if margin.requires_grad:
            (slope,) = torch.autograd.grad(
                margin.sum(), leaf, allow_unused=True, materialize_grads=True
            )
    lengths: Tensor = chart.tangent(y, slope[:, None])[:, 0].norm(dim=1)
    return lengths


def resume(
    state: AugmentedState,
    y: Float[Tensor, "start dim"],
    met: Bool[Tensor, " start"],
    group: int | None = None,
) -> AugmentedState:
    """Choose the first penalties anew, for where the starts are now.

    Args:
        state: At the beginning.
        y: Where they are.
        met: Starts that were led to what is required. Their penalty makes the loss of it, by as
            much as a margin changes over one unit, cost more than their energy: they stay there.
            That of the others is lowered where the positions show it to be too high.
        group: As in `init`.
    """
    lagrangian = state.lagrangian
    with torch.no_grad():
        x = lagrangian.chart.to_written(y)
        energy, margins = lagrangian.target.energy(x), lagrangian.target.requirements(x)
    here = _with_first_penalty(lagrangian, energy, margins, group).penalty
    lower = torch.minimum(lagrangian.penalty, here)
    own = (2 * GROWTH * energy.abs().nan_to_num().clamp(min=1)).clamp(*FIRST_PENALTY)
    penalty = torch.where(met[:, None], own[:, None], lower)
    return replace(state, lagrangian=replace(lagrangian, penalty=penalty))


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
    gap = lagrangian.gap(margins)
    violation = (-gap).clamp(min=0)
    shortfall = torch.minimum(gap, lagrangian.multipliers / lagrangian.penalty).abs()
    met_by = lagrangian.scale * lagrangian.slack / 2
    met = shortfall <= met_by
    near = violation <= 1
    at_rest = done[:, None]
    helped = met | (near & (shortfall <= HELP * state.shortfall))
    grown = (GROWTH * lagrangian.penalty).clamp(max=LARGEST_PENALTY)
    penalty = torch.where(at_rest & ~helped, grown, lagrangian.penalty)
    pressure = torch.where(at_rest & near, lagrangian.pressure(margins), lagrangian.multipliers)
    pushing = pressure > 0
    worst = shortfall.amax(1) > HELP * state.shortfall.amax(1)
    lost = done & worst & (violation > met_by).any(1)
    following = AugmentedState(
        lagrangian=replace(lagrangian, multipliers=pressure, penalty=penalty),
        shortfall=torch.where(at_rest, shortfall, state.shortfall),
        settled=done & met.all(1),
        unhelped=torch.where(lost, state.unhelped + 1, torch.where(done, 0, state.unhelped)),
        pushing=torch.where(at_rest, pushing, state.pushing),
        stable=done & (pushing == state.pushing).all(1),
    )
    return following, AugmentedInfo(violation=violation.amax(1))


def find_escaped(
    state: AugmentedState, before: Float[Tensor, "start dim"], after: Float[Tensor, "start dim"]
) -> Bool[Tensor, " start"]:
    """Return which starts a round has led far away from what is required: to lower energies there.

    A Lagrangian may have no minimum where the energy falls faster than a penalty rises.
    """
    lagrangian = state.lagrangian

    def violation(y: Tensor) -> Tensor:
        with torch.no_grad():
            margins = lagrangian.target.requirements(lagrangian.chart.to_written(y))
        return (-lagrangian.gap(margins)).clamp(min=0).amax(1)

    return violation(after) > ESCAPED * violation(before).clamp(min=1)


def finish(
    state: AugmentedState, y: Float[Tensor, "start dim"]
) -> tuple[AugmentedState, Float[Tensor, "start dim"], Float[Tensor, " start"]]:
    """Let Newton's method bring those near their minimum to it, where it can.

    Args:
        state: After a round.
        y: Where that has led.

    Returns:
        The state, in which those that arrived are settled; where the starts are now; and the
        largest entry of what is left of the gradient, `inf` for those that did not arrive.
    """
    lagrangian = state.lagrangian
    stationarity = torch.full_like(y[:, 0], torch.inf)
    if not _is_arriving(lagrangian):
        return state, y, stationarity
    with torch.no_grad():
        margins = lagrangian.target.requirements(lagrangian.chart.to_written(y))
    near = (lagrangian.gap(margins) >= -REACH).all(1) & state.stable & ~state.settled
    rows = torch.nonzero(near)[:, 0]
    if not len(rows):
        return state, y, stationarity
    position, settled = y.clone(), state.settled.clone()
    # Each has a dense matrix of all coordinates and requirements.
    width = y.shape[1] + margins.shape[1]
    for part in torch.split(rows, max(1, CHUNK // width**2)):
        near_ones = lagrangian.take(part)
        slack = (ARRIVED_RESOLUTION / near_ones.scale).clamp(min=ROUND_OFF, max=WIDEST_SLACK)
        found = arrive(replace(near_ones, slack=slack), y[part])
        position[part] = found.position
        settled[part] = found.arrived
        stationarity[part] = torch.where(found.arrived, found.stationarity, torch.inf)
    return replace(state, settled=settled), position, stationarity


def _middle(
    values: Float[Tensor, "start column"], group: int | None
) -> Float[Tensor, "start column"]:
    """Return the median of each column over each group, what is not finite counted as large."""
    count = len(values) if group is None else group
    shape = (len(values) // count, count, values.shape[1])
    groups = values.nan_to_num(nan=torch.inf).reshape(shape)
    middle = groups.median(1, keepdim=True).values.clamp(max=1 / FIRST_PENALTY[0])
    return middle.expand_as(groups).reshape(values.shape)
