"""Levenberg-Marquardt with bounds on all starts at once, each with a damping of its own.

For a sum of squares `|r(y)|^2` a step minimizes the linearized sum with a price on its length,

    |r + J p|^2 + damping * |S p|^2,

in units S where every column of J has length one, or had when it was longest. Far from a minimum
the price makes it a short step down the scaled gradient, close to one it is Newton's without any
second derivative.

One step is one evaluation of the batch, Jacobian included. A start whose trial point is good
enough takes it and trusts its model more; any other tries again closer by. Bounds: coordinates at a
bound whose gradient pushes outwards are held; those that a step would take across one stop there,
and the others take the best step given that. On spheres and rotations steps are tangent, and are
brought back by the chart's retraction.

Sources: Nocedal and Wright, Numerical Optimization (2006), section 10.3, for the step by QR; More,
The Levenberg-Marquardt algorithm (1978), section 6, for units and for the cosine as the measure of
convergence; Nielsen, Damping parameter in Marquardt's method (1999), equation 2.4, for the damping.
"""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ebmlang.solve.descent.linearization import Linearization, linearize
from ebmlang.solve.descent.method import Minimum
from ebmlang.solve.objective import Objective, SquaredObjective, choose, residual
from ebmlang.solve.states import choose_each
from ebmlang.spaces import SolvingChart

FIRST_DAMPING = 1e-3
"""Damping of the first step, where columns have length one: a start is seldom near a minimum."""

DAMPING = (1e-15, 1e15)
"""Limits of the damping: beyond them it changes nothing, or a step is no step."""

DECREASE = 1e-4
"""Share of the predicted decrease that a step must bring."""

NOISE = 10
"""Changes of the squares below so many eps of them are round-off."""

TRIALS = 12
"""Rejected trials in a row after which a start has stalled: by then the damping has grown by
2^78."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MarquardtState:
    """Where each start is and how far it trusts its linear model.

    Attributes:
        value: The objective, which may differ from the squares by a number per start.
        near: The squares near the position.
        unit: The longest that each column of the Jacobian has been: where one vanishes for a
        moment, its coordinate may not run away.
        damping: The price of length.
        growth: Factor of the damping where the next trial is no good.
        rejected: Trials in a row that were no good.
        stationarity: Largest entry of the projected gradient, each by the length of its
            column where that is above one.
        converged: Whether residuals are orthogonal to every free column, up to round-off.
        stalled: Whether not even the shortest steps find a lower point.
    """

    position: Float[Tensor, "start dim"]
    value: Float[Tensor, " start"]
    near: Linearization
    unit: Float[Tensor, "start dim"]
    damping: Float[Tensor, " start"]
    growth: Float[Tensor, " start"]
    rejected: Int[Tensor, " start"]
    stationarity: Float[Tensor, " start"]
    converged: Bool[Tensor, " start"]
    stalled: Bool[Tensor, " start"]

    @property
    def done(self) -> Bool[Tensor, " start"]:
        """Which starts have nothing left to do."""
        return self.converged | self.stalled


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MarquardtInfo:
    """What a step did.

    Attributes:
        accepted: Starts that moved.
    """

    accepted: Bool[Tensor, " start"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LevenbergMarquardt:
    """The method, for objectives that are sums of squares.

    Attributes:
        tolerance: Cosine between the residuals and any free column of the Jacobian below which a
            start has converged.
    """

    tolerance: float

    @property
    def name(self) -> str:
        """What a user calls it."""
        return "levenberg-marquardt"

    def init(self, objective: Objective, position: Float[Tensor, "start dim"]) -> MarquardtState:
        """Begin at the positions."""
        return init(_squares(objective), position, self.tolerance)

    def step(
        self, objective: Objective, state: MarquardtState
    ) -> tuple[MarquardtState, MarquardtInfo]:
        """Evaluate one trial point per start and take it, or trust the model less."""
        return step(_squares(objective), state, self.tolerance)

    def read(self, state: MarquardtState) -> Minimum:
        """Return where the starts are."""
        return Minimum(
            position=state.position,
            value=state.value,
            stationarity=state.stationarity,
            done=state.done,
        )


def _squares(objective: Objective) -> SquaredObjective:
    assert isinstance(objective, SquaredObjective), "the plan gives this to sums of squares only"
    return objective


def init(
    objective: SquaredObjective, position: Float[Tensor, "start dim"], tolerance: float
) -> MarquardtState:
    """Begin at the positions."""
    value = objective.evaluate(position).value
    near = linearize(objective, position)
    stationarity, converged = _judge(objective.chart, position, near, tolerance)
    return MarquardtState(
        position=position,
        value=value,
        near=near,
        unit=near.columns,
        damping=torch.full_like(value, FIRST_DAMPING),
        growth=torch.full_like(value, 2.0),
        rejected=torch.zeros_like(value, dtype=torch.long),
        stationarity=stationarity,
        converged=converged,
        # Where the value is not finite there is no model to follow.
        stalled=~torch.isfinite(near.squares),
    )


def step(
    objective: SquaredObjective, state: MarquardtState, tolerance: float
) -> tuple[MarquardtState, MarquardtInfo]:
    """Evaluate one trial point per start and take it, or trust the model less."""
    chart, near = objective.chart, state.near
    trial = chart.retract(state.position + _aim(chart, state))
    move = trial - state.position
    linear = near.projected + (near.factor @ move[:, :, None])[:, :, 0]
    predicted = near.projected.square().sum(1) - linear.square().sum(1)

    value = objective.evaluate(trial).value
    found = linearize(objective, trial)
    stationarity, converged = _judge(chart, trial, found, tolerance)
    decrease = near.squares - found.squares
    noise = NOISE * torch.finfo(value.dtype).eps * near.squares
    lower = (decrease >= DECREASE * predicted) & (predicted > 0) & (decrease > 0)
    # When differences of the squares drown in round-off, the gradient still tells better from
    # worse.
    level = (decrease >= -noise) & (stationarity < state.stationarity)
    accepted = torch.isfinite(value) & torch.isfinite(found.squares) & (lower | level)
    accepted &= ~state.done

    ratio = torch.where(predicted > 0, decrease / predicted, 0).nan_to_num(nan=0.0)
    trusted = state.damping * (1 - (2 * ratio - 1) ** 3).clamp(min=1 / 3, max=1)
    rejected = torch.where(accepted, 0, state.rejected + 1)
    following = MarquardtState(
        position=choose(accepted, trial, state.position),
        value=choose(accepted, value, state.value),
        near=choose_each(accepted, found, near),
        unit=choose(accepted, torch.maximum(state.unit, found.columns), state.unit),
        damping=torch.where(accepted, trusted, state.damping * state.growth).clamp(*DAMPING),
        growth=torch.where(accepted, 2.0, 2 * state.growth),
        rejected=rejected,
        stationarity=choose(accepted, stationarity, state.stationarity),
        converged=torch.where(accepted, converged, state.converged),
        stalled=state.stalled | (rejected >= TRIALS),
    )
    return following, MarquardtInfo(accepted=accepted)


def _aim(chart: SolvingChart, state: MarquardtState) -> Float[Tensor, "start dim"]:
    """Choose the step: once without bounds, then with those in its way."""
    y, near = state.position, state.near
    held = _held(chart, y, near.gradient)
    unit = torch.where(state.unit > 0, state.unit, 1)
    nothing = torch.zeros_like(y)
    first = _solve(near, unit, state.damping, held, nothing)
    below, above = chart.lower - y, chart.upper - y
    stopped = held | (first < below) | (first > above)
    fixed = torch.where(stopped, first.clamp(below, above), 0)
    return _solve(near, unit, state.damping, stopped, fixed)


def _solve(
    near: Linearization, unit: Tensor, damping: Tensor, fixed: Tensor, value: Tensor
) -> Tensor:
    """Return the damped step whose fixed coordinates have given values."""
    free = (~fixed).to(value.dtype)
    rest = near.projected + (near.factor @ value[:, :, None])[:, :, 0]
    upper = near.factor * (free / unit)[:, None]
    price = damping.sqrt()[:, None, None] * torch.eye(
        unit.shape[1], dtype=unit.dtype, device=unit.device
    )
    q, factor = torch.linalg.qr(torch.cat([upper, price], 1))
    side = -(q[:, : upper.shape[1]].mT @ rest[:, :, None])
    found = torch.linalg.solve_triangular(factor, side, upper=True)[:, :, 0]
    return torch.where(fixed, value, found / unit)


def _held(chart: SolvingChart, y: Tensor, gradient: Tensor) -> Tensor:
    """Return which coordinates are at a bound with a gradient that pushes outwards."""
    return ((y <= chart.lower) & (gradient >= 0)) | ((y >= chart.upper) & (gradient <= 0))


def _judge(
    chart: SolvingChart, y: Tensor, near: Linearization, tolerance: float
) -> tuple[Float[Tensor, " start"], Bool[Tensor, " start"]]:
    """Return the projected gradient, and whether no free column leads on."""
    projected = residual(chart, y, near.gradient).abs()
    stationarity = (projected / near.columns.clamp(min=1)).amax(1)
    # 2 J^T r by column, over 2 |J| |r|: the cosine of More's test.
    steep = torch.where(_held(chart, y, near.gradient), 0, near.gradient).abs()
    limit = 2 * tolerance * near.columns * near.squares.sqrt()[:, None]
    finite = torch.isfinite(near.squares)
    return torch.where(finite, stationarity, torch.inf), finite & (steep <= limit).all(1)
