"""Solving: global methods choose starts, local ones bring them to rest, designs are told apart."""

from typing import Any

import torch

from ebmlang.runtime import (
    UNLIMITED,
    Budget,
    Progress,
    SilentProgress,
    Target,
    concatenate,
    threads_for,
    watch_interrupts,
)
from ebmlang.solve.answers.agreement import count_agreement, judge
from ebmlang.solve.answers.designs import tell_apart
from ebmlang.solve.answers.diversity import Diversity
from ebmlang.solve.local import ADAM_STEPS, STEPS, Local
from ebmlang.solve.loop import Watch
from ebmlang.solve.problem import build_problem
from ebmlang.solve.search.method import Search
from ebmlang.solve.search.multistart import Multistart
from ebmlang.solve.solution import Solution, StoppingReason
from ebmlang.source import Diagnostic, EbmError
from ebmlang.spaces import Layout

STARTS = 128
"""Starts, where the caller does not say."""

DESIGNS = 10
"""Most designs that are kept, where the caller does not say."""

CONVERGED_POWER = 1 / 3
"""Power of eps that makes the projected gradient small enough to be called converged."""


def solve(
    target: Target,
    layout: Layout,
    *,
    seed: int = 0,
    starts: int = STARTS,
    adam_steps: int = ADAM_STEPS,
    lbfgs_steps: int = STEPS,
    designs: int = DESIGNS,
    diversity: Diversity | None = None,
    progress: Progress | None = None,
    budget: Budget = UNLIMITED,
) -> Solution:
    """Minimize an energy over its domain, under its requirements, from many starts.

    Args:
        target: The energy; its dtype and device are those of the run.
        layout: Where its points live.
        seed: Chooses the starts.
        starts: How many there are.
        adam_steps: Steps of Adam.
        lbfgs_steps: Evaluations of L-BFGS per start after it, without requirements; with them,
            each round of multipliers gets a quarter.
        designs: Most designs to keep.
        diversity: Where they are to differ, how good they must be; None keeps the best.
        progress: Hears how far the run is.
        budget: Limits the time; what is found by then is returned.

    Returns:
        The designs, lowest energy first. Ctrl-C ends the run early with what there is.

    Raises:
        EbmError: E0708 where there is no unknown; E0707 where no start has a finite energy.
    """
    local = Local(adam_steps=adam_steps, steps=lbfgs_steps)
    return search(
        target,
        layout,
        Multistart(starts=starts, local=local),
        seed=seed,
        designs=designs,
        diversity=diversity,
        width=starts,
        progress=progress,
        budget=budget,
    )


# Any: the state of a search is its own.
def search(
    target: Target,
    layout: Layout,
    method: Search[Any],
    *,
    seed: int = 0,
    rounds: int = 1,
    confirming: int = 0,
    designs: int = DESIGNS,
    diversity: Diversity | None = None,
    width: int = STARTS,
    progress: Progress | None = None,
    budget: Budget = UNLIMITED,
) -> Solution:
    """Minimize with a global method.

    Args:
        target: The energy; its dtype and device are those of the run.
        layout: Where its points live.
        method: Chooses where to begin, round by round.
        seed: Of all random numbers.
        rounds: How many, at most.
        confirming: After so many in a row that confirm the best energy it ends before; 0 where
            it does not.
        designs: Most designs to keep.
        diversity: Where they are to differ, how good they must be; None keeps the best.
        width: Points evaluated at once, for the number of threads.
        progress: Hears how far the run is.
        budget: Limits the time; what is found by then is returned.

    Returns:
        The designs of all rounds, lowest energy first.

    Raises:
        EbmError: E0708 where there is no unknown; E0707 where no start has a finite energy.
    """
    if layout.dim == 0:
        raise EbmError(
            Diagnostic(
                code="E0708",
                headline="there is nothing to find: the model has no unknowns",
                helps=("declare what to find, such as `var x: real in [0, 1]`",),
            )
        )
    listener = SilentProgress() if progress is None else progress
    # The search differentiates, whatever mode the caller is in.
    differentiable = torch.inference_mode(False)
    with differentiable, threads_for(width * layout.dim), watch_interrupts() as interrupt:
        watch = Watch(listener, budget.start(), interrupt)
        problem = build_problem(target, layout, seed=seed, watch=watch)
        state, first = method.init(problem)
        found = [first]
        merits = [judge(first.places)]
        eps = torch.finfo(target.dtype).eps
        agreement = count_agreement(merits, eps)
        for _ in range(rounds - 1):
            if watch.reason is not None or 0 < confirming <= agreement.confirming:
                break
            state, following = method.step(problem, state)
            found.append(following)
            merits.append(judge(following.places))
            agreement = count_agreement(merits, eps)
        ends = concatenate([part.ends for part in found])
        rested = StoppingReason.RESTED if bool(ends.done.all()) else StoppingReason.STEPS
        return tell_apart(
            target,
            problem.chart,
            ends,
            concatenate([part.places for part in found]),
            most=designs,
            tolerance=eps**CONVERGED_POWER,
            nonfinite_starts=sum(part.nonfinite_starts for part in found),
            evaluations=watch.evaluations,
            reason=watch.reason or rested,
            agreement=agreement,
            diversity=diversity,
        )
