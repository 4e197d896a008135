"""Improper models of practice are caught, with the right variable named; mended, they are not."""

import pytest

import ebmlang
from ebmlang.analysis.verdict import Answer, Propriety, Question, Verdict
from tests.propriety.practice import CORPUS, MODELS, Expectation
from tests.propriety.witness import Oracle, require_witness

ENOUGH = 25
"""How many models of practice are to be caught at the least."""


def verdict_on(name: str, expectation: Expectation) -> Verdict:
    facts = ebmlang.load(MODELS / f"{name}.ebm").analyze(expectation.data)
    assert facts is not None
    return verdict_of(facts.propriety, expectation.question)


def verdict_of(propriety: Propriety, question: Question) -> Verdict:
    verdicts = (propriety.bounded_below, propriety.has_minimizer, propriety.integrable)
    (found,) = (verdict for verdict in verdicts if verdict.question is question)
    return found


def test_every_model_has_an_expectation_and_a_mended_twin():
    names = {path.stem for path in MODELS.glob("*.ebm")}

    assert names == set(CORPUS) | {f"{name}_mended" for name in CORPUS}
    assert sum(not expectation.curved for expectation in CORPUS.values()) >= ENOUGH


@pytest.mark.parametrize("name", CORPUS)
def test_the_known_way_out_shows_that_the_model_is_improper(name: str):
    """By the oracle's energy alone: the expectations are no opinion of the analysis."""
    expectation = CORPUS[name]
    oracle = Oracle(ebmlang.load(MODELS / f"{name}.ebm"), expectation.data)
    way_out = expectation.way_out(oracle.shapes())

    # Along a curved one E does not rise, but the room beside it narrows.
    question = Question.HAS_MINIMIZER if expectation.curved else expectation.question
    require_witness(question, way_out, oracle)


@pytest.mark.parametrize("name", [n for n in CORPUS if not CORPUS[n].curved])
def test_an_improper_model_is_caught_and_the_right_variable_named(name: str):
    expectation = CORPUS[name]

    verdict = verdict_on(name, expectation)

    assert verdict.answer is Answer.IMPROPER, verdict
    for names in expectation.named:
        assert set(names) & set(verdict.variables), verdict
    assert not set(expectation.innocent) & set(verdict.variables), verdict
    assert verdict.because
    model = ebmlang.load(MODELS / f"{name}.ebm")
    require_witness(verdict.question, verdict.direction, Oracle(model, expectation.data))


@pytest.mark.parametrize("name", CORPUS)
def test_no_improper_model_is_called_integrable(name: str):
    facts = ebmlang.load(MODELS / f"{name}.ebm").analyze(CORPUS[name].data)

    assert facts is not None
    assert facts.propriety.integrable.answer is not Answer.PROPER


@pytest.mark.parametrize("name", CORPUS)
def test_a_mended_model_is_not_called_improper(name: str):
    expectation = CORPUS[name]

    verdict = verdict_on(f"{name}_mended", expectation)

    assert verdict.answer is not Answer.IMPROPER, verdict
    if expectation.mended_is_proper:
        assert verdict.answer is Answer.PROPER, verdict
