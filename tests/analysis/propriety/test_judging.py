"""The three answers on models whose truth a textbook has, and what is said of them."""

import pytest

import ebmlang
from ebmlang.analysis import affine
from ebmlang.analysis.propriety import bounding, branches
from tests.analysis.propriety.road import answers, judged

LINE = {"x": [0.0, 1.0, 2.0, 3.0], "y": [0.5, 1.0, 2.2, 2.9]}
REGRESSION = (
    "given x: real[N]\ngiven y: real[N]\nvar a: real ~ normal(0, 10)\nvar b: real ~ normal(0, 10)\n"
)

PROPER, IMPROPER, UNKNOWN = "proper", "improper", "unknown"

KNOWN = {
    # text: bounded below, has a minimizer, exp(-E) integrable
    "var x: real\nminimize e: x^2 - 4 * x": (PROPER, PROPER, PROPER),
    "var x: real\nminimize e: abs(x) - x / 2": (PROPER, PROPER, PROPER),
    "var x: real\nminimize e: abs(x) - x": (PROPER, PROPER, IMPROPER),
    "var x: real\nminimize e: abs(x) - 2 * x": (IMPROPER, IMPROPER, IMPROPER),
    "var x: real\nminimize e: exp(x)": (PROPER, IMPROPER, IMPROPER),
    "var x: real\nminimize e: exp(x) - x": (PROPER, PROPER, PROPER),
    "var x: real\nminimize e: softplus(x) + softplus(-x)": (PROPER, PROPER, PROPER),
    "var x: real\nvar y: real\nminimize e: (x - y)^2": (PROPER, PROPER, IMPROPER),
    "var x: real\nvar y: real\nminimize e: softplus(x - y) + softplus(y - x)": (
        PROPER,
        PROPER,
        IMPROPER,
    ),
    "var x: real\nvar y: real\nminimize e: x^2 + y^2 - 2 * x * y": (PROPER, PROPER, IMPROPER),
    "var x: real\nvar y: real\nminimize e: x^2 + y^2 - 3 * x * y": (IMPROPER, IMPROPER, IMPROPER),
    "var x: real\nminimize e: (sqrt(abs(x)) - 3)^2 - x": (IMPROPER, IMPROPER, IMPROPER),
    "var x: real\nminimize e: x^4 - 5 * x^2": (PROPER, PROPER, PROPER),
    "var x: positive\nminimize e: x - log(x) / 2": (PROPER, PROPER, PROPER),
    "var x: positive\nminimize e: x + log(x) / 2": (IMPROPER, IMPROPER, PROPER),
    "var x: positive\nminimize e: x + log(x)": (IMPROPER, IMPROPER, IMPROPER),
    "var x: positive\nminimize e: 1 / x": (PROPER, IMPROPER, IMPROPER),
    "var x: positive\nminimize e: 1 / x + 2 * log(x)": (PROPER, PROPER, PROPER),
    "var x: real in [0, 1] ~ beta(0.5, 0.5)": (IMPROPER, IMPROPER, PROPER),
    "var x: ordered[3]\nminimize e: x[0]^2 + x[2]^2": (PROPER, PROPER, PROPER),
    "var x: ordered[3]\nminimize e: x[0]^2 + x[1]^2": (PROPER, PROPER, IMPROPER),
    "var u: unit[3]\nminimize e: u[0]": (PROPER, PROPER, PROPER),
    "var x: real\nvar y: real\nrequire r: x + y <= 1 and x >= 0 and y >= 0": (
        PROPER,
        PROPER,
        PROPER,
    ),
    "var x: real[20]\nprefer l: forall a in x: abs(a - 1) <= 1 or abs(a + 3) <= 1 within 2": (
        PROPER,
        PROPER,
        PROPER,
    ),
    "var x: real\nvar y: real\nprefer l: abs(x) <= 1 or abs(y) <= 1": (PROPER, PROPER, IMPROPER),
    "minimize e: 3": (PROPER, PROPER, PROPER),
}


@pytest.mark.parametrize("text", KNOWN)
def test_the_answers_are_those_of_the_textbook(text):
    assert answers(text) == KNOWN[text]


SCALES = {
    "var s: positive ~ half_normal(1)\nprefer l: y ~ normal(a + b * x, s)": PROPER,
    "var s: positive\nprefer l: y ~ normal(a + b * x, s)": PROPER,
    "var l: real\nprefer seen: y ~ normal(a + b * x, exp(l))": PROPER,
    "var s: positive ~ inv_gamma(2, 1)\nprefer l: forall u, v in zip(x, y): "
    "v ~ normal(a + b * u, s)": PROPER,
}


@pytest.mark.parametrize("text", SCALES)
def test_a_regression_with_an_unknown_scale_is_proved(text):
    """Data that no line fits keep the scale from vanishing."""
    assert answers(REGRESSION + text, LINE) == (PROPER, PROPER, PROPER)


def test_a_scale_may_vanish_where_a_line_fits_exactly():
    exact = {"x": [0.0, 1.0, 2.0], "y": [1.0, 2.0, 3.0]}
    text = REGRESSION + "var s: positive ~ half_normal(1)\nprefer l: y ~ normal(a + b * x, s)"

    bounded, _, _ = answers(text, exact)

    assert bounded == IMPROPER


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("prefer l: y ~ bernoulli(sigmoid(a + b * x))", {"x": [0.0, 1.0, 2.0], "y": [0, 1, 1]}),
        ("prefer l: y ~ poisson(exp(a + b * x))", {"x": [0.0, 1.0, 2.0], "y": [0, 1, 3]}),
    ],
)
def test_a_generalized_linear_model_with_priors_is_proper(text, data):
    assert answers(REGRESSION.replace("y: real", "y: int") + text, data) == (PROPER,) * 3


def test_a_separable_logistic_regression_has_a_way_out():
    text = "given x: real[N]\ngiven y: int[N]\nvar b: real\nprefer l: y ~ bernoulli(sigmoid(b * x))"

    found = judged(text, {"x": [1.0, 2.0, -2.0], "y": [1, 1, 0]}).integrable

    assert found.answer.value == IMPROPER
    assert found.variables == ("b",)


def test_no_data_makes_a_flat_location_improper():
    text = "given y: real[N]\nvar mu: real\nprefer seen: y ~ normal(mu, 1)"

    assert answers(text, {"y": [1.0]})[2] == PROPER
    assert answers(text, {"y": []})[2] == IMPROPER


def test_missing_data_matter_only_where_they_decide():
    held = "given y: real[3]\ngiven s: real[3]\nvar mu: real ~ normal(0, 1)\n"
    decided = "given k: real\nvar x: real\nvar z: real ~ normal(0, 1)\nminimize e: k * x * z"

    assert answers(held + "prefer seen: y ~ normal(mu, s)") == (PROPER,) * 3
    verdict = judged(decided).integrable
    assert verdict.answer.value == UNKNOWN
    assert "it depends on the data `k`" in verdict.because[0].text
    assert verdict.terms == ("e",)


def test_a_weight_that_is_given_counts():
    text = "var x: real\nprefer wide: x ~ cauchy(0, 1)"

    assert answers(text)[2] == PROPER
    facts = ebmlang.loads(text).analyze(weights={"wide": 0.5})
    assert facts is not None
    assert facts.propriety.integrable.answer.value == IMPROPER


def test_a_minimizer_is_one_among_the_points_that_hold_everything_required():
    assert answers("var x: real\nrequire up: x >= 3\nminimize e: x")[1] == PROPER


def test_alternatives_past_the_cap_make_a_verdict_unknown(monkeypatch):
    text = (
        "var x: real\nvar y: real\nprefer p: abs(x) <= 1 or abs(x + y) <= 1\n"
        "prefer q: abs(x - y) <= 1"
    )
    assert answers(text)[2] == PROPER
    monkeypatch.setattr(branches, "COMBINATIONS", 1)

    found = judged(text).integrable

    assert found.answer.value == UNKNOWN
    assert "more than 1 combinations" in found.because[0].text


def test_a_spec_with_too_many_elements_is_unknown(monkeypatch):
    monkeypatch.setattr(affine, "STEPS", 10)

    found = judged("var x: real[20]\nminimize e: sum(x^2)")

    assert found.integrable.answer.value == UNKNOWN
    assert "more elements" in found.integrable.because[0].text


def test_functions_nested_too_deep_are_unknown(monkeypatch):
    monkeypatch.setattr(bounding, "DEPTH", 3)
    nested = "var x: real\nminimize e: abs(abs(abs(abs(abs(abs(x) - 1) - 1) - 1) - 1) - 1)"

    assert answers(nested)[2] == UNKNOWN


def test_an_or_over_many_places_takes_one_step_each(monkeypatch):
    monkeypatch.setattr(branches, "COMBINATIONS", 90)
    text = "var x: real[40]\nprefer l: forall a in x: a == 1 within 0.1 or a == 5 within 0.1"

    assert answers(text)[2] == PROPER
