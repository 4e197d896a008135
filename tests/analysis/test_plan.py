"""The plan of each block: what runs, why, and what else the facts say."""

import pytest

from ebmlang.analysis.plan import RULES, Verb, build_plan
from ebmlang.analysis.traits import infer_traits
from tests.analysis.road import facts_of

CASES = {
    "least squares": "var x: real[2]\nminimize e: norm(x - 1)^2",
    "box": "var x: real[2] in [0, 1]\nminimize e: sum(x)",
    "disc": "var x: real[2]\nminimize e: sum(x^2)\nrequire r: norm(x) <= 1",
    "ring": "var x: real[2]\nminimize e: sum(x^2)\nrequire r: norm(x) >= 1",
    "kink": "var x: real\nminimize e: abs(x)",
    "jump": "var x: real in [0, 9]\nminimize e: floor(x)",
    "or": "var x: real in [-3, 4]\nprefer e: x <= 0 or x >= 1",
    "inner or": "var x: real\nminimize e: sqrt(min([x^2, (x - 3)^2]) + 1)",
    "mixture": "var x: real\nprefer e: mix(0.5: x ~ normal(0, 1), 0.5: x ~ normal(5, 1))",
    "exists": "var x: real\nconst at = [1, 2, 3]\nprefer e: exists a in at: x ~ normal(a, 1)",
    "sphere": "var x: unit[3]\nminimize e: sum(x)",
    "simplex": "var x: simplex[3]\nminimize e: sum(x^2)",
    "idle": "var x: real in [0, 1]\nvar y: real\nminimize e: y^2",
    "gaussian": "var x: real[2]\nprefer e: x ~ normal(1, 2)\nprefer f: x[0] - x[1] ~ normal(0, 1)",
    "logistic": "var x: real\nminimize e: softplus(x) + softplus(-x)",
    "positive": "var s: positive ~ gamma(2, 1)",
}


def first(name):
    return build_plan(facts_of(CASES[name])).blocks[0]


def lines(name, verb):
    """Return all lines of the first block under a verb, in one text."""
    (step,) = (step for step in first(name).steps if step.verb is verb)
    return "\n".join((*step.runs, *step.because, *step.notes))


def traits(name):
    return first(name).traits


@pytest.mark.parametrize("name", ["least squares", "box", "disc", "simplex", "kink", "logistic"])
def test_a_convex_problem_is_said_to_have_one_minimum(name):
    assert traits(name).convex
    assert "every local minimum is a global one" in lines(name, Verb.SOLVE)
    assert "log-concave" in lines(name, Verb.SAMPLE)


@pytest.mark.parametrize(
    ("name", "obstacle"),
    [
        ("ring", "the margin of `r` is convex"),
        ("sphere", "`x` lives on a curved manifold"),
        ("or", "`e` is of unknown curvature"),
        ("mixture", "`e` is of unknown curvature"),
    ],
)
def test_what_is_not_proved_convex_says_where_the_proof_stops(name, obstacle):
    assert traits(name).obstacle == obstacle
    assert obstacle in lines(name, Verb.SOLVE)
    assert "log-concave" not in lines(name, Verb.SAMPLE)


@pytest.mark.parametrize("name", ["least squares", "disc", "logistic"])
def test_one_start_is_enough_where_it_is_convex_and_smooth(name):
    assert "one start: " in lines(name, Verb.SOLVE)


@pytest.mark.parametrize("name", ["kink", "ring", "or", "mixture"])
def test_one_start_is_not_promised_elsewhere(name):
    assert "one start" not in lines(name, Verb.SOLVE)


def test_requirements_run_by_multipliers():
    assert "augmented Lagrangian" in lines("disc", Verb.SOLVE)
    assert "augmented Lagrangian" not in lines("box", Verb.SOLVE)


@pytest.mark.parametrize("name", ["box", "positive"])
def test_bounds_run_by_projection_and_in_free_coordinates(name):
    assert "projection onto the bounds" in lines(name, Verb.SOLVE)
    assert "free coordinates" in lines(name, Verb.SAMPLE)
    assert "projection" not in lines("disc", Verb.SOLVE)


def test_a_manifold_runs_along_itself():
    assert "along the manifold of `x`" in lines("sphere", Verb.SOLVE)
    assert "geodesics for `x`" in lines("sphere", Verb.SAMPLE)


def test_a_simplex_is_mapped_for_sampling():
    assert "free coordinates for `x`" in lines("simplex", Verb.SAMPLE)
    assert "geodesics" not in lines("simplex", Verb.SAMPLE)


def test_sums_of_squares_are_named_with_their_number_of_residuals():
    assert traits("least squares").residuals == 2
    assert "sum of squares of 2 residuals, linear" in lines("least squares", Verb.SOLVE)
    assert traits("ring").residuals == 2
    assert traits("kink").residuals == 0


def test_a_gaussian_is_recognized():
    assert traits("gaussian").gaussian
    assert "exp(-E) is Gaussian" in lines("gaussian", Verb.SAMPLE)
    assert not traits("disc").gaussian


@pytest.mark.parametrize(("name", "count"), [("or", 2), ("mixture", 2), ("exists", 3)])
def test_an_or_at_the_top_of_a_term_shows_its_branches(name, count):
    assert traits(name).branches == (("e", count),)
    assert traits(name).inner_branches == ()
    assert f"`e` (an OR of {count})" in lines(name, Verb.SOLVE)


def test_an_or_inside_of_a_term_is_told_from_one_at_the_top():
    assert traits("inner or").branches == ()
    assert traits("inner or").inner_branches == ("e",)


@pytest.mark.parametrize(("name", "word"), [("kink", "has kinks"), ("jump", "jumps")])
def test_what_is_not_smooth_is_noted_with_its_place(name, word):
    text = lines(name, Verb.SOLVE)

    assert word in text
    assert "`e`: " in text
    assert " at 2:" in text
    assert "the gradient of E is continuous" not in text


def test_a_variable_that_nothing_touches_runs_nothing():
    assert traits("idle").idle
    assert "nothing: no term speaks of it" in lines("idle", Verb.SOLVE)
    assert "uniformly" in lines("idle", Verb.SAMPLE)
    assert "L-BFGS" not in lines("idle", Verb.SOLVE)


def test_every_rule_speaks_somewhere_and_is_silent_somewhere():
    """A rule whose condition is always or never true is no rule; one is the method itself."""
    always = {"chains"}
    found = [
        infer_traits(facts, block)
        for facts in map(facts_of, CASES.values())
        for block in facts.blocks
    ]
    for rules in RULES.values():
        for rule in rules:
            spoken = {rule.applies(one) for one in found}
            assert spoken == ({True} if rule.name in always else {True, False}), rule.name
