import numpy as np
import pytest
from arviz_stats.base.array import array_stats

from ebmlang.runs.chain_health import compute_bfmi

RNG = np.random.default_rng(0)


def test_bfmi_of_few_chains_is_that_of_arviz() -> None:
    values = RNG.normal(size=(4, 100))

    expected = array_stats.bfmi(values, chain_axis=0, draw_axis=1)

    assert compute_bfmi(values) == pytest.approx(expected)


def test_bfmi_of_many_short_chains_is_one_number_that_knows_the_whole_variance() -> None:
    """Chains that each keep to an energy of their own look lively one by one."""
    values = 10 * RNG.normal(size=(500, 1)) + RNG.normal(size=(500, 10))

    # Differences have variance 2, energies 101.
    assert compute_bfmi(values) == pytest.approx([2 / 101], rel=0.2)


def test_samplers_without_momenta_have_no_bfmi() -> None:
    assert len(compute_bfmi(np.full((4, 100), np.nan))) == 0
