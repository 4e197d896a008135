"""The posteriors with published reference draws: means and spreads within four errors of both.

`references.json` holds, for each quantity, its mean and its standard deviation over posteriordb's
10,000 reference draws, with the Monte Carlo error of each.

Source: Magnusson and others, posteriordb: a set of posteriors for Bayesian inference and
probabilistic programming, 2022.
"""

import json
import math

import pytest

import ebmlang
from ebmlang.runs import Samples
from tests.examples.folder import EXAMPLES

FOLDER = EXAMPLES / "posteriors"
REFERENCES = json.loads((FOLDER / "references.json").read_text())

FEW_ERRORS = 4
"""Standard errors of a difference beyond which it is no accident; over some 45 quantities with two
statistics each, one run in 200 has one beyond."""

PLAN = {"chains": 64, "warmup": 300, "draws": 50}
"""Chains enough for an ensemble to learn its own shape."""

PLANS = {
    # These chains remember longer: half the draws are too few for the spread in one run of eight.
    "autoregression": PLAN | {"draws": 100},
    "garch": {"chains": 256, "warmup": 100, "draws": 20},  # A recurrence: chains cost little.
    "gaussian_process": PLAN,
    "kidscore": PLAN,
    "regression": PLAN | {"draws": 100},
}


def compare(samples: Samples, reference: str) -> dict[str, float]:
    """Return by how many errors each mean and each spread differs from the reference.

    The errors are those that the run and the reference state of themselves.
    """
    assert samples.verdict is not None
    rows = {row.name: row for row in samples.verdict.table}
    z = {}
    for name, known in REFERENCES[reference]["quantities"].items():
        row = rows[name]
        mean_error = math.hypot(row.mcse, known["mean_error"])
        sd_error = math.hypot(row.mcse_sd, known["sd_error"])
        z[f"mean of {name}"] = abs(row.mean - known["mean"]) / mean_error
        z[f"sd of {name}"] = abs(row.sd - known["sd"]) / sd_error
    return z


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "trusted"),
    # Centered, it has a funnel whose neck trajectories do not reach, and says so.
    [("eight_schools.ebm", True), ("posteriors/eight_schools_centered.ebm", False)],
)
def test_eight_schools_agrees_with_its_reference_in_both_forms(spec, trusted):
    model = ebmlang.load(EXAMPLES / spec)

    samples = model.sample(EXAMPLES / "eight_schools.json", seed=1, **PLAN)

    z = compare(samples, "eight_schools")
    assert samples.verdict.trusted == trusted, samples.verdict.reasons
    assert max(z.values()) < FEW_ERRORS, z


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANS)
def test_it_agrees_with_its_reference(name):
    model = ebmlang.load(FOLDER / f"{name}.ebm")

    samples = model.sample(FOLDER / f"{name}.json", seed=1, **PLANS[name])

    z = compare(samples, name)
    assert samples.verdict.trusted, samples.verdict.reasons
    assert max(z.values()) < FEW_ERRORS, z
