"""Slice sampling along a random direction, with stepping out and shrinkage: no step to reject.

A height is drawn below the density at the point; the next point is uniform on the part of a line
through it where the density lies above that height. A bracket of a given width is put around
the point at random and stepped out until its ends lie outside, or a number of widths is spent;
points drawn in it that lie outside shrink it. On manifolds the line is a geodesic: its flow
keeps volumes, which is all that the argument needs, and it may go around as often as it likes.

Nothing is asked of the gradient, so energies with steps will do. What violates a requirement, or
is not finite, lies outside of every slice: every draw satisfies what is required, and a
requirement costs only shrinkage.

Source: Neal, Slice sampling (2003), figures 3 and 5, along a random direction (section 5.1).
"""

from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ebmlang.sample.density import Density, Evaluation
from ebmlang.sample.metric import Metric
from ebmlang.sample.state import ChainState, Info, choose
from ebmlang.sample.streams import Noise

MOST_WIDTHS = 8
"""Widths that a bracket may grow to: enough for a width that is badly wrong, and a bound on the
cost where a slice has no end."""

MOST_TRIES = 64
"""Points tried in a bracket before the chain stays where it is. Staying is exact: the points that
were outside are as likely from either end. A bracket halves or so with each, so that by then
it is narrower than a step of floating point."""

NUMBERS = 16
"""Tries whose random numbers are made in one go."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slice:
    """Slice sampling along a direction that is uniform in the metric.

    Attributes:
        width: Of the first bracket, in the metric's unit; of all chains, or of each.
        metric: Directions are L z.
        most_widths: Widths that the bracket may grow to, at least 1.
    """

    width: Float[Tensor, "*chain"]
    metric: Metric
    most_widths: int = MOST_WIDTHS

    def step(self, density: Density, state: ChainState, noise: Noise) -> tuple[ChainState, Info]:
        """Draw a point of the slice along a random direction.

        `acceptance` is one over the number of points that were tried in the bracket.
        """
        direction = density.chart.tangent(
            state.position, noise.normal("direction", state.position.shape[1])
        )
        line = _Line(
            density=density,
            metric=self.metric,
            state=state,
            direction=direction / direction.norm(dim=1, keepdim=True),
            height=-noise.uniform("height")[:, 0].log(),
        )
        before, share = noise.uniform("bracket", 2).unbind(1)
        width = self.width.to(line.height).expand_as(line.height)
        widths_low = (self.most_widths * share).floor()
        low, spent_low = _step_out(line, -before * width, -width, widths_low)
        high, spent_high = _step_out(
            line, (1 - before) * width, width, self.most_widths - 1 - widths_low
        )
        return _shrink(line, low, high, spent_low + spent_high, noise)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Line:
    """A line, or a geodesic, through each chain's position, and the slice on it.

    Attributes:
        density: What is sampled.
        metric: The velocity is L times the direction.
        state: Where the line begins, at time 0.
        direction: Of length 1, tangent.
        height: How far the potential may rise above that of the state [nats].
    """

    density: Density
    metric: Metric
    state: ChainState
    direction: Float[Tensor, "chain dim"]
    height: Float[Tensor, " chain"]

    def look(self, time: Float[Tensor, " chain"]) -> "_Sight":
        """Look at the points at these times."""
        start = self.state.position
        moment = time[:, None].to(start.dtype)
        pace = self.metric.paced(moment, len(start))
        position, _ = pace.drift(self.density.chart, start, self.direction)
        evaluation = self.density.evaluate(position)
        gain = self.density.gain(self.state.evaluation, evaluation)
        finite = evaluation.finite & torch.isfinite(gain) & torch.isfinite(position).all(1)
        feasible = self.density.is_feasible(evaluation)
        return _Sight(
            position=position,
            evaluation=evaluation,
            finite=finite,
            infeasible=finite & ~feasible,
            inside=finite & feasible & (gain < self.height),
        )


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sight:
    """A point on each line.

    Attributes:
        position: Of it.
        evaluation: The density there.
        finite: Whether all of it is finite.
        infeasible: Whether it violates a requirement.
        inside: Whether it lies in the slice.
    """

    position: Float[Tensor, "chain dim"]
    evaluation: Evaluation
    finite: Bool[Tensor, " chain"]
    infeasible: Bool[Tensor, " chain"]
    inside: Bool[Tensor, " chain"]


def _step_out(
    line: _Line,
    edge: Float[Tensor, " chain"],
    stride: Float[Tensor, " chain"],
    most: Float[Tensor, " chain"],
) -> tuple[Float[Tensor, " chain"], Int[Tensor, " chain"]]:
    """Move an edge on while it lies inside and strides are left; and count what was looked at.

    Source: Neal (2003), figure 3.
    """
    left = most
    spent = torch.zeros_like(edge, dtype=torch.long)
    # How often depends on the energy: one look per stride. A chain that is done waits.
    while bool((left > 0).any()):
        sight = line.look(edge)
        looking = left > 0
        spent = spent + looking
        moving = looking & sight.inside
        edge = torch.where(moving, edge + stride, edge)
        left = torch.where(moving, left - 1, 0)
    return edge, spent


def _shrink(
    line: _Line,
    low: Float[Tensor, " chain"],
    high: Float[Tensor, " chain"],
    spent: Int[Tensor, " chain"],
    noise: Noise,
) -> tuple[ChainState, Info]:
    """Try points of the bracket until one lies inside; those outside become its ends.

    Source: Neal (2003), figure 5.
    """
    state = line.state
    found = torch.zeros_like(spent, dtype=torch.bool)
    diverged = infeasible = found
    tries = torch.zeros_like(spent)
    for attempt in range(MOST_TRIES):
        if bool(found.all()):
            break
        block, place = divmod(attempt, NUMBERS)
        uniform = noise.uniform(f"tries {block}", NUMBERS)[:, place]
        time = low + uniform * (high - low)
        sight = line.look(time)
        tries = tries + ~found
        diverged = diverged | (~found & ~sight.finite)
        infeasible = torch.where(found, infeasible, sight.infeasible)
        following = replace(state, position=sight.position, evaluation=sight.evaluation)
        state = choose(~found & sight.inside, following, state)
        found = found | sight.inside
        low = torch.where(~found & (time < 0), time, low)
        high = torch.where(~found & (time >= 0), time, high)
    share = torch.where(found, 1 / tries, 0).double()
    return state, Info(
        acceptance=share,
        faithful=share,
        accepted=found,
        diverged=diverged,
        infeasible=infeasible,
        gradients=spent + tries,
        hamiltonian=torch.full_like(share, torch.nan),
    )
