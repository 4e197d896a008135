"""How well starts agree on the best: what tells a search when to end, and people how sure it is.

Starts are independent, so a minimum that two of them found is no accident, and one that only one
of them found may well have a better neighbor that none did. A round *confirms* the best when
enough of its starts reach it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ebmlang.solve.places import Places

AGREEING_POWER = 1 / 3
"""Power of eps that makes energies equal, relative to the best or to 1 [nats]: what starts that
stop at a kink or along a flat valley still have in common."""

CONFIRMING = 2
"""Starts of a round that must reach the best for the round to confirm it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Merit:
    """What the starts of one round are worth.

    Attributes:
        energy: Where each ended [nats]; `inf` where it is not finite.
        violation: Its largest violation of a requirement [tolerances]; 0 where all hold.
    """

    energy: Float[Tensor, " start"]
    violation: Float[Tensor, " start"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How many starts found the best.

    Attributes:
        reached: Starts that ended with the best energy; where none is feasible, with the least
            violation.
        starts: All starts.
        rounds: Rounds that there were.
        confirming: Rounds at the end, in a row, that each confirm the best.
    """

    reached: int
    starts: int
    rounds: int
    confirming: int


def judge(ends: Places) -> Merit:
    """Return what the ends of a round are worth."""
    violation = (-ends.margins).nan_to_num(nan=torch.inf).clamp(min=0)
    energy = ends.energies.nan_to_num(nan=torch.inf, neginf=torch.inf)
    largest = violation.amax(1) if ends.margins.shape[1] else torch.zeros_like(energy)
    return Merit(energy=energy, violation=largest)


def count_agreement(rounds: Sequence[Merit], eps: float) -> Agreement:
    """Count the starts that reached the best of all rounds.

    Args:
        rounds: What the starts of each are worth; one round or more.
        eps: Of the dtype in which energies are computed.
    """
    feasible = any(bool((part.violation == 0).any()) for part in rounds)
    # Where nothing is feasible, what starts can agree on is the least violation.
    values = [
        torch.where(part.violation == 0, part.energy, torch.inf) if feasible else part.violation
        for part in rounds
    ]
    best = min(float(value.min()) for value in values)
    limit = best + eps**AGREEING_POWER * max(abs(best), 1.0)
    reached = [int((value <= limit).sum()) for value in values] if best < torch.inf else [0]
    confirming = 0
    for count in reversed(reached):
        if count < CONFIRMING:
            break
        confirming += 1
    return Agreement(
        reached=sum(reached),
        starts=sum(len(value) for value in values),
        rounds=len(rounds),
        confirming=confirming,
    )
