"""Adam on all starts at once, kept inside the domain.

Gets near. Two changes make one setting do for every model: the step is in the solver's
coordinates, where a bounded unknown lies in [-1, 1]; and each start's gradient is scaled to
length one before the moments see it. Energies such as `r^-12` begin with gradients of 1e12 and
end at 1; Adam's second moment would remember the first for thousands of steps and stand still.

Source: Kingma and Ba, Adam (2015), algorithm 1.
"""

import math
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ebmlang.solve.descent.method import Minimum
from ebmlang.solve.objective import Evaluation, Objective, choose

FIRST_MOMENT = 0.9
SECOND_MOMENT = 0.99
"""Decay rates of the moments. The second is shorter than the paper's 0.999, since a phase of a
few hundred steps must forget where it began."""

STEP = 0.1
"""Length of the first steps, in the solver's coordinates; it falls along a cosine."""

LAST_SHARE = 0.01
"""The last step's share of the first."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AdamState:
    """Where each start is, and its best point so far.

    Attributes:
        count: Steps taken.
        caution: Factor of the step per start; halved each time a step leads out of where the
            energy is finite.
    """

    count: int
    position: Float[Tensor, "start dim"]
    evaluation: Evaluation
    first: Float[Tensor, "start dim"]
    second: Float[Tensor, "start dim"]
    caution: Float[Tensor, " start"]
    best_position: Float[Tensor, "start dim"]
    best_value: Float[Tensor, " start"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AdamInfo:
    """What a step did.

    Attributes:
        blocked: Starts whose step led to a value that is not finite, and was taken back.
    """

    blocked: Bool[Tensor, " start"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Adam:
    """The method.

    Attributes:
        steps: How many there will be, over which steps get shorter.
    """

    steps: int

    @property
    def name(self) -> str:
        """What a user calls it."""
        return "adam"

    def init(self, objective: Objective, position: Float[Tensor, "start dim"]) -> AdamState:
        """Begin at the positions."""
        return init(objective, position)

    def step(self, objective: Objective, state: AdamState) -> tuple[AdamState, AdamInfo]:
        """Take one step."""
        return step(objective, state, self.steps)

    def read(self, state: AdamState) -> Minimum:
        """Return the best point of each start; none of them has come to rest."""
        return Minimum(
            position=state.best_position,
            value=state.best_value,
            stationarity=torch.full_like(state.best_value, torch.inf),
            done=torch.zeros_like(state.best_value, dtype=torch.bool),
        )


def init(objective: Objective, position: Float[Tensor, "start dim"]) -> AdamState:
    """Begin at the positions."""
    evaluation = objective.evaluate(position)
    zeros = torch.zeros_like(position)
    return AdamState(
        count=0,
        position=position,
        evaluation=evaluation,
        first=zeros,
        second=zeros,
        caution=torch.ones_like(evaluation.value),
        best_position=position,
        best_value=evaluation.value,
    )


def step(objective: Objective, state: AdamState, total: int) -> tuple[AdamState, AdamInfo]:
    """Take one of `total` steps; a step to a value that is not finite is taken back."""
    gradient = state.evaluation.gradient
    length = gradient.norm(dim=1, keepdim=True)
    direction = gradient / length.clamp(min=torch.finfo(gradient.dtype).tiny)
    first = FIRST_MOMENT * state.first + (1 - FIRST_MOMENT) * direction
    second = SECOND_MOMENT * state.second + (1 - SECOND_MOMENT) * direction.square()
    count = state.count + 1
    mean = first / (1 - FIRST_MOMENT**count)
    spread = (second / (1 - SECOND_MOMENT**count)).sqrt()
    size = state.caution[:, None] * schedule(state.count, total)
    # Where every gradient so far was zero, mean and spread are zero and nothing moves.
    move = size * mean / spread.clamp(min=torch.finfo(spread.dtype).eps)
    trial = objective.chart.retract(state.position - move)
    found = objective.evaluate(trial)

    finite = torch.isfinite(found.value)
    position = choose(finite, trial, state.position)
    value = choose(finite, found.value, state.evaluation.value)
    better = value < state.best_value
    following = AdamState(
        count=count,
        position=position,
        evaluation=Evaluation(
            value=value, gradient=choose(finite, found.gradient, state.evaluation.gradient)
        ),
        first=choose(finite, first, torch.zeros_like(first)),
        second=second,
        caution=torch.where(finite, state.caution, state.caution / 2),
        best_position=choose(better, position, state.best_position),
        best_value=torch.where(better, value, state.best_value),
    )
    return following, AdamInfo(blocked=~finite)


def schedule(count: int, total: int) -> float:
    """Return the length of a step after `count` of `total`."""
    fall = (1 + math.cos(math.pi * count / total)) / 2
    return STEP * (LAST_SHARE + (1 - LAST_SHARE) * fall)
