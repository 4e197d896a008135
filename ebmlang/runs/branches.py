"""Branches judged one by one: where the whole looks sound, a small one of them need not be.

The whole is in proportion by construction, so what is left to ask is whether the chains of each
branch agree and move. How many draws a branch has is what its mass asks for, and speaks neither for
nor against it.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ebmlang.runs.chain_health import read_facts
from ebmlang.runs.concerns import Concern, Sign
from ebmlang.runs.convergence import LEAST_DRAWS, Verdict, judge
from ebmlang.runs.values import DrawValues

if TYPE_CHECKING:
    from ebmlang.sample import Draws

BRANCH = "branch"
"""What the number of a draw's branch is called among the statistics."""

ASKED = frozenset({Sign.STILL, Sign.ACCEPTANCE})
"""What is asked of every branch. Divergences are counted in the whole: of so few trajectories two
or three are a share that says nothing."""

LEAST_JUDGED = 400
"""Draws of each chain from which on it is asked whether they agree: R-hat of sound chains of
trajectories reaches 1.03 at a hundred draws each, whose effective ones are two thousand."""

ASKED_OF_MANY = ASKED | {Sign.BFMI, Sign.R_HAT, Sign.DRIFT}
"""What is asked of a branch with as many draws."""


def judge_branches(found: "Draws", values: DrawValues, whole: Verdict) -> Iterator[Concern]:
    """Yield what speaks against single branches of a run, beyond what speaks against the whole.

    Args:
        found: What the sampler says of the draws.
        values: What the spec says of them.
        whole: The verdict on all draws together.
    """
    turns = np.asarray(values.stats[BRANCH])
    # What moves is the branch whose turn it is for the first chain, which so has as many draws of
    # each as others, or one more.
    numbers = turns[0]
    names = list(found.adaptation)
    said = {concern.sign for concern in whole.concerns}
    for number in np.unique(numbers) if numbers.any() else ():
        places = np.flatnonzero(numbers == number)
        if len(places) < LEAST_DRAWS:
            continue
        asked = ASKED if len(places) < LEAST_JUDGED else ASKED_OF_MANY
        chosen = turns == number
        least = int(chosen.sum(1).min())
        quantities = {
            name: _take(array, chosen, least) for name, array in values.quantities.items()
        }
        facts = read_facts(_select(found, places[:least]))
        for concern in judge(quantities, facts).concerns:
            if concern.sign in asked - said:
                said.add(concern.sign)
                reason = f"in the branch `{names[number]}`: {concern.reason}"
                yield replace(concern, reason=reason)


def _take(array: "np.ndarray", chosen: "np.ndarray", least: int) -> "np.ndarray":
    """Return the first chosen draws of each chain, as many of each."""
    return np.stack([row[mask][:least] for row, mask in zip(array, chosen, strict=True)])


def _select(found: "Draws", places: "np.ndarray") -> "Draws":
    """Return some of the draws, the same of each chain."""
    from ebmlang.sample.draws import PER_DRAW

    chunk = found.chunk
    chosen = {name: getattr(chunk, name)[:, places] for name in PER_DRAW}
    return replace(found, chunk=replace(chunk, **chosen))
