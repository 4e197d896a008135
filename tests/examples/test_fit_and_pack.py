"""The examples that are fitted and packed, against certified values and geometry."""

import numpy as np
import pytest

import ebmlang
from tests.examples.folder import EXAMPLES
from tests.solve.nist.problems import read


def test_the_fit_has_the_certified_parameters():
    known = read("BoxBOD")

    best = ebmlang.load(EXAMPLES / "fit.ebm").solve(EXAMPLES / "fit.csv", starts=16)[0]

    found = [float(best.variables["saturation"]), float(best.variables["rate"])]
    np.testing.assert_allclose(found, known.certified, rtol=1e-6)
    assert best.energy == pytest.approx(known.squares, rel=1e-9)
    squares = np.square(best.reports["residuals"]).sum()
    assert squares == pytest.approx(known.squares, rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(("count", "radius"), [(4, 1 / 4), (5, (np.sqrt(2) - 1) / 2), (9, 1 / 6)])
def test_a_few_circles_are_packed_as_proved_optimal(count, radius):
    """Radii in closed form: Schaer (1965), The densest packing of 9 circles in a square."""
    best = ebmlang.load(EXAMPLES / "pack.ebm", constants={"N": count}).solve(starts=32)[0]

    centers = np.asarray(best.variables["centers"])
    found = float(best.variables["radius"])
    assert found == pytest.approx(radius, abs=1e-6)
    first, second = np.triu_indices(count, 1)
    assert np.linalg.norm(centers[first] - centers[second], axis=1).min() >= 2 * found
    assert centers.min() >= found
    assert centers.max() <= 1 - found
