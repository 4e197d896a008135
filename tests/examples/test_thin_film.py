"""The thin-film example against `tmm`, the transfer-matrix package of S. Byrnes."""

import numpy as np
import pytest
import tmm
import torch

import ebmlang
from tests.examples.folder import EXAMPLES

WAVELENGTHS = np.linspace(450, 650, 41)
INDEX = [1.0, 1.38, 2.35, 1.38, 2.35, 1.38, 1.52]


def _reference(thickness: np.ndarray) -> np.ndarray:
    """Reflectance at each wavelength, by complex transfer matrices."""
    layers = [np.inf, *thickness, np.inf]
    return np.array([tmm.coh_tmm("s", INDEX, layers, 0, w)["R"] for w in WAVELENGTHS])


def test_the_reflectance_is_that_of_the_transfer_matrix_package():
    thickness = np.random.default_rng(0).uniform(0, 250, size=(20, 5))
    energy = ebmlang.load(EXAMPLES / "thin_film.ebm").compile(dtype=torch.float64)

    reports = energy.reports({"thickness": torch.tensor(thickness)})

    expected = np.stack([_reference(row) for row in thickness])
    np.testing.assert_allclose(reports["reflectance_at"].numpy(), expected, atol=1e-10, rtol=0)
    mean = reports["mean_reflectance"].numpy()
    np.testing.assert_allclose(mean, expected.mean(axis=1), atol=1e-10, rtol=0)


def test_a_quarter_wave_of_the_low_index_alone_reflects_1_26_percent_at_its_centre():
    """The other four layers have no thickness, so that the spec is a single layer on glass."""
    energy = ebmlang.load(EXAMPLES / "thin_film.ebm").compile(dtype=torch.float64)
    quarter_wave = 550 / 4 / 1.38
    point = {"thickness": torch.tensor([[quarter_wave, 0.0, 0.0, 0.0, 0.0]], dtype=torch.float64)}

    reflectance = energy.reports(point)["reflectance_at"][0, 20]  # at 550 nm

    by_formula = ((1.52 - 1.38**2) / (1.52 + 1.38**2)) ** 2
    assert reflectance.item() == pytest.approx(by_formula, abs=1e-12)
    assert round(by_formula * 100, 2) == 1.26


@pytest.mark.slow
def test_the_best_coating_reflects_less_than_0_03_percent():
    designs = ebmlang.load(EXAMPLES / "thin_film.ebm").solve(seed=0, starts=64)

    best = designs[0]

    assert _reference(np.asarray(best.variables["thickness"])).mean() < 3e-4
    assert best.energy == pytest.approx(best.reports["mean_reflectance"] / 1e-4, rel=1e-9)
