"""In the exact fragment every verdict is decided, and right: 300 random specs."""

from functools import cache

import pytest

import ebmlang
from ebmlang.analysis.verdict import Answer, Propriety
from tests.propriety.exact import Truth
from tests.propriety.fragment import Sketch
from tests.propriety.sketches import draw_cases
from tests.propriety.witness import energy_of_columns, require_witness

CASES = 300

pytestmark = pytest.mark.slow

ANSWERS = {True: Answer.PROPER, False: Answer.IMPROPER}


@cache
def cases() -> tuple[tuple[int, Sketch, Truth, Propriety], ...]:
    """Return specs with their seeds, the truth, and what is said of them."""
    found = []
    for seed, sketch, truth in draw_cases(CASES):
        facts = ebmlang.loads(sketch.text()).analyze()
        assert facts is not None
        found.append((seed, sketch, truth, facts.propriety))
    return tuple(found)


def test_whether_the_integral_is_finite_is_decided_as_its_growth_says():
    wrong = [
        f"seed {seed}: {propriety.integrable.answer.value}, is {truth.integrable}\n{sketch.text()}"
        for seed, sketch, truth, propriety in cases()
        if propriety.integrable.answer is not ANSWERS[truth.integrable]
    ]

    assert not wrong, f"{len(wrong)} of {CASES}\n\n" + "\n\n".join(wrong[:5])


def test_whether_the_energy_is_bounded_below_is_decided():
    wrong = [
        f"seed {seed}: {propriety.bounded_below.answer.value}, is {truth}\n{sketch.text()}"
        for seed, sketch, truth, propriety in cases()
        if propriety.bounded_below.answer is not ANSWERS[truth.bounded_below]
    ]

    assert not wrong, f"{len(wrong)} of {CASES}\n\n" + "\n\n".join(wrong[:5])


def test_whether_there_is_a_minimizer_is_decided_where_it_is_known():
    known = [case for case in cases() if case[2].has_minimizer is not None]
    wrong = [
        f"seed {seed}: {propriety.has_minimizer.answer.value}, is {truth}\n{sketch.text()}"
        for seed, sketch, truth, propriety in known
        if propriety.has_minimizer.answer is not ANSWERS[bool(truth.has_minimizer)]
    ]

    assert len(known) > CASES / 2
    assert not wrong, f"{len(wrong)} of {len(known)}\n\n" + "\n\n".join(wrong[:5])


def test_every_improper_verdict_has_a_direction_along_which_the_energy_does_not_grow():
    for seed, sketch, _, propriety in cases():
        energy_at = energy_of_columns(sketch.energy, sketch.unknowns)
        for verdict in (propriety.bounded_below, propriety.has_minimizer, propriety.integrable):
            if verdict.answer is Answer.IMPROPER:
                try:
                    require_witness(verdict.question, verdict.direction, energy_at)
                except AssertionError as error:
                    pytest.fail(f"seed {seed}, {verdict}: {error}\n{sketch.text()}")


def test_the_variables_named_are_those_that_move():
    for seed, sketch, _, propriety in cases():
        verdict = propriety.integrable
        if verdict.direction is not None:
            moving = {path for path, rates in verdict.direction.rates.items() if rates.any()}
            assert set(verdict.variables) == moving, (seed, verdict, sketch.text())
