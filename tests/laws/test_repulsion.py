"""`repel(A, k)` takes k A from the energy, whatever A is, and k times its slope from the slope."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ebmlang.testing.formula_writer import FormulaWriter
from ebmlang.testing.strategies import NAMES, Arithmetic, surroundings, with_terms
from ebmlang.testing.values import by_oracle, by_torch, compiled, gradients

LAW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SHARP = {"rtol": 1e-10, "atol": 1e-10}
"""float64; the oracle adds up in another order."""

STRENGTHS = {"0.5": 0.5, "2": 2.0, "c": 0.75, "2 * c": 1.5}
"""Texts, and their values where the given `c` is 0.75."""

SMOOTH = surroundings(Arithmetic.SMOOTH)


@st.composite
def written(draw, what):
    return getattr(FormulaWriter(draw, exact=False), what)(NAMES, 1)


ENERGIES = written("energy") | written("constraint")


def in_both_ways(case, base, pushed, strength):
    """Return a spec with a term pushed away from, and one with the same term for itself."""
    case = with_terms(case, f"prefer base: {base}")
    case.data["c"] = np.float64(STRENGTHS["c"])
    return (
        with_terms(case, f"prefer away: repel({pushed}, {strength})"),
        with_terms(case, f"prefer plain: {pushed}"),
    )


@pytest.mark.slow
@LAW
@given(SMOOTH, ENERGIES, ENERGIES, st.sampled_from([*STRENGTHS]))
def test_the_energy_is_that_of_the_rest_minus_what_is_repelled(case, base, pushed, strength):
    with_repel, without = in_both_ways(case, base, pushed, strength)

    found = by_torch(with_repel, compiled(with_repel))

    truth = by_oracle(without)
    share = STRENGTHS[strength] * truth.energies["plain"]
    np.testing.assert_allclose(found.energies["away"], -share, **SHARP)
    np.testing.assert_allclose(found.total, truth.energies["base"] - share, **SHARP)
    np.testing.assert_allclose(by_oracle(with_repel).total, found.total, **SHARP)


@pytest.mark.slow
@LAW
@given(SMOOTH, ENERGIES, st.sampled_from([*STRENGTHS]))
def test_the_slope_is_minus_that_of_what_is_repelled(case, pushed, strength):
    with_repel, without = in_both_ways(case, "u >= 20 within 100", pushed, strength)
    base = with_terms(case, "prefer base: u >= 20 within 100")

    found = gradients(with_repel, compiled(with_repel))

    both, alone = gradients(without, compiled(without)), gradients(base, compiled(base))
    for slopes, slopes_of_both, slopes_of_base in zip(found, both, alone, strict=True):
        for path, slope in slopes.items():
            term = slopes_of_both[path] - slopes_of_base[path]
            expected = slopes_of_base[path] - STRENGTHS[strength] * term
            np.testing.assert_allclose(slope, expected, err_msg=path, rtol=1e-9, atol=1e-9)
