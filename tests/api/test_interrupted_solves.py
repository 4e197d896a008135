"""Ctrl-C in searches of several parts, and time that is too short: what is found is kept."""

import signal

import numpy as np
import pytest

from ebmlang.api.conflict import question_model
from ebmlang.api.load import loads
from ebmlang.runs import Status
from ebmlang.runtime import Deadline
from ebmlang.solve.contradiction.conflict import OutOfTimeError

TIERS = """
var x: real[2] in [-5, 5]
minimize cost: (x[0]^2 - 1)^2
minimize noise: (x[0] - 1)^2 + (x[1]^2 - 4)^2
priority cost > noise
"""


class Stopping:
    """Presses Ctrl-C once, when a part of the run begins for the `at`-th time."""

    def __init__(self, at: int) -> None:
        self.left = at

    def started(self, total: int, text: str) -> None:
        del total, text
        self.left -= 1
        if self.left == 0:
            signal.raise_signal(signal.SIGINT)

    def advance(self, count: int, text: str) -> None:
        """Not asked."""

    def finished(self, text: str) -> None:
        """Not asked."""


def test_an_interrupted_front_says_so() -> None:
    model = loads("var x: real in [-2, 2]\nminimize a: (x - 1)^2\nminimize b: (x + 1)^2\n")

    front = model.pareto(["a", "b"], starts=8, progress=Stopping(at=2))

    assert front.status is Status.INTERRUPTED
    assert front.designs


def test_an_interrupted_priority_has_as_many_designs_as_were_asked_for() -> None:
    found = loads(TIERS).solve(starts=16, designs=1, progress=Stopping(at=2))

    assert found.status is Status.INTERRUPTED
    assert len(found) == 1


def test_no_time_for_a_question_is_no_answer_to_it() -> None:
    """Neither bounds nor planes refute it, so that a search would have to."""
    model = loads(
        "var x: real[2] in [-2, 2]\n"
        "require high: sin(x[0] + x[1]) * cos(x[0] * x[1]) >= 0.99\n"
        "require low: sin(x[0] + x[1]) <= 0.9\n"
    )
    asked = question_model(model, seed=0, starts=4)
    asked.oracle.deadline = Deadline(moment=0.0)

    with pytest.raises(OutOfTimeError):
        asked.oracle.search(asked.oracle.requirements.units)


def test_what_few_starts_found_outlives_the_end_of_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The time ends while the first search is judged."""
    import ebmlang.api.solving as solving

    over = []
    monkeypatch.setattr(Deadline, "is_over", lambda _self: bool(over))

    def judged(*arguments: object, **_named: object) -> tuple[object, None]:
        over.append(True)
        return arguments[2], None

    monkeypatch.setattr(solving, "improve", judged)

    found = loads("var x: real[3] in [-9, 9]\nminimize e: sum(abs(x - 1))").solve(seconds=60.0)

    assert over
    np.testing.assert_allclose(found[0].variables["x"], 1, atol=1e-3)
