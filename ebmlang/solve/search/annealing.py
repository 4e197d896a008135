"""Annealing: a batch of random walks at a temperature that falls, each then brought to rest.

A walk accepts what is uphill by Metropolis' rule, so it crosses barriers that are not much higher
than the temperature, and it needs values only: jumps and kinks are no hindrance. The first
temperature is the spread of the energy over the starts; the length of each walk's moves follows its
acceptance.

What is required stands in the energy as a squared penalty that grows as the temperature falls.

Source: Kirkpatrick, Gelatt and Vecchi, Optimization by simulated annealing (1983); the target of
acceptance from Roberts and Rosenthal, Optimal scaling for various Metropolis-Hastings algorithms
(2001).
"""

from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.runtime import build_generator
from ebmlang.solve.constraints import augmented_lagrangian
from ebmlang.solve.descent.method import Minimum
from ebmlang.solve.local import Local, bring_down
from ebmlang.solve.objective import Lagrangian, choose
from ebmlang.solve.problem import Problem
from ebmlang.solve.search.landing import judge
from ebmlang.solve.search.method import Round, end_round
from ebmlang.solve.search.shift import shift
from ebmlang.solve.search.starts import draw

SWEEPS = 2000
"""Moves of each walk per round: as many values as some hundred descents of a few steps cost."""

LAST = 1e-4
"""The last temperature's share of the first: barriers of a ten-thousandth of the spread are left to
the descent."""

ACCEPTANCE = 0.3
"""Share of moves to be accepted, between 0.44 of one coordinate at a time and 0.23 of all at
once."""

LEARNING = 0.05
"""By what share a move's outcome changes the length of the next."""

FIRST_LENGTH = 0.3
"""Length of the first moves, in the solver's coordinates."""

LENGTHS = (1e-6, 2.0)
"""Limits of the length."""

REHEATED = 1 / 2
"""Each further round begins at this power of the fall of the temperature: warm enough to leave
a basin, too cool to forget the valley it lies in."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnnealingState:
    """Where the walks have come to.

    Attributes:
        rounds: How many have been.
        position: In the solver's coordinates.
        heat: The first temperature [nats].
    """

    rounds: int
    position: Float[Tensor, "start dim"]
    heat: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Annealing:
    """The method.

    Attributes:
        starts: How many walks.
        local: How they are brought to rest in the end.
        sweeps: Moves of each walk per round.
    """

    starts: int
    local: Local
    sweeps: int = SWEEPS

    @property
    def name(self) -> str:
        """What a user calls it."""
        return "annealing"

    @property
    def _arrival(self) -> Local:
        # Where a walk has cooled down it is near already.
        return replace(self.local, adam_steps=0)

    def init(self, problem: Problem) -> tuple[AnnealingState, Round]:
        """Let walks that are spread over the domain cool down."""
        y, nonfinite = draw(problem, self.starts, problem.seed, self._arrival)
        energy = judge(problem, y).energy
        middle = energy.median()
        heat = float((energy - middle).abs().median().clamp(min=torch.finfo(y.dtype).tiny))
        state = AnnealingState(rounds=0, position=y, heat=heat)
        state, found = self._round(problem, state, 1.0)
        return state, replace(found, nonfinite_starts=nonfinite)

    def step(self, problem: Problem, state: AnnealingState) -> tuple[AnnealingState, Round]:
        """Warm the walks up again, to less than at first, and let them cool down."""
        return self._round(problem, state, LAST**REHEATED)

    def _round(
        self, problem: Problem, state: AnnealingState, first: float
    ) -> tuple[AnnealingState, Round]:
        position = _cool(problem, state, first, self.sweeps)
        rested = bring_down(problem, position, self._arrival)
        ends = keep_better(problem, position, rested)
        following = replace(state, rounds=state.rounds + 1, position=ends.position)
        return following, end_round(problem, ends)


def keep_better(problem: Problem, before: Float[Tensor, "start dim"], ends: Minimum) -> Minimum:
    """Return the ends, but the places before where a descent along gradients made them worse."""
    worse = judge(problem, before).is_better(judge(problem, ends.position))
    return replace(ends, position=choose(worse, before, ends.position))


def _cool(
    problem: Problem, state: AnnealingState, first: float, sweeps: int
) -> Float[Tensor, "start dim"]:
    """Walk while the temperature falls; return the lowest place of each walk at its end."""
    watch, y = problem.watch, state.position
    rng = build_generator(problem.seed, f"anneal {state.rounds}", y.device)
    lagrangian = augmented_lagrangian.init(problem.target, problem.chart, y).lagrangian
    penalty = lagrangian.penalty
    length = torch.full_like(y[:, 0], FIRST_LENGTH * first)
    watch.progress.started(sweeps, "cooling down")
    for sweep in range(sweeps):
        if watch.reason is not None:
            break
        share = first * (LAST / first) ** (sweep / sweeps)
        cooled = replace(lagrangian, penalty=penalty / share)
        y, length = _move(problem, cooled, y, length, share * state.heat, rng)
        watch.progress.advance(1, f"temperature {share * state.heat:.3g}")
    watch.progress.finished("")
    return y


def _move(
    problem: Problem,
    lagrangian: Lagrangian,
    y: Tensor,
    length: Tensor,
    temperature: float,
    rng: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Offer every walk one move; return where they are, and how far they move next."""
    trial = shift(problem, y, length, rng)
    rise = _value(problem, lagrangian, trial) - _value(problem, lagrangian, y)
    chance = torch.rand(rise.shape, dtype=rise.dtype, device=rise.device, generator=rng)
    taken = chance < torch.exp(-(rise / temperature).clamp(min=0)).nan_to_num(nan=0.0)
    problem.watch.evaluations += 2 * len(y)
    change = LEARNING * (taken.to(rise.dtype) - ACCEPTANCE)
    return choose(taken, trial, y), (length * change.exp()).clamp(*LENGTHS)


def _value(problem: Problem, lagrangian: Lagrangian, y: Tensor) -> Tensor:
    with torch.no_grad():
        value = lagrangian.value(problem.chart.to_written(y))
    return torch.where(torch.isfinite(value), value, torch.inf)
