"""Outside the exact fragment a verdict may be unknown, but never wrong: 300 random specs."""

from collections import Counter
from functools import cache

import numpy as np
import pytest

import ebmlang
from ebmlang.analysis.verdict import Answer, Propriety, Verdict
from tests.propriety.divergence import (
    find_divergence,
    find_fall,
    find_far_level,
    find_lowest_nearby,
    is_finite_somewhere,
)
from tests.propriety.formulas import Array
from tests.propriety.wild import Wild, draw_wild
from tests.propriety.witness import energy_of_columns, require_witness

CASES = 300

DECIDED = 0.75
"""The least share of specs of which it has to be known whether the integral is finite."""

RESOLUTION = 1e-9
"""How much lower E far out must be to count as lower, relative to its size."""

pytestmark = pytest.mark.slow


@cache
def cases() -> tuple[tuple[int, Wild, Propriety], ...]:
    """Return specs that some point fulfils, with their seeds and what is said of them."""
    found: list[tuple[int, Wild, Propriety]] = []
    seed = 0
    while len(found) < CASES:
        wild = draw_wild(seed)
        if is_finite_somewhere(wild.energy, wild.unknowns):
            facts = ebmlang.loads(wild.text).analyze()
            assert facts is not None
            found.append((seed, wild, facts.propriety))
        seed += 1
    return tuple(found)


def test_most_verdicts_are_decided():
    counts = Counter(propriety.integrable.answer for _, _, propriety in cases())

    assert counts[Answer.UNKNOWN] <= (1 - DECIDED) * CASES, counts
    assert counts[Answer.PROPER], counts
    assert counts[Answer.IMPROPER], counts


def test_nothing_is_called_integrable_where_the_integral_grows():
    for seed, wild, propriety in cases():
        if propriety.integrable.answer is Answer.PROPER:
            grows = find_divergence(wild.energy, wild.unknowns)
            assert grows is None, f"seed {seed}, {grows}\n{wild.text}"


def test_nothing_is_called_bounded_below_where_the_energy_falls_for_ever():
    for seed, wild, propriety in cases():
        if propriety.bounded_below.answer is Answer.PROPER:
            falls = find_fall(wild.energy, wild.unknowns)
            assert falls is None, f"seed {seed}, {falls}\n{wild.text}"


def test_no_minimizer_is_promised_where_the_energy_is_lowest_at_infinity():
    for seed, wild, propriety in cases():
        if propriety.has_minimizer.answer is Answer.PROPER:
            near, _ = find_lowest_nearby(wild.energy, wild.unknowns)
            far = find_far_level(wild.energy, wild.unknowns)
            assert far >= near - RESOLUTION * (1 + abs(near)), (
                f"seed {seed}: {near} near, {far} far\n{wild.text}"
            )


def test_no_minimizer_is_denied_where_the_energy_is_lower_nearby_than_far_out():
    """Far out is the end of the witness, from its start or from the lowest point nearby."""
    for seed, wild, propriety in cases():
        verdict = propriety.has_minimizer
        bounded = propriety.bounded_below.answer is Answer.PROPER
        if verdict.answer is Answer.IMPROPER and bounded:
            near, place = find_lowest_nearby(wild.energy, wild.unknowns)
            limit = min(ends_of(wild, verdict, place))
            assert near >= limit - RESOLUTION * (1 + abs(limit)), (
                f"seed {seed}: {near} nearby, {limit} in the limit\n{wild.text}"
            )


def ends_of(wild: Wild, verdict: Verdict, place: Array) -> Array:
    """Return E at the end of a witness, and where its rates lead from a place."""
    direction = verdict.direction
    assert direction is not None
    t = 1e-8 if direction.towards_zero else 1e8
    starts, rates = (
        np.array([float(values[unknown.name]) for unknown in wild.unknowns])
        for values in (direction.start, direction.rates)
    )
    return wild.energy(np.stack([starts + t * rates, place + t * rates], axis=1))


def test_every_improper_verdict_has_a_direction_along_which_the_energy_does_not_grow():
    for seed, wild, propriety in cases():
        energy_at = energy_of_columns(wild.energy, wild.unknowns)
        for verdict in (propriety.bounded_below, propriety.has_minimizer, propriety.integrable):
            if verdict.answer is Answer.IMPROPER:
                try:
                    require_witness(verdict.question, verdict.direction, energy_at)
                except AssertionError as error:
                    pytest.fail(f"seed {seed}, {verdict}: {error}\n{wild.text}")


def test_the_answers_to_the_three_questions_are_consistent():
    for seed, wild, propriety in cases():
        unbounded = propriety.bounded_below.answer is Answer.IMPROPER
        attained = propriety.has_minimizer.answer is Answer.PROPER
        assert not (unbounded and attained), f"seed {seed}\n{wild.text}"
        named = {
            path
            for verdict in (propriety.bounded_below, propriety.integrable)
            for path in verdict.variables
        }
        assert named <= {unknown.name for unknown in wild.unknowns}
        assert np.all([verdict.because or verdict.terms for verdict in undecided(propriety)])


def undecided(propriety: Propriety) -> list[Verdict]:
    verdicts = (propriety.bounded_below, propriety.has_minimizer, propriety.integrable)
    return [verdict for verdict in verdicts if verdict.answer is Answer.UNKNOWN]


TRAPS = (
    # Reciprocals fall where what is below grows.
    "var x: real\nminimize t: 1 / norm([x + 2, x])",
    "var x: real\nvar y: positive\nminimize s: y^-0.5\nprefer t: x ~ student_t(3, 0, y)",
    # A density is not normalized where its parameters move with what is before it.
    "var x: positive\nprefer t: x ~ normal(0, x)",
    "var x: real\nvar y: real\nprefer t: x - y ~ normal(0, 1)\nprefer s: y - x ~ normal(0, 1)",
    # The integral over one variable leaves the other free.
    "var x: real\nvar y: real\nprefer t: x ~ normal(y, 1)",
    "var x: real\nvar s: positive\nprefer t: x ~ normal(0, s)",
    # A weight other than 1 spoils the norm.
    "var x: real\nvar s: positive ~ exponential(1)\nprefer t: (x ~ cauchy(0, s)) weight 0.5",
    # Twice the same variable before `~`.
    "var x: real\nvar s: positive\nprefer t: x ~ normal(0, s)\nprefer u: x ~ normal(1, s)",
    # A logarithm of the volume, in the plane: 1 / r^2.
    "var x: real\nvar y: real\nminimize t: log1p(x^2 + y^2)",
    # Bounded along a parabola.
    "var x: real\nvar y: real\nminimize t: (y - x^2)^2",
    # Each part grows, and the difference does not.
    "var x: real\nminimize t: sqrt(1 + x^2)\nmaximize s: abs(x)",
    "var x: real\nvar y: real\nminimize t: max([x, y, 0])",
    # The product is level on both axes.
    "var x: real\nvar y: real\nminimize t: (x * y)^2",
    # An OR takes the least.
    "var x: real\nvar y: real\nprefer t: softmin(energy(x^2 + y^2), energy((x - y)^2))",
    # What is required leaves a way out.
    "var x: real\nvar y: real\nrequire t: x * y >= 1\nprefer s: y ~ normal(0, 1)",
)
"""Specs whose integral grows, and that a shallow argument takes for proper."""


@pytest.mark.parametrize("text", TRAPS)
def test_a_trap_is_not_called_integrable(text: str):
    facts = ebmlang.loads(text).analyze()

    assert facts is not None
    assert facts.propriety.integrable.answer is not Answer.PROPER
