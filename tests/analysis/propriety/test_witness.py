"""Ways out are proved by following them; a candidate that leads nowhere is thrown away."""

import math

import numpy as np
import pytest

import ebmlang
from ebmlang.analysis.propriety import tail as asymptotic
from ebmlang.analysis.propriety.curve import SHRINKING, Curve, follow
from ebmlang.analysis.propriety.tail import LOG, ONE, TIME
from tests.analysis.propriety.road import forms_of, judged

ALONG = {
    # The energy along start + t * rates, as Stirling, Taylor or plain algebra has it.
    "x^2 - 2*x": {(0.0, 2.0, 0.0): 1.0, TIME: -2.0, ONE: 0.0},
    "log1p(x^2)": {LOG: 2.0},
    "softplus(3*x)": {TIME: 3.0},
    "softplus(-x)": {},
    "sqrt(x^2 + 1)": {TIME: 1.0},
    "abs(x - 5) - x": {},
    "exp(x / 2)": {(0.5, 0.0, 0.0): 1.0},
    "cosh(x)": {(1.0, 0.0, 0.0): 0.5},
    "log(exp(x) + exp(2 * x))": {TIME: 2.0},
    "max([x, 2 * x - 3])": {TIME: 2.0},
    "relu(-x)": {},
    "sin(x)": {},
    "x / (1 + x)": {},
    "lgamma(x + 2) - lgamma(x + 1)": {LOG: 1.0},
}


@pytest.mark.parametrize("text", ALONG)
def test_the_energy_along_a_ray_has_the_leading_terms_of_the_function(text):
    forms = forms_of(f"var x: real in [0, inf]\nminimize e: {text}")
    curve = Curve(start=[0.0], rates={0: 1.0}, widths={})

    course = follow(forms, curve)

    found = {m: c for m, c in course.energy if m > ONE}
    wanted = {m: c for m, c in ALONG[text].items() if m > ONE}
    assert found.keys() == wanted.keys()
    for monomial, c in wanted.items():
        assert found[monomial] == pytest.approx(c, rel=2e-3)
    assert course.inside


def test_the_upper_bound_along_a_ray_holds_at_numbers():
    text = "var x: real\nvar y: real\nminimize e: log1p(x^2) + sin(x * y) + softplus(x - y) - x"
    forms = forms_of(text)
    curve = Curve(start=[0.0, 0.5], rates={0: 1.0}, widths={1: (0.25, ONE)})
    bound = follow(forms, curve).energy
    model = ebmlang.loads(text)

    for t in (1e3, 1e5, 1e7):
        said = sum(c * math.exp(a * t) * t**p * math.log(t) ** q for (a, p, q), c in bound)
        for y in np.linspace(0.25, 0.75, 5):
            assert float(model.energy({"x": t, "y": y})) <= said + 1e-6


def test_a_curve_that_leaves_a_domain_is_not_inside():
    forms = forms_of("var x: real in [0, 5]\nvar y: real\nminimize e: y^2")

    assert not follow(forms, Curve(start=[1.0, 0.0], rates={0: 1.0}, widths={})).inside
    assert not follow(forms, Curve(start=[0.0, 0.0], rates={1: 1.0}, widths={0: (0.1, ONE)})).inside


def test_a_curve_that_violates_a_requirement_is_not_inside():
    forms = forms_of("var x: real\nvar y: real\nrequire r: x <= y\nminimize e: x^2")

    assert not follow(forms, Curve(start=[0.0, 1.0], rates={0: 1.0}, widths={})).inside
    assert follow(forms, Curve(start=[0.0, 1.0], rates={1: 1.0}, widths={})).inside


def test_a_curve_to_a_point_finds_the_pole():
    forms = forms_of("var s: positive\nvar m: real\nminimize e: log(s) + (m / s)^2")
    straight = Curve(start=[0.0, 0.0], rates={0: 1.0}, motion=SHRINKING, widths={})
    beside = Curve(start=[0.0, 1.0], rates={0: 1.0}, motion=SHRINKING, widths={})

    assert follow(forms, straight).energy == ((LOG, -1.0),)
    assert asymptotic.limit(follow(forms, beside).energy) == math.inf


IMPROPER = {
    # text: (question, variables, log_rate, dimensions, towards zero)
    "var x: real\nvar y: real ~ normal(0, 1)\nminimize e: 0.5 * log1p(x^2)": ("x", 1.0, 1, False),
    "var x: real[2]\nminimize e: log1p(x[0]^2 + x[1]^2)": ("x", 2.0, 2, False),
    "var s: positive\nminimize e: s + 1.5 * log(s)": ("s", 1.5, 1, True),
    "var m: real\nvar s: positive\nprefer a: 0 ~ normal(m, s)\nprefer b: 1 ~ normal(m, s)": (
        "s",
        2.0,
        2,
        False,
    ),
    "var x: real\nmaximize e: abs(x)": ("x", -math.inf, 1, False),
}


@pytest.mark.parametrize("text", IMPROPER)
def test_a_witness_says_how_fast_and_in_how_many_dimensions(text):
    name, rate, dimensions, towards_zero = IMPROPER[text]

    verdict = judged(text).integrable

    assert verdict.answer.value == "improper"
    assert verdict.direction is not None
    assert name in verdict.variables
    assert verdict.direction.log_rate == pytest.approx(rate)
    assert verdict.direction.dimensions == dimensions
    assert verdict.direction.towards_zero == towards_zero


def test_a_start_deep_inside_requirements_is_found():
    text = "var x: real\nvar y: real\nrequire far: x >= 40 and x <= 41\nrequire up: y >= x"

    direction = judged(text).integrable.direction

    assert direction is not None
    assert 40 < float(direction.start["x"]) < 41
    assert float(direction.rates["y"]) == 1.0
