"""Basin hopping: walkers are thrown out of their basins, fall into others, and stay or return.

What the walkers see is the energy of the basin's floor alone, a landscape of plateaus without the
slopes between them. Many walkers move as one batch, and learn two things from each other: the
temperature, and how well each of them moves.

Three choices make one setting do for every model. A move shifts a random share of the coordinates,
from one of them to all, since some problems need one part put right and others all of
them at once. The temperature is a fixed share of what moves between basins typically cost, so it
has the energy's own unit. And the length of a walker's moves grows when it falls back into the
basin that it came from, and shrinks when it lands far uphill.

Source: Wales and Doye, Global optimization by basin-hopping (1997), section 2.
"""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ebmlang.runtime import build_generator
from ebmlang.solve.local import Local, bring_down
from ebmlang.solve.problem import Problem
from ebmlang.solve.search.landing import Landing, weigh
from ebmlang.solve.search.method import Round, end_round
from ebmlang.solve.search.shift import shift
from ebmlang.solve.search.starts import draw

FIRST_LENGTH = 0.2
"""Length of the first moves, in the solver's coordinates, where a bounded unknown has [-1, 1]."""

LENGTHS = (1e-3, 1.0)
"""Limits of the length."""

GROWTH = 1.2
"""Factor by which a walker's moves get longer or shorter."""

COLD = 0.2
"""Temperature, as a share of the median cost of a move to another basin: one in a hundred of those
is accepted uphill, and all that are much cheaper."""

GATHERED = 16
"""One of so many walkers goes on from where a better one is after each round: often enough for the
best to be copied some twenty times in a hundred rounds, rarely enough for others to find their
own."""

SAME = 1e-6
"""Energies that differ by less, relative to their size or to 1, are of the same basin."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HoppingState:
    """Where the walkers are.

    Attributes:
        rounds: How many have been.
        walkers: The floors of their basins, and what they are worth.
        length: How far each one moves, in the solver's coordinates.
    """

    rounds: int
    walkers: Landing
    length: Float[Tensor, " start"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BasinHopping:
    """The method.

    Attributes:
        starts: How many walkers.
        local: How they fall to the floors of basins.
    """

    starts: int
    local: Local

    @property
    def name(self) -> str:
        """What a user calls it."""
        return "basin-hopping"

    def init(self, problem: Problem) -> tuple[HoppingState, Round]:
        """Let walkers that are spread over the domain fall."""
        y, nonfinite = draw(problem, self.starts, problem.seed, self.local)
        found = end_round(problem, bring_down(problem, y, self.local), nonfinite)
        walkers = weigh(found.places)
        length = torch.full_like(walkers.energy, FIRST_LENGTH)
        state = HoppingState(rounds=1, walkers=walkers, length=length)
        return state, found

    def step(self, problem: Problem, state: HoppingState) -> tuple[HoppingState, Round]:
        """Throw every walker out of its basin once."""
        here = state.walkers
        rng = build_generator(problem.seed, f"hop {state.rounds}", here.position.device)
        trial = shift(problem, here.position, state.length, rng)
        found = end_round(problem, bring_down(problem, trial, self.local))
        there = weigh(found.places)
        rise = there.energy - here.energy
        same = rise.abs() <= SAME * here.energy.abs().clamp(min=1)
        temperature = _temperature(rise, same)
        taken = accept(here, there, temperature, rng)
        far = ~same & (rise > temperature)
        factor = torch.where(same, GROWTH, torch.where(far, 1 / GROWTH, 1.0))
        following = HoppingState(
            rounds=state.rounds + 1,
            walkers=here.replaced(taken, there),
            length=(state.length * factor).clamp(*LENGTHS),
        )
        return _gather(following), found


def _gather(state: HoppingState) -> HoppingState:
    """Let the worst walkers go on from where the best are."""
    walkers = state.walkers
    count = len(walkers.energy) // GATHERED
    # By energy first, then stably by violation: feasible ones come first.
    order = torch.argsort(walkers.energy, stable=True)
    order = order[torch.argsort(walkers.violation[order], stable=True)]
    source = torch.arange(len(order), device=order.device)
    source[order[len(order) - count :]] = order[:count]
    return HoppingState(
        rounds=state.rounds, walkers=walkers.take(source), length=state.length[source]
    )


def accept(
    here: Landing, there: Landing, temperature: Tensor, rng: torch.Generator
) -> Bool[Tensor, " start"]:
    """Decide by Metropolis' rule; what is feasible is always better than what is not."""
    chance = torch.rand(
        here.energy.shape, dtype=here.energy.dtype, device=here.energy.device, generator=rng
    )
    rise = there.energy - here.energy
    uphill = chance < torch.exp(-(rise / temperature).clamp(min=0)).nan_to_num(nan=0.0)
    level = there.violation == here.violation
    return (there.violation < here.violation) | (level & uphill)


def _temperature(rise: Tensor, same: Tensor) -> Tensor:
    """Return the temperature that what this round's moves cost suggests."""
    moved = torch.isfinite(rise) & ~same
    cost = torch.where(moved, rise.abs(), torch.nan).nanmedian()
    tiny = torch.finfo(rise.dtype).tiny
    return (COLD * cost).nan_to_num(nan=0.0).clamp(min=tiny)
