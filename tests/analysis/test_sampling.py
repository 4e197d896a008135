"""Which sampler a spec gets: the first rule that applies to all of its blocks together."""

import pytest

from ebmlang.analysis.plan import build_plan
from ebmlang.analysis.sampling import DEFAULT_CHAINS, DOES, RULES
from ebmlang.sample.methods import BRANCHES, METHODS, SMC
from tests.analysis.road import facts_of

SMOOTH = "var x: real[2] ~ normal(0, 1)"

CASES = {
    "many chains": (SMOOTH, 8, "ensemble"),
    "fewer chains than an ensemble needs": ("var x: real[20] ~ normal(0, 1)", 64, "hmc"),
    "few chains": (SMOOTH, 4, "nuts"),
    "a jump": ("var x: real in [0, 9]\nminimize e: floor(x)", 64, "slice"),
    "an OR": ("var x: real in [0, 9]\nprefer e: x <= 1 or x >= 5", 64, "smc"),
    "an OR inside": ("var x: real\nminimize e: sqrt(min([x^2, (x - 3)^2]) + 1)", 64, "smc"),
    "a sphere": ("var x: unit[3]\nminimize e: x[0]", 64, "hmc"),
    "a requirement": (f"{SMOOTH}\nrequire r: x[0] + x[1] <= 1", 64, "reflection"),
    "a requirement on a sphere": ("var x: unit[3]\nrequire r: x[0] >= 0.5", 64, "hmc"),
    "an OR beside a smooth block": (
        f"{SMOOTH}\nvar y: real\nprefer m: mix(0.5: y ~ normal(0, 1), 0.5: y ~ normal(5, 1))",
        64,
        "branches",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_sampler_follows_from_the_facts(name):
    text, chains, method = CASES[name]

    assert build_plan(facts_of(text), chains).sampler.method == method


def test_the_reason_names_what_it_rests_on():
    choice = build_plan(facts_of(f"{SMOOTH}\nrequire near: norm(x) <= 1")).sampler

    assert "`near`" in choice.because


def test_every_sampler_that_may_be_chosen_exists_and_says_what_it_does():
    chosen = {rule.method for rule in RULES}

    assert chosen <= {*METHODS, SMC, BRANCHES}
    assert {*METHODS, SMC, BRANCHES} == set(DOES)


def test_explain_speaks_of_as_many_chains_as_a_run_has():
    from ebmlang.sample.loop import CHAINS

    assert DEFAULT_CHAINS == CHAINS
