import math

import numpy as np
import numpy.typing as npt
import pytest

from ebmlang.runs.ranks import normalize_ranks, split_chains
from ebmlang.runs.superchains import measure_drift, nested_rhat


def begin(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return normalize_ranks(split_chains(values))


def test_short_chains_that_forget_agree() -> None:
    """R-hat of the same chains, of ten draws each, is far above its limit."""
    values = np.random.default_rng(0).normal(size=(1000, 10))

    assert nested_rhat(begin(values)) < 1.005


def test_chains_that_stay_where_they_began_disagree() -> None:
    """Groups made without regard to where chains are would agree, for their starts are alike."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(1000, 1)) + 0.1 * rng.normal(size=(1000, 10))

    assert nested_rhat(begin(values)) > 2


def test_a_memory_of_a_quarter_of_the_variance_is_seen() -> None:
    """Groups then differ by what is remembered of their first halves: 1/4 of 1.25, squared."""
    rng = np.random.default_rng(0)
    values = 0.5 * rng.normal(size=(2000, 1)) + rng.normal(size=(2000, 40))

    assert nested_rhat(begin(values)) > 1.05


@pytest.mark.parametrize("chains", [65, 71, 135])
def test_chains_that_do_not_divide_evenly_are_judged(chains: int) -> None:
    values = np.random.default_rng(0).normal(size=(chains, 20))

    assert nested_rhat(begin(values)) < 1.01


def test_few_chains_are_not_grouped() -> None:
    values = begin(np.random.default_rng(0).normal(size=(63, 20)))

    assert math.isnan(nested_rhat(values))
    assert math.isnan(measure_drift(values))


def test_drift_is_standard_normal_where_there_is_none() -> None:
    rng = np.random.default_rng(0)

    drifts = [measure_drift(begin(rng.normal(size=(128, 8)))) for _ in range(400)]

    # The sd of 400 standard normal numbers is known to 3.5%.
    assert abs(np.mean(drifts)) < 4 / math.sqrt(400)
    assert abs(np.std(drifts) - 1) < 4 * 0.035


def test_drift_counts_in_standard_errors() -> None:
    values = np.random.default_rng(0).normal(size=(400, 10))
    values[:, 5:] += 0.5

    # Halves of five differ by 0.5 of about 1.03 sd; the error is the root of 2 / 5 / 400.
    assert measure_drift(begin(values)) == pytest.approx(0.5 / math.sqrt(2 / 5 / 400), rel=0.15)
