"""The examples that are sampled, against a published reference and exact answers."""

import numpy as np
import pytest

import ebmlang
from tests.examples.folder import EXAMPLES

# posteriordb, eight_schools-eight_schools_noncentered, reference posterior: means and their MCSE.
REFERENCE = {
    "theta[0]": (6.15050, 0.05574),
    "theta[1]": (4.93958, 0.04623),
    "theta[2]": (3.90591, 0.05423),
    "theta[3]": (4.79602, 0.04749),
    "theta[4]": (3.61444, 0.04615),
    "theta[5]": (4.05115, 0.04852),
    "theta[6]": (6.31717, 0.04988),
    "theta[7]": (4.88400, 0.05425),
    "mu": (4.41052, 0.03304),
    "tau": (3.60206, 0.03186),
}


@pytest.mark.slow
def test_eight_schools_has_the_means_of_its_published_reference():
    model = ebmlang.load(EXAMPLES / "eight_schools.ebm")

    samples = model.sample(
        EXAMPLES / "eight_schools.json", chains=64, warmup=500, draws=500, seed=1
    )

    rows = {row.name: row for row in samples.summary}
    z = {
        name: (rows[name].mean - mean) / np.hypot(rows[name].mcse, error)
        for name, (mean, error) in REFERENCE.items()
    }
    assert samples.verdict.trusted, samples.verdict.reasons
    assert max(abs(value) for value in z.values()) < 4, z


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
