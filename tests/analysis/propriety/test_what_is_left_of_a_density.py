"""What a density loses to another term counts: bounds of the whole say nothing of the rest."""

import numpy as np
import pytest

import ebmlang
from ebmlang.analysis import Answer

FLAT = [
    "var x: real ~ normal(0, 1)\nminimize r: -x^2 / 2",
    "var x: real ~ laplace(0, 1)\nminimize r: -abs(x)",
    "var x: real ~ normal(0, 1)\nprefer r: repel(x ~ normal(0, 2), 4)",
    "var x: real ~ normal(0, 2)\nprefer r: repel(x ~ normal(0, 2), 1)",
    "var x: real ~ laplace(0, 1)\nprefer r: repel(x ~ laplace(0, 2), 2)",
    # exp(-E) is like |x|^-0.8.
    "var x: real ~ student_t(1, 0, 1)\nprefer r: repel(x ~ cauchy(0, 1), 0.6)",
    "var x: real ~ student_t(1, 0, 1)\nminimize q: -0.6 * log1p(x^2)",
]


@pytest.mark.parametrize("text", FLAT)
def test_a_density_that_another_term_takes_away_holds_nothing(text):
    facts = ebmlang.loads(text).analyze()

    assert facts.propriety.integrable.answer is Answer.IMPROPER


def test_a_density_of_which_enough_is_left_still_holds():
    text = "var x: real ~ normal(0, 2)\nprefer r: repel(x ~ normal(0, 2), 0.5)"

    assert ebmlang.loads(text).analyze().propriety.integrable.answer is Answer.PROPER


@pytest.mark.parametrize(
    "text",
    [
        # exp(-E) is u^-5 from 3 on, and 0 below.
        "given y: real[N]\nvar u: real\nprefer seen: y ~ uniform(0, u)",
        "given y: real[N]\nvar a: real\nvar b: real\nprefer seen: y ~ uniform(a, b)",
    ],
)
def test_no_way_leads_through_points_outside_a_support_that_moves(text):
    facts = ebmlang.loads(text).analyze({"y": np.array([1.0, 2.0, 3.0, 1.0, 1.0])})

    assert facts.propriety.integrable.answer is not Answer.IMPROPER
    assert facts.propriety.bounded_below.answer is not Answer.IMPROPER
