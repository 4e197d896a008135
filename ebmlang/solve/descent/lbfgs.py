"""L-BFGS with bounds on all starts at once, each with its own line search and history.

One step is one evaluation of the batch. A start whose trial point is good enough takes it,
learns from it and chooses a new direction; any other start shortens its step and tries
again next time. So no start waits for another and no evaluation is idle.

Bounds: coordinates at a bound whose gradient pushes outwards are held there; the
quasi-Newton model is restricted to the others (and to the tangent space on spheres and
rotations), and the trial point is brought back into the domain by the chart's retraction.

Sources: Bertsekas, Projected Newton methods (1982), sections 2-3, for held coordinates and the
decrease along the projection arc; Nocedal and Wright, Numerical Optimization (2006), algorithm
7.5; Hager and Zhang (2005), section 4.1, for accepting steps within round-off.
"""

from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.linalg import vector_norm

from ebmlang.solve.descent.history import History, apply, begin
from ebmlang.solve.descent.method import Minimum
from ebmlang.solve.objective import Evaluation, Objective, choose, residual

DECREASE = 1e-4
"""Share of the predicted decrease that a step must bring (Armijo)."""

NOISE = 10
"""Changes of the value below so many eps of it are round-off."""

TRIALS = 20
"""Trial points along one direction before the history is dropped; the steps have then shrunk by
at least 2^20, to where the quadratic model says nothing."""

FIRST_MOVE = 0.1
"""Largest coordinate change of a step without history, in the solver's coordinates."""

LARGEST_MOVE = 10.0
"""Largest coordinate change of any step, as a multiple of the largest coordinate or of 1."""

HOLD = 1e-3
"""Furthest distance from a bound at which a coordinate may be held, in the solver's coordinates."""

DESCENT = 1e-10
"""Least cosine between the model's direction and steepest descent for it to be taken."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LbfgsState:
    """Where each start is and where it goes next; every tensor's first axis is the start.

    Attributes:
        history: What the steps so far say of the curvature.
        modelled: Whether the direction is that of the model, and not steepest descent.
        size: Share of the direction to try.
        trials: Trial points so far along the direction.
        stationarity: Largest entry of the projected gradient.
        converged: Whether that is below the tolerance.
        stalled: Whether not even steepest descent finds a lower point.
    """

    position: Float[Tensor, "start dim"]
    value: Float[Tensor, " start"]
    gradient: Float[Tensor, "start dim"]
    history: History
    direction: Float[Tensor, "start dim"]
    modelled: Bool[Tensor, " start"]
    size: Float[Tensor, " start"]
    trials: Int[Tensor, " start"]
    stationarity: Float[Tensor, " start"]
    converged: Bool[Tensor, " start"]
    stalled: Bool[Tensor, " start"]

    @property
    def done(self) -> Bool[Tensor, " start"]:
        """Which starts have nothing left to do."""
        return self.converged | self.stalled


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LbfgsInfo:
    """What a step did.

    Attributes:
        accepted: Starts that moved.
    """

    accepted: Bool[Tensor, " start"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Lbfgs:
    """The method.

    Attributes:
        tolerance: Projected gradient below which a start has converged, relative to the value.
    """

    tolerance: float

    @property
    def name(self) -> str:
        """What a user calls it."""
        return "lbfgs"

    def init(self, objective: Objective, position: Float[Tensor, "start dim"]) -> LbfgsState:
        """Begin at the positions, without history."""
        return init(objective, position, self.tolerance)

    def step(self, objective: Objective, state: LbfgsState) -> tuple[LbfgsState, LbfgsInfo]:
        """Evaluate one trial point per start and take it, or shorten the step."""
        return step(objective, state, self.tolerance)

    def read(self, state: LbfgsState) -> Minimum:
        """Return where the starts are."""
        return Minimum(
            position=state.position,
            value=state.value,
            stationarity=state.stationarity,
            done=state.done,
        )


def init(
    objective: Objective, position: Float[Tensor, "start dim"], tolerance: float
) -> LbfgsState:
    """Begin at the positions, without history."""
    found = objective.evaluate(position)
    stationarity = _stationarity(objective, position, found)
    longest = found.gradient.abs().amax(1).clamp(min=torch.finfo(position.dtype).tiny)
    return LbfgsState(
        position=position,
        value=found.value,
        gradient=found.gradient,
        history=begin(position),
        # Without pairs there is no model: the steepest way, as far as one dares.
        direction=-found.gradient,
        modelled=torch.zeros_like(found.value, dtype=torch.bool),
        size=(FIRST_MOVE / longest).clamp(max=1),
        trials=torch.zeros_like(found.value, dtype=torch.long),
        stationarity=stationarity,
        converged=_is_converged(stationarity, found.value, tolerance),
        # Where the value is not finite there is no gradient to follow.
        stalled=~torch.isfinite(found.value),
    )


def step(objective: Objective, state: LbfgsState, tolerance: float) -> tuple[LbfgsState, LbfgsInfo]:
    """Evaluate one trial point per start and take it, or shorten the step."""
    trial = objective.chart.retract(state.position + state.size[:, None] * state.direction)
    found = objective.evaluate(trial)
    stationarity = _stationarity(objective, trial, found)
    move = trial - state.position
    predicted = (state.gradient * move).sum(1)
    accepted = _is_good(state, found, predicted, stationarity) & ~state.done

    pushed = replace(
        state,
        position=choose(accepted, trial, state.position),
        value=choose(accepted, found.value, state.value),
        gradient=choose(accepted, found.gradient, state.gradient),
        history=state.history.push(accepted, move, found.gradient - state.gradient),
        stationarity=choose(accepted, stationarity, state.stationarity),
        trials=torch.where(accepted, 0, state.trials + 1),
    )
    spent = pushed.trials >= TRIALS
    aimed = _aim(
        objective,
        replace(
            pushed,
            history=pushed.history.drop(spent),
            trials=torch.where(spent, 0, pushed.trials),
            stalled=state.stalled | (spent & ~state.modelled & ~state.done),
            converged=_is_converged(pushed.stationarity, pushed.value, tolerance),
        ),
    )
    again = ~accepted & ~spent
    shorter = state.size * _shrink(found.value - state.value, predicted)
    following = replace(
        aimed,
        direction=choose(again, state.direction, aimed.direction),
        modelled=torch.where(again, state.modelled, aimed.modelled),
        size=torch.where(again, shorter, aimed.size),
    )
    return following, LbfgsInfo(accepted=accepted)


def _is_good(
    state: LbfgsState, found: Evaluation, predicted: Tensor, stationarity: Tensor
) -> Tensor:
    noise = NOISE * torch.finfo(found.value.dtype).eps * state.value.abs()
    lower = (found.value <= state.value + DECREASE * predicted) & (predicted < 0)
    # When differences of the value drown in round-off, the gradient still tells better from worse.
    level = (found.value <= state.value + noise) & (stationarity < state.stationarity)
    return torch.isfinite(found.value) & (lower | level)


def _shrink(rise: Tensor, predicted: Tensor) -> Tensor:
    """Return the minimizer of the parabola through both values, as a share of the step."""
    share = -predicted / (2 * (rise - predicted))
    # A trial that was not finite, or did not rise as a parabola would, says only: much shorter.
    return torch.where(torch.isfinite(share) & (rise > predicted), share, 0.1).clamp(0.1, 0.5)


def _aim(objective: Objective, state: LbfgsState) -> LbfgsState:
    """Choose direction and first step size at the current positions."""
    chart, gradient, y = objective.chart, state.gradient, state.position
    edge = state.stationarity.clamp(max=HOLD)[:, None]
    held = ((y <= chart.lower + edge) & (gradient > 0)) | (
        (y >= chart.upper - edge) & (gradient < 0)
    )
    free = (~held).to(y.dtype)
    inside = gradient * free
    near = replace(
        state.history,
        moves=chart.tangent(y, state.history.moves) * free[:, None],
        changes=chart.tangent(y, state.history.changes) * free[:, None],
    )
    model = apply(near, inside)
    newton = -chart.tangent(y, model.newton[:, None])[:, 0]

    slope = (newton * inside).sum(1)
    steep = vector_norm(inside, dim=1) * vector_norm(newton, dim=1)
    descends = model.has_pairs & torch.isfinite(slope) & (slope < -DESCENT * steep)
    # Held coordinates go straight to their bound, at the scale of the model.
    newton = torch.where(held, -model.scale[:, None] * gradient, newton)
    direction = choose(descends, newton, -gradient)

    longest = direction.abs().amax(1).clamp(min=torch.finfo(y.dtype).tiny)
    room = torch.where(descends, LARGEST_MOVE * y.abs().amax(1).clamp(min=1), FIRST_MOVE)
    size = (room / longest).clamp(max=1)
    return replace(state, direction=direction, modelled=descends, size=size)


def _stationarity(objective: Objective, y: Tensor, found: Evaluation) -> Tensor:
    return residual(objective.chart, y, found.gradient).abs().amax(1)


def _is_converged(stationarity: Tensor, value: Tensor, tolerance: float) -> Tensor:
    return torch.isfinite(value) & (stationarity <= tolerance * value.abs().clamp(min=1))
