import math

import numpy as np

from ebmlang.runs.tail_acceptance import compare_tails


def test_moves_are_counted_where_they_begin_and_not_where_they_end() -> None:
    values = np.random.default_rng(0).normal(size=(4, 2000))
    into_tails = np.where(values > 2.3, 0.1, 0.9)

    assert 0.9 < compare_tails(values, into_tails) < 1.1
    assert compare_tails(values, np.roll(into_tails, 1, axis=1)) < 0.2


def test_one_tail_is_enough() -> None:
    values = np.sort(np.random.default_rng(0).normal(size=(4, 2000)), axis=1)
    acceptances = np.where(values > 2, 0.4, 0.8)

    assert compare_tails(values, acceptances) < 0.6
    assert compare_tails(-values, acceptances) < 0.6


def test_too_few_draws_of_a_tail_say_nothing() -> None:
    values = np.random.default_rng(0).normal(size=(4, 400))

    assert math.isnan(compare_tails(values, np.ones_like(values)))
