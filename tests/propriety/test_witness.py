"""A direction is believed only where the energy along it, and beside it, is as claimed."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from ebmlang.analysis.verdict import Direction, Question
from tests.propriety.fragment import Unknown
from tests.propriety.wild import read_wild
from tests.propriety.witness import energy_of_columns, require_witness

UNKNOWNS = (Unknown("x"), Unknown("s", "positive", 0))


def claim(question: Question, energy: str, **rest: Any) -> None:
    """Any: the fields of a direction, with plain numbers for the rates and starts."""
    start: Mapping[str, float] = {"x": 0.0, "s": 1.0} | rest.pop("start", {})
    rates: Mapping[str, float] = {"x": 0.0, "s": 0.0} | rest.pop("rates", {})
    direction = Direction(
        start={path: np.asarray(value, dtype=np.float64) for path, value in start.items()},
        rates={path: np.asarray(value, dtype=np.float64) for path, value in rates.items()},
        **rest,
    )
    read = read_wild(UNKNOWNS, [energy], [])
    require_witness(question, direction, energy_of_columns(read, UNKNOWNS))


OUT, BACK, UP = {"x": 1.0}, {"x": -1.0}, {"s": 1.0}

TRUE = [
    (Question.INTEGRABLE, "softplus(x)", {"rates": BACK}),
    (Question.INTEGRABLE, "0.75 * log1p(abs(x))", {"rates": OUT, "log_rate": 0.75}),
    (Question.INTEGRABLE, "normal(x, 1, s) + x**2", {"rates": UP, "log_rate": 1.0}),
    (
        Question.INTEGRABLE,
        "log(s) + x**2",
        {"rates": UP, "start": {"s": 0.0}, "towards_zero": True, "log_rate": 1.0},
    ),
    (
        Question.INTEGRABLE,
        "2 * log(norm([x, s]))",
        {
            "rates": UP,
            "start": {"s": 0.0},
            "towards_zero": True,
            "log_rate": 2.0,
            "dimensions": 2,
        },
    ),
    (Question.BOUNDED_BELOW, "x", {"rates": BACK, "log_rate": -np.inf}),
    (
        Question.BOUNDED_BELOW,
        "normal(x, 0, s)",
        {"rates": UP, "start": {"s": 0.0}, "towards_zero": True, "log_rate": 1.0},
    ),
    (Question.HAS_MINIMIZER, "exp(-x)", {"rates": OUT}),
]

FALSE = [
    # It grows.
    (Question.INTEGRABLE, "abs(x)", {"rates": OUT}),
    (Question.INTEGRABLE, "log1p(abs(x))", {"rates": OUT, "log_rate": 0.75}),
    # It grows too fast for the volume claimed.
    (Question.INTEGRABLE, "2 * log1p(abs(x))", {"rates": OUT, "log_rate": 2.0}),
    (
        Question.INTEGRABLE,
        "log(s) / 2 + x**2",
        {"rates": UP, "start": {"s": 0.0}, "towards_zero": True, "log_rate": 0.5},
    ),
    # Level along it, and nowhere beside it.
    (Question.INTEGRABLE, "abs(x) * s", {"rates": UP}),
    # It leaves the domain; nothing moves.
    (Question.INTEGRABLE, "0 * x", {"rates": {"s": -1.0}}),
    (Question.INTEGRABLE, "0 * x", {}),
    # It stays, or comes to rest.
    (Question.BOUNDED_BELOW, "0 * x", {"rates": OUT}),
    (Question.BOUNDED_BELOW, "-3 * tanh(x / 100)", {"rates": OUT}),
    # It rises again.
    (Question.HAS_MINIMIZER, "abs(x - 1000)", {"rates": OUT, "log_rate": np.inf}),
]


@pytest.mark.parametrize(("question", "energy", "rest"), TRUE)
def test_a_true_direction_is_believed(question: Question, energy: str, rest: dict[str, Any]):
    claim(question, energy, **rest)


@pytest.mark.parametrize(("question", "energy", "rest"), FALSE)
def test_a_false_direction_is_not_believed(question: Question, energy: str, rest: dict[str, Any]):
    with pytest.raises(AssertionError):
        claim(question, energy, **rest)


def test_improper_without_a_direction_is_not_believed():
    read = read_wild(UNKNOWNS, ["x"], [])

    with pytest.raises(AssertionError, match="without a direction"):
        require_witness(Question.INTEGRABLE, None, energy_of_columns(read, UNKNOWNS))
