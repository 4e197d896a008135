import math

import numpy as np
import numpy.typing as npt
import pytest
from arviz_stats.base.array import array_stats

from ebmlang.runs import summaries
from ebmlang.runs.convergence import LARGEST_PARETO_K
from ebmlang.runs.summaries import QuantitySummary, summarize, weigh_tail, weigh_tails

AXES = {"chain_axis": 0, "draw_axis": 1}


def autoregress(
    *, chains: int, draws: int, memory: float, seed: int = 0
) -> npt.NDArray[np.float64]:
    """Draw stationary chains of variance 1 whose neighbors correlate by `memory`."""
    noise = np.random.default_rng(seed).normal(size=(draws, chains))
    values = np.empty_like(noise)
    values[0] = noise[0]
    for i in range(1, draws):
        values[i] = memory * values[i - 1] + math.sqrt(1 - memory**2) * noise[i]
    return values.T


def summary(values: npt.NDArray[np.float64], **options: bool) -> QuantitySummary:
    (row,) = summarize("x", values, **options)
    return row


@pytest.mark.parametrize(
    "values",
    [
        autoregress(chains=4, draws=501, memory=0.7),
        np.random.default_rng(0).standard_cauchy((5, 200)),
        # Rejected moves repeat values, so that ranks are shared.
        np.random.default_rng(0).integers(0, 9, (4, 300)).astype(float),
    ],
    ids=["odd", "heavy", "ties"],
)
def test_the_statistics_are_those_of_arviz(values: npt.NDArray[np.float64]) -> None:
    row = summary(values)

    assert row.rhat == pytest.approx(array_stats.rhat(values, **AXES), rel=1e-9)
    assert row.ess_bulk == pytest.approx(array_stats.ess(values, **AXES), rel=1e-9)
    tail = array_stats.ess(values, method="tail", prob=(0.05, 0.95), **AXES)
    assert row.ess_tail == pytest.approx(tail, rel=1e-9)
    square = array_stats.ess(values, method="sd", **AXES)
    assert row.ess_square == pytest.approx(square, rel=1e-9)
    assert row.mcse == pytest.approx(array_stats.mcse(values, **AXES), rel=1e-9)


def test_a_unit_changes_nothing_but_the_numbers_that_have_it() -> None:
    """Fourth powers of these values are too large for a number."""
    values = autoregress(chains=4, draws=300, memory=0.5)

    plain, large = summary(values), summary(1e100 * values)

    assert large.mcse_sd == pytest.approx(1e100 * plain.mcse_sd)
    assert large.pareto_k == pytest.approx(plain.pareto_k)
    assert large.ess_square == pytest.approx(plain.ess_square)


@pytest.mark.slow
@pytest.mark.parametrize(("chains", "draws"), [(4, 1000), (256, 20)])
@pytest.mark.parametrize("memory", [-0.6, 0.6])
def test_stated_errors_are_those_of_repeated_runs(chains: int, draws: int, memory: float) -> None:
    """Chains that swing have a good mean and a poor sd; ArviZ's error of the sd is half of it.

    Of 100 runs, errors over stated errors have an sd of 1, known to 7%; stated errors are known
    to some 20% themselves, and the chains begin without a spread of their own.
    """
    rows = [
        summary(autoregress(chains=chains, draws=draws, memory=memory, seed=seed))
        for seed in range(100)
    ]

    assert 0.75 < np.std([row.mean / row.mcse for row in rows]) < 1.3
    assert 0.75 < np.std([(row.sd - 1) / row.mcse_sd for row in rows]) < 1.3


def test_the_errors_of_islands_are_those_between_them() -> None:
    """Particles of one island have a mean of their own, which their order does not show."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(400, 50)) + 0.3 * rng.normal(size=(400, 1))

    row = summary(values, are_islands=True)

    assert row.mcse == pytest.approx(math.sqrt(0.3**2 + 1 / 50) / 20, rel=0.15)
    assert row.ess_bulk == pytest.approx(1.09 / (row.mcse**2), rel=0.1)
    assert math.isnan(row.nested_rhat)


@pytest.mark.parametrize(("degrees", "k"), [(2, 1.0), (4, 0.5)])
def test_the_weight_of_a_tail_is_that_of_its_law(degrees: int, k: float) -> None:
    """Squares of Student's t with so many degrees have tails of weight 2 / degrees.

    From 900 of 90,000 draws it is known to (1 + k) / 30.
    """
    values = np.random.default_rng(0).standard_t(degrees, (90, 1000)) ** 2

    found = weigh_tail(values / values.mean(), 1.0)

    assert abs(found - k) < 4 * (1 + k) / 30


@pytest.mark.parametrize("values", [np.ones((4, 100)), np.tile([0.0, 1.0], (4, 100))])
def test_a_tail_of_one_value_has_no_weight(values: npt.NDArray[np.float64]) -> None:
    assert math.isnan(weigh_tail(values, 1.0))


def test_many_draws_are_thinned_before_they_are_sorted(monkeypatch: pytest.MonkeyPatch) -> None:
    values = autoregress(chains=8, draws=512, memory=0.0)
    whole = summary(values)
    monkeypatch.setattr(summaries, "MOST_RANKED", 2048)

    thinned = summary(values)

    assert thinned.rhat != whole.rhat
    assert thinned.ess_bulk == pytest.approx(2048, rel=0.2)
    assert thinned.mcse == whole.mcse


def test_a_small_mode_is_no_heavy_tail():
    """Its squares are, where a fit takes them for the tail of the other mode's."""
    rng = np.random.default_rng(0)
    values = np.where(np.arange(800) % 10, rng.chisquare(10, 800), rng.chisquare(10, 800) / 16)
    standard = ((values - values.mean()) / values.std()).reshape(8, 100)

    assert weigh_tail(standard**2, 1.0) > LARGEST_PARETO_K
    assert weigh_tails(standard, 1.0) < LARGEST_PARETO_K


def test_the_tail_of_squares_is_twice_as_heavy_as_that_of_values():
    rng = np.random.default_rng(0)
    values = rng.standard_t(3, 80_000)

    found = weigh_tails((values / values.std()).reshape(8, -1), 1.0)

    # Student's t with n degrees of freedom has the tail shape 1 / n; the fit's error is
    # (1 + k) / sqrt(tail), of 3 sqrt(80,000) points.
    assert found == pytest.approx(2 / 3, abs=2 * 4 * (1 + 1 / 3) / math.sqrt(3 * math.sqrt(80_000)))
