"""The examples that are sampled, against a published reference and exact answers."""

import numpy as np
import pytest
from arviz_stats import mcse

import ebmlang
from tests.examples.folder import EXAMPLES

# posteriordb, eight_schools-eight_schools_noncentered, reference posterior: means and their MCSE.
REFERENCE = {
    "theta": (
        [6.15050, 4.93958, 3.90591, 4.79602, 3.61444, 4.05115, 6.31717, 4.88400],
        [0.05574, 0.04623, 0.05423, 0.04749, 0.04615, 0.04852, 0.04988, 0.05425],
    ),
    "mu": (4.41052, 0.03304),
    "tau": (3.60206, 0.03186),
}


@pytest.mark.slow
def test_eight_schools_has_the_means_of_its_published_reference():
    model = ebmlang.load(EXAMPLES / "eight_schools.ebm")
    samples = model.sample(
        data=EXAMPLES / "eight_schools.json", chains=64, warmup=500, draws=500, seed=1
    )

    theta = samples.draws["mu"][..., None] + samples.draws["tau"][..., None] * samples.draws["raw"]
    found = {"theta": theta, "mu": samples.draws["mu"], "tau": samples.draws["tau"]}

    assert samples.verdict.trusted
    for name, (mean, error) in REFERENCE.items():
        draws = np.asarray(found[name])
        columns = draws.reshape(*draws.shape[:2], -1)
        own = [float(mcse(columns[..., i])) for i in range(columns.shape[-1])]
        total = np.hypot(np.atleast_1d(error), own)
        z = (columns.mean(axis=(0, 1)) - np.atleast_1d(mean)) / total
        assert np.abs(z).max() < 4


@pytest.mark.slow
def test_the_mixture_has_the_moments_and_the_corners_of_eight_gaussians():
    """Chains start all over the plane, so that the corners are found without jumps between them."""
    model = ebmlang.load(EXAMPLES / "mixture.ebm")
    samples = model.sample(chains=512, warmup=300, draws=200, seed=2)

    x = np.asarray(samples.draws["x"])
    corners = np.round(np.arctan2(x[..., 1], x[..., 0]) / (np.pi / 4)).astype(int) % 8
    radius = np.linalg.norm(x, axis=-1)

    assert set(np.unique(corners)) == set(range(8))
    # Of a Gaussian of sd s at distance R from the origin, E|x|^2 = R^2 + 2 s^2.
    per_chain = (radius**2).mean(axis=1)
    error = per_chain.std(ddof=1) / np.sqrt(len(per_chain))
    assert abs(per_chain.mean() - (16 + 2 * 0.25)) < 4 * error
