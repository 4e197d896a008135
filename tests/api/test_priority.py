"""Solving an order of terms, against closed forms."""

import math

import pytest

import ebmlang
from ebmlang.api.explain_spec import describe_facts
from ebmlang.api.load import build_model
from ebmlang.source import EbmError, SourceText

SLACK = 1e-3

TIERS = """
var x: real[2] in [-5, 5]
minimize cost: x[0]^2
minimize noise: (x[0] - 1)^2 + (x[1] - 3)^2
minimize calm: (x[1] + 2)^2
"""


def build(text: str) -> ebmlang.Model:
    return build_model(SourceText("tiers.ebm", text))


@pytest.mark.slow
def test_each_tier_goes_as_far_as_the_slack_of_those_before_lets_it():
    """The second tier pulls x[0] to 1 and gets sqrt(slack); the third one pulls x[1] from 3."""
    found = build(TIERS + "priority cost > noise > calm\n").solve(starts=8)

    assert found[0].converged
    expected = [math.sqrt(SLACK), 3 - math.sqrt(SLACK)]
    assert found[0].variables["x"] == pytest.approx(expected, abs=1e-5)
    assert found.describe()["priority"] == [["cost"], ["noise"], ["calm"]]


@pytest.mark.slow
def test_terms_of_one_tier_and_those_not_named_are_weighed_as_written():
    """Below `cost`, x[1] is where (x - 3)^2 + (x + 2)^2 is least, `calm` named or not."""
    named = build(TIERS + "priority cost > noise, calm\n").solve(starts=8)
    unnamed = build(TIERS + "priority cost > noise\n").solve(starts=8)

    for found in (named, unnamed):
        expected = [math.sqrt(SLACK), 0.5]
        assert found[0].variables["x"] == pytest.approx(expected, abs=1e-4)
        # The energy is that of all terms, as the spec says it.
        assert found[0].energy == pytest.approx(sum(found[0].terms.values()))


@pytest.mark.slow
def test_a_wider_slack_lets_later_tiers_have_more():
    found = build(TIERS + "priority cost > noise > calm\n").solve(starts=8, slack=0.25)

    assert found[0].variables["x"] == pytest.approx([0.5, 2.5], abs=1e-5)


@pytest.mark.slow
def test_an_order_of_hinges_differs_from_their_sum():
    """Lexicographic linear goals: x + y >= 4 first, then x <= 1, then y <= 1.

    The sum of squared hinges would spread the violation over all three; in this order the first
    two hold, up to their slack, and the third pays: y = 3 less what the slacks give.
    """
    text = """
    var x: real in [0, 5]
    var y: real in [0, 5]
    prefer total: x + y >= 4
    prefer left: x <= 1
    prefer low: y <= 1
    priority total > left > low
    """
    best = build(text).solve(starts=8)[0]

    # A violation v costs v^2 / 2, so the slack allows sqrt(2 slack).
    give = math.sqrt(2 * SLACK)
    assert float(best.variables["x"]) == pytest.approx(1 + give, abs=1e-4)
    assert float(best.variables["y"]) == pytest.approx(3 - 2 * give, abs=1e-4)


@pytest.mark.slow
def test_what_is_required_holds_exactly_in_every_tier():
    text = TIERS + "require room: x[0] + x[1] >= 4\npriority cost > noise > calm\n"

    best = build(text).solve(starts=8)[0]

    assert best.violated == ()
    assert best.margins["room"] >= 0
    # cost alone is 0 at x[0] = 0; the others move along x[0] + x[1] >= 4 with what it may cost.
    assert best.terms["cost"] <= SLACK


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: build(TIERS + "priority cost > noise\n").sample(), "E0731"),
        (lambda: build(TIERS + "priority cost > noise\n").solve(slack=0.0), "E0903"),
        (lambda: build(TIERS).solve(slack=0.1), "E0904"),
        (lambda: build(TIERS).solve(band=0.1), "E0904"),
        (lambda: build(TIERS + "priority cost > noise\n").solve(method="annealing"), "E0904"),
        (lambda: build(TIERS + "priority cost > noise\n").solve(effort="quick"), "E0904"),
        (lambda: build(TIERS).solve(diverse=True, band=-1.0), "E0903"),
    ],
)
def test_what_has_no_meaning_is_said(call, code):
    with pytest.raises(EbmError) as caught:
        call()

    assert [d.code for d in caught.value.diagnostics] == [code]


def test_the_plan_is_that_of_the_tiers_and_not_of_their_sum():
    """What is not named is in the last tier."""
    found = describe_facts(build(TIERS + "priority cost > noise\n"))

    assert found["solver"]["method"] == "tiers"
    assert found["solver"]["because"] == "`priority cost > noise, calm`"
    assert found["sampler"]["method"] == "none"
    assert found["blocks"] == []
