"""Where `solve` finds nothing feasible: which requirements are to blame, in bounded time."""

from ebmlang.api.conflict import describe_conflict, question_model
from ebmlang.api.model import Model
from ebmlang.runs.conflict import Conflicting
from ebmlang.runtime import Budget
from ebmlang.solve.contradiction.conflict import Answer, OutOfTimeError, find_conflict

STARTS = 24
"""Starts of each search among the questions: there are several, and each is answered by the first
point that is found."""


def blame_requirements(model: Model, *, seed: int, seconds: float) -> Conflicting | None:
    """Return a smallest set of requirements that cannot hold together.

    Args:
        model: Bound to its data; a search has found nothing that holds all it requires.
        seed: Of all searches.
        seconds: How long to look.

    Returns:
        None where it was not found in time, or a point turns up where all holds.
    """
    asked = question_model(model, seed=seed, starts=STARTS)
    asked.oracle.deadline = Budget(seconds=seconds).start()
    try:
        found = find_conflict(asked.oracle)
        return None if isinstance(found, Answer) else describe_conflict(asked, found)
    except (OutOfTimeError, KeyboardInterrupt):
        # What the search before has found is still to be shown.
        return None
