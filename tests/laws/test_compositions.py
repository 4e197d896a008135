"""Compositions whose law is known: product, mixture and negation of shapes, and many modes.

Source for the shapes in the plane: Du, Li and Mordatch, Compositional visual generation with
energy models, 2020, figure 2.
"""

import numpy as np
import pytest
import torch

import ebmlang
from ebmlang.testing import find_target
from tests.laws.agreement import Array, assert_same_law

MASS_ERROR = 0.01
"""How far the share of a mode may be off."""

EXACT = 20_000

PRODUCT = """
const K = 8
const corners = [[0.5 * cos(2 * pi * k / K), 0.5 * sin(2 * pi * k / K)] for k in 0..K - 1]

var x: real[2] in [-1, 1]

prefer ring: exists corner in corners: x ~ normal(corner, 0.03)
require bar: -0.2 <= x[0] <= 0.2
"""

MIXTURE = """
var x: real[2] in [-1, 1]

prefer bars: mix(
  0.5: x ~ uniform([-0.8, -1], [-0.4, 1]),
  0.5: x ~ uniform([0.4, -1], [0.8, 1])
)
"""

NEGATION = """
var x: real[2] in [-0.7, 0.7]

require hole: not (abs(x[0]) <= 0.3 and abs(x[1]) <= 0.3)
"""

MANY_MODES = """
given centers: real[40, 2]
given scale: real

var x: real[2]

prefer modes: exists center in centers: x ~ normal(center, scale)
"""


def draw_points(text: str, data: dict[str, object] | None = None, **how: object) -> Array:
    """Return draws `[chain, draw, 2]`."""
    samples = ebmlang.loads(text).sample(data, seed=1, **how)
    return np.asarray(samples.draws["x"])


def exact(name: str) -> Array:
    return find_target(name).draw(EXACT, torch.Generator().manual_seed(0)).numpy()


def measure(x: Array) -> dict[str, Array]:
    return {
        "first": x[..., 0],
        "second": x[..., 1],
        "furthest": np.abs(x).max(-1),
        "sum": x.sum(-1),
    }


@pytest.mark.slow
def test_the_product_of_a_ring_and_a_bar_is_the_two_gaussians_in_the_bar():
    x = draw_points(PRODUCT, chains=32, warmup=100, draws=400)

    assert (np.abs(x[..., 0]) <= 0.2).all()
    assert abs((x[..., 1] > 0).mean() - 0.5) <= MASS_ERROR
    assert_same_law(measure(x), measure(exact("ring_and_bar")))


@pytest.mark.slow
def test_the_mixture_of_two_bars_has_half_of_its_mass_in_each():
    x = draw_points(MIXTURE, chains=64, warmup=100, draws=200)

    assert abs((x[..., 0] > 0).mean() - 0.5) <= MASS_ERROR
    assert_same_law(measure(x), measure(exact("two_bars")))


@pytest.mark.slow
def test_a_box_without_a_box_is_evenly_filled_around_the_hole():
    x = draw_points(NEGATION, chains=128, warmup=200, draws=400)

    assert (np.abs(x).max(-1) >= 0.3).all()
    side = np.where(
        np.abs(x[..., 0]) > np.abs(x[..., 1]), np.sign(x[..., 0]), 2 * np.sign(x[..., 1])
    )
    shares = [(side == value).mean() for value in (-2, -1, 1, 2)]
    assert np.abs(np.array(shares) - 0.25).max() <= MASS_ERROR, shares
    assert_same_law(measure(x), measure(exact("box_without_box")))


@pytest.mark.slow
def test_forty_gaussians_are_all_found_and_weigh_the_same():
    scale = float(np.log1p(np.e))
    centers = 40 * (2 * torch.rand(40, 2, dtype=torch.float64, generator=_seeded()) - 1).numpy()

    x = draw_points(
        MANY_MODES, {"centers": centers, "scale": scale}, chains=16, warmup=60, draws=1000
    )

    flat = x.reshape(-1, 2)
    nearest = np.linalg.norm(flat[:, None] - centers, axis=2).argmin(1)
    reference = np.linalg.norm(exact("gmm40")[:, None] - centers, axis=2).argmin(1)
    masses = np.bincount(nearest, minlength=40) / len(flat)
    expected = np.bincount(reference, minlength=40) / len(reference)
    assert (masses > 0).all()
    assert np.abs(masses - expected).sum() / 2 <= 0.03


def _seeded() -> torch.Generator:
    """Return the generator of the target `gmm40`'s centers."""
    return torch.Generator().manual_seed(0)
