"""The antenna against the array factor that NumPy computes with complex numbers."""

import numpy as np
import pytest

import ebmlang
from tests.examples.folder import EXAMPLES

N = 16
BEAMS = np.sin(np.radians([-30.0, 20.0]))
LOBE = 0.15  # Half the width of the main lobe, as a sine.


def array_factor(point, sines):
    """Return the power in each direction [dB], 0 where all elements at full add up."""
    weights = np.asarray(point["amplitude"]) * np.exp(1j * np.asarray(point["phase"]))
    waves = np.exp(1j * np.pi * np.outer(sines, np.arange(N)))
    return 20 * np.log10(np.abs(waves @ weights) / N + 1e-12)


def test_the_pattern_is_the_array_factor():
    rng = np.random.default_rng(0)
    point = {"amplitude": rng.uniform(0.1, 1, N), "phase": rng.uniform(-np.pi, np.pi, N)}

    pattern = ebmlang.load(EXAMPLES / "antenna.ebm").explain(point).reports["pattern_path"]

    expected = array_factor(point, np.sin(np.radians(pattern[:, 0])))
    # What keeps the logarithm finite, 1e-6 of the power, shows only in the depth of the nulls.
    seen = expected > -30
    assert seen.sum() > 100
    np.testing.assert_allclose(pattern[seen, 1], expected[seen], atol=10 / np.log(10) * 1e-6 / 1e-3)


@pytest.mark.slow
def test_there_are_beams_in_both_directions_with_side_lobes_20_db_below():
    designs = ebmlang.load(EXAMPLES / "antenna.ebm").solve(seed=0, starts=32)

    sines = np.linspace(-1, 1, 8001)
    best = [one for one in designs if all(one.satisfied.values())]
    pointed = []
    for design in best:
        power = array_factor(design.variables, sines)
        beam = int(np.argmin(abs(sines[power.argmax()] - BEAMS)))
        (at_beam,) = array_factor(design.variables, BEAMS[[beam]])
        beside = abs(sines - BEAMS[beam]) > LOBE
        assert power[beside].max() <= at_beam - 20
        assert np.mean(design.variables["amplitude"]) >= 0.8 - 1e-9
        pointed.append(beam)
    assert set(pointed) == {0, 1}
