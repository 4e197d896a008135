"""Posteriors know their own error: ranks of the truth among draws are even, over many data sets.

Truths are drawn from the prior, data from each truth, and the posterior of each data set is
sampled. All data sets are one spec: their posteriors are independent blocks of it.

Sources: Talts, Betancourt, Simpson, Vehtari and Gelman, Validating Bayesian inference algorithms
with simulation-based calibration, 2018; Modrak and others, Simulation-based calibration checking
for Bayesian computation: the choice of test quantities, 2023, for the likelihood among them.
"""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

import ebmlang

SETS, GROUPS = 160, 3
"""Data sets, and groups in each."""

CHAINS = 31
"""Independent draws of each posterior, one per chain: ranks go from 0 to 31."""

BINS = 16

LEVEL = 1e-4
"""Chance that a right sampler fails."""

HIERARCHY = """
given y: real[R, J]

var mu: real[R, 1] ~ normal(0, 1)
var tau: positive[R, 1] ~ half_normal(1)
var raw: real[R, J] ~ normal(0, 1)

prefer data: y ~ normal(mu + tau * raw, 0.5)
"""


def log_likelihood(y: NDArray, mu: NDArray, tau: NDArray, raw: NDArray) -> NDArray:
    return -np.square((y - mu - tau * raw) / 0.5).sum(-1) / 2


@pytest.mark.slow
@pytest.mark.parametrize(("method", "warmup"), [("hmc", 150), ("meads", 600)])
def test_ranks_of_the_truth_in_a_hierarchy_are_even(method, warmup):
    rng = np.random.default_rng(0)
    truth = {
        "mu": rng.normal(size=(SETS, 1)),
        "tau": np.abs(rng.normal(size=(SETS, 1))),
        "raw": rng.normal(size=(SETS, GROUPS)),
    }
    y = truth["mu"] + truth["tau"] * truth["raw"] + 0.5 * rng.normal(size=(SETS, GROUPS))

    samples = ebmlang.loads(HIERARCHY).sample(
        {"y": y}, chains=CHAINS, warmup=warmup, draws=1, seed=1, method=method
    )

    drawn = {name: np.asarray(samples.draws[name])[:, -1] for name in truth}
    drawn["likelihood"] = log_likelihood(y, **drawn)
    truth["likelihood"] = log_likelihood(y, **truth)
    for name, value in drawn.items():
        rank = (value < truth[name]).sum(0)
        # Groups of one data set share mu and tau: the first stands for them.
        first = rank.reshape(SETS, -1)[:, 0]
        counts = np.bincount(first * BINS // (CHAINS + 1), minlength=BINS)
        assert stats.chisquare(counts).pvalue > LEVEL / len(drawn), (name, counts)
