"""How a spec is solved: the first rule that applies to it."""

import pytest

from ebmlang.analysis.plan import build_plan, pick_solver
from ebmlang.analysis.solving import DOES, RULES
from tests.analysis.road import facts_of

CASES = {
    "convex and smooth": ("var x: real[2]\nminimize e: norm(x - 1)^2", "one-start"),
    "convex under what is required": (
        "var x: real[2]\nminimize e: sum(x^2)\nrequire r: norm(x) <= 1",
        "one-start",
    ),
    "convex blocks": (
        "var x: real\nvar y: real\nminimize e: x^2\nminimize f: (y - 1)^2",
        "one-start",
    ),
    "convex with a kink": ("var x: real[2]\nminimize e: sum(abs(x))", "few-starts"),
    "a jump": ("var x: real in [0, 9]\nminimize e: floor(x)", "cma-es"),
    "two wells": ("var x: real\nminimize e: (x^2 - 1)^2", "multistart"),
    "outside of a ball": (
        "var x: real[2]\nminimize e: sum(x^2)\nrequire r: norm(x) >= 1",
        "multistart",
    ),
    "a sphere": ("var x: unit[3]\nminimize e: x[0]", "multistart"),
    "blocks that are not convex": (
        "var x: real\nvar y: real\nminimize e: (x^2 - 1)^2 + (y^2 - 1)^2",
        "apart",
    ),
    "beside what nothing is asked of": (
        "var x: real\nvar y: real in [0, 1]\nminimize e: (x^2 - 1)^2",
        "apart",
    ),
    "an OR that is preferred": ("var x: real\nprefer e: x <= 0 or x >= 1", "branches"),
    "an OR that is required": (
        "var x: real\nminimize e: x^2\nrequire r: x <= -1 or x >= 2",
        "branches",
    ),
    "a mixture": (
        "var x: real\nprefer e: mix(0.5: x ~ normal(0, 1), 0.5: x ~ normal(5, 1))",
        "branches",
    ),
    "an OR for each element": (
        "var x: real[9]\nprefer e: forall p in x: p <= 0 or p >= 1",
        "multistart",
    ),
    "more ORs than open up": (
        "var x: real\n" + "\n".join(f"prefer e{i}: x <= {i} or x >= {i + 1}" for i in range(5)),
        "multistart",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_way_follows_from_the_facts(name: str) -> None:
    text, method = CASES[name]

    assert pick_solver(facts_of(text)).method == method


def test_every_way_that_may_be_chosen_says_what_it_does() -> None:
    assert {rule.method for rule in RULES} <= set(DOES)


def test_every_method_of_the_table_says_what_it_does() -> None:
    from ebmlang.solve.methods import METHODS

    assert set(METHODS) <= set(DOES)


@pytest.mark.parametrize(
    ("text", "descent"),
    [
        ("var x: real[2]\nminimize e: norm(x - 1)^2", "levenberg-marquardt"),
        ("var x: real\nminimize e: (x^2 - 1)^2\nprefer p: x <= 0", "levenberg-marquardt"),
        ("var x: real\nminimize e: x^4 - x", "lbfgs"),
        ("var x: real\nminimize e: x^2\nprefer p: x <= 0 or x >= 1", "lbfgs"),
        ("var x: real[201]\nminimize e: norm(x - 1)^2", "lbfgs"),
    ],
)
def test_squares_are_descended_by_their_residuals(text: str, descent: str) -> None:
    assert pick_solver(facts_of(text)).descent == descent


def test_the_reason_names_what_it_rests_on() -> None:
    text, _ = CASES["an OR that is required"]

    assert pick_solver(facts_of(text)).because == (
        "an OR at the top of `r` opens it up into 2 parts"
    )


def test_blocks_are_planned_one_by_one() -> None:
    text = "var x: real\nvar y: real\nminimize e: (x^2 - 1)^2 + (y - 1)^2"

    assert [part.method for part in build_plan(facts_of(text)).parts] == ["multistart", "one-start"]


# Each has a convex look, and a reason why it is not: a rule that let one pass would say "global".
NOT_CONVEX = (
    "minimize e: -norm(x)^2",
    "minimize e: x[0] * x[1]",
    "minimize e: x[0]^3",
    "minimize e: sqrt(x[0]^2 + 1) - x[1]^2",
    "minimize e: sin(x[0]) + x[1]^2",
    "minimize e: min([x[0]^2, (x[1] - 1)^2])",
    "minimize e: (x[0]^2 + x[1])^2",
    "minimize e: exp(-x[0]^2)",
    "minimize e: log(x[0]^2 + 1)",
    "maximize e: norm(x - 1)",
    "prefer e: norm(x) >= 1",
    "prefer e: x[0] != x[1] within 0.1",
    "prefer e: x[0] ~ student_t(3, 0, 1)",
    "prefer e: x[0] <= -1 implies x[1] >= 1",
    "minimize e: x[0]\nrequire r: norm(x) >= 1",
    "minimize e: x[0]\nrequire r: x[0]^2 == x[1] within 0.1",
    "minimize e: x[0]\nrequire r: x[0] * x[1] >= 0.1",
    "minimize e: x[0]\nrequire r: not (norm(x) <= 0.5)",
)


@pytest.mark.parametrize("statements", NOT_CONVEX)
def test_what_is_not_convex_never_gets_one_start(statements: str) -> None:
    facts = facts_of(f"var x: real[2] in [-2, 2]\n{statements}")

    assert pick_solver(facts).method in {"multistart", "branches", "apart"}
