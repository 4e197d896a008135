"""`repel` only where a proof allows it: which calls count, which verdicts, and what is said."""

import pytest

from ebmlang import loads
from ebmlang.analysis import Answer, Propriety, Question, Verdict
from ebmlang.analysis.repulsion import repel_diagnostics
from ebmlang.analysis.verdict import Reason

HOME = "var x: real\nprefer home: x ~ normal(0, 1)\n"


def judge(text, data=None):
    """Return what is said of a spec, by the compiler's own verdict."""
    model = loads(text).bind(data)
    return repel_diagnostics(model.program, model.analyze())


def judge_as(text, answer, because=(), **found):
    """Return what would be said of a spec if the verdict on it were this."""
    model = loads(text)
    facts = model.analyze()
    verdicts = {
        question: Verdict(question=question, answer=answer, because=because, **found)
        for question in Question
    }
    facts.__dict__["propriety"] = Propriety(
        bounded_below=verdicts[Question.BOUNDED_BELOW],
        has_minimizer=verdicts[Question.HAS_MINIMIZER],
        integrable=verdicts[Question.INTEGRABLE],
    )
    return repel_diagnostics(model.program, facts)


# --- the verdict ---------------------------------------------------------------------

ALLOWED = {
    "a weaker pull of the same kind": "prefer away: repel(x ~ normal(0, 2), 1)",
    "half of the pull": "prefer away: repel(x ~ normal(0, 1), 0.5)",
    "a weaker push, weighted": "prefer away: repel(x ~ normal(0, 1), 3) weight 0.25",
    "what grows slower": "prefer away: repel(energy(abs(x)), 10)",
    "what is bounded": "prefer away: repel(energy(sin(x)), 10)",
    "a heavy tail": "prefer away: repel(x ~ cauchy(0, 1), 5)",
}

REFUSED = {
    "a stronger pull": "prefer away: repel(x ~ normal(0, 0.5), 1)",
    "the whole pull": "prefer away: repel(x ~ normal(0, 1), 1)",
    "a weaker pull, too strong": "prefer away: repel(x ~ normal(0, 2), 5)",
    "what grows faster": "prefer away: repel(energy(x^4), 0.001)",
    "a hinge on one side": "prefer away: repel(x <= 0 within 0.5, 1)",
}


@pytest.mark.parametrize("line", ALLOWED.values(), ids=ALLOWED)
def test_repel_is_allowed_where_the_rest_outgrows_it(line):
    assert judge(f"{HOME}{line}") == ()


@pytest.mark.parametrize("line", REFUSED.values(), ids=REFUSED)
def test_repel_is_refused_where_the_rest_does_not_outgrow_it(line):
    (found,) = judge(f"{HOME}{line}")

    assert found.code == "E0414"
    assert found.primary.span.text.startswith("repel(")
    assert found.because
    assert found.helps


def test_bounds_hold_whatever_is_repelled():
    assert judge("var x: real in [-1, 1]\nprefer away: repel(energy(x^4), 100)") == ()


def test_bounds_do_not_help_where_what_is_repelled_has_a_pole():
    (found,) = judge("var x: real in [-1, 1]\nprefer away: repel(energy(-log(abs(x))), 2)")

    assert found.code == "E0414"
    assert found.helps == ()


def test_a_bowl_with_a_steeper_wall_is_allowed_and_keeps_its_two_minima():
    assert judge("var x: real\nminimize wall: x^4\nprefer away: repel(energy(x^2), 3)") == ()


def test_the_data_decides_how_strong_is_too_strong():
    text = f"given k: real\n{HOME}prefer away: repel(x ~ normal(0, 1), k)"

    assert judge(text, {"k": 0.5}) == ()
    assert [d.code for d in judge(text, {"k": 2.0})] == ["E0414"]


def test_a_weight_from_outside_decides_too():
    text = f"{HOME}prefer away: repel(x ~ normal(0, 1), 0.5)"
    model = loads(text)

    assert repel_diagnostics(model.program, model.analyze()) == ()
    assert repel_diagnostics(model.program, model.analyze(weights={"away": 4.0}))


def test_before_the_data_is_there_nothing_is_said():
    text = f"given k: real\n{HOME}prefer away: repel(x ~ normal(0, 1), k)"

    assert judge_as(text, Answer.UNKNOWN) == ()
    assert judge_as(text, Answer.IMPROPER)


# --- which calls count ---------------------------------------------------------------

WRITTEN = {
    "in a term": ("prefer away: repel(energy(x), 1)", ["repel(energy(x), 1)"]),
    "behind a name": ("let push = repel(energy(x), 1)\nprefer away: push", ["repel(energy(x), 1)"]),
    "in a function": (
        "fn push(a) = repel(energy(a), 1)\nprefer p: push(x)\nprefer q: push(2 * x)",
        ["repel(energy(a), 1)"],
    ),
    "in a part": (
        "spec away(a) { var y: real  prefer push: repel(energy(a + y), 1) }\npart p = away(x)",
        ["repel(energy(a + y), 1)"],
    ),
    "in a spec as an expression": (
        "spec away(a) { prefer push: repel(energy(a), 1) }\nprefer p: away(x) and away(2 * x)",
        ["repel(energy(a), 1)"],
    ),
    "in a name of a part": (
        "spec s() { var y: real  let push = repel(energy(y), 1)  prefer t: y >= 0 }\n"
        "part p = s()\nprefer away: p.push",
        ["repel(energy(y), 1)"],
    ),
    "under a quantifier": (
        "prefer away: forall m in [0, 1]: repel(x ~ normal(m, 1), 0.1)",
        ["repel(x ~ normal(m, 1), 0.1)"],
    ),
    "twice, one inside the other": (
        "prefer away: repel(repel(energy(x), 1), 2)",
        ["repel(repel(energy(x), 1), 2)", "repel(energy(x), 1)"],
    ),
}


@pytest.mark.parametrize(("line", "calls"), WRITTEN.values(), ids=WRITTEN)
def test_every_call_that_a_term_depends_on_counts_once(line, calls):
    (found,) = judge_as(f"{HOME}{line}", Answer.UNKNOWN)

    labels = [found.primary, *found.secondary]
    assert [label.span.text for label in labels] == calls


def test_a_call_that_no_term_depends_on_does_not_count():
    text = f"{HOME}let push = repel(energy(x), 1)\nfn away(a) = repel(energy(a), 1)"

    assert judge_as(text, Answer.IMPROPER) == ()


def test_a_spec_without_repel_is_not_judged():
    assert judge_as("var x: real\nminimize low: x", Answer.IMPROPER) == ()


# --- what is said --------------------------------------------------------------------


def test_the_message_tells_what_is_false_from_what_is_unproven_and_why():
    text = f"{HOME}prefer away: repel(energy(x), 1)"
    span = loads(text).program.body.terms[0].span
    because = (Reason("nothing holds `x`", span), Reason("so E falls"))

    (improper,) = judge_as(text, Answer.IMPROPER, because, variables=("x",))
    (unknown,) = judge_as(text, Answer.UNKNOWN, because)

    assert improper.headline == "with this `repel`, `exp(-E)` has no finite integral"
    assert unknown.headline.startswith("nothing proves that `exp(-E)` has a finite integral")
    assert improper.because == ("nothing holds `x` (2:1)", "so E falls")
    assert unknown.because == improper.because


def test_the_message_asks_for_bounds_of_what_has_none():
    text = "var x: real\nvar y: real in [0, 1]\nvar z: positive\nvar w: real\n"
    text += "prefer away: repel(energy(x + y + z + w), 1)"

    (improper,) = judge_as(text, Answer.IMPROPER, variables=("z",))
    (unknown,) = judge_as(text, Answer.UNKNOWN)

    assert improper.helps == ("give `z` bounds, such as `in [-10, 10]`",)
    assert unknown.helps == ("give `x`, `z` and `w` bounds, such as `in [-10, 10]`",)
