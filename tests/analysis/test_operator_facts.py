"""Every fact of every operator: complete, and not refuted by random operands.

Each example is one round of all checks, on some thirty to sixty random operands each.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from ebmlang.lang.facts import Profile, Rules, Slope, Smoothness
from ebmlang.lang.operator import Family
from ebmlang.lang.table import OPERATORS
from scripts.mutate_facts import find_survivors
from tests.lang.claims import HELD, find_breaks, refute
from tests.lang.profile_claims import refute_shape

ROUNDS = settings(max_examples=30)

BREAKS = 200
"""How many rounds are enough to meet a corner or a jump where there is one."""


def rules_with(smoothness):
    return [
        name
        for name, record in OPERATORS.items()
        if isinstance(record.facts, Rules) and record.facts.smoothness is smoothness
    ]


@pytest.mark.parametrize("record", OPERATORS.values(), ids=OPERATORS.keys())
def test_every_operator_has_its_facts(record):
    facts = record.facts

    if isinstance(facts, Profile):
        assert len(record.parameters) == 1
        assert record.family is Family.ELEMENTWISE
        assert list(refute_shape(facts)) == []
        return
    assert len(facts.slopes) == len(record.parameters)
    assert all(0 <= i < len(record.parameters) for group in facts.linear for i in group)
    assert all(0 <= i < len(record.parameters) for i in facts.poles)
    assert len(facts.sections) in (0, len(record.parameters))
    if facts.bounds is None:
        assert set(facts.slopes) <= {Slope.RISING, Slope.FALLING}


def test_every_operator_with_sections_is_held_at_numbers_here():
    with_sections = {
        name
        for name, record in OPERATORS.items()
        if isinstance(record.facts, Rules) and record.facts.sections
    }

    assert set(HELD) == with_sections
    for name in with_sections:
        sections = OPERATORS[name].facts.sections
        assert [bool(numbers) for numbers in HELD[name]] == [one is not None for one in sections]


@pytest.mark.parametrize("record", OPERATORS.values(), ids=OPERATORS.keys())
@ROUNDS
@given(seed=st.integers(0, 2**32 - 1))
def test_no_fact_of_an_operator_is_refuted(record, seed):
    assert next(refute(record, np.random.default_rng(seed)), None) is None


@pytest.mark.parametrize("name", rules_with(Smoothness.TIES))
def test_operators_with_corners_have_one(name):
    rng = np.random.default_rng(0)

    assert any(find_breaks(OPERATORS[name], rng)[0] for _ in range(BREAKS))


@pytest.mark.parametrize("name", rules_with(Smoothness.JUMPS))
def test_operators_that_jump_have_a_jump(name):
    rng = np.random.default_rng(0)

    assert any(find_breaks(OPERATORS[name], rng)[1] for _ in range(BREAKS))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["abs", "lgamma", "div", "atan2", "noisy_or", "dot", "take"])
def test_changed_facts_are_noticed(name):
    """The checks above can fail: for all operators, see `scripts/mutate_facts.py`."""
    count, survivors = find_survivors(name)

    assert count > 0
    assert survivors == []


def test_the_minimum_of_lgamma_is_where_its_derivative_vanishes():
    place = OPERATORS["lgamma"].facts.pieces[1].end

    assert math.isclose(place, 1.4616321449683623, rel_tol=1e-15)
    assert abs(special.digamma(place)) < 1e-15
