"""Targets: their energies, draws, moments and integrals agree with each other."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate

from ebmlang.testing import LOWEST_ENERGIES, TARGETS, find_target, lennard_jones

DRAWS = 40_000

CELLS = 600
"""Along each side of a square that is integrated over."""

ERRORS = 4.5
"""Standard errors of a mean over draws; over some 200 coordinates one in 150,000 is beyond."""


def draw(name, count=DRAWS):
    return find_target(name).draw(count, torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", TARGETS)
def test_draws_have_the_moments_that_are_stated(name):
    target = find_target(name)
    x = draw(name)
    spread = x - target.mean

    for values, expected in ((x, target.mean), (spread.square(), target.variance)):
        error = values.std(0) / math.sqrt(DRAWS)
        assert ((values.mean(0) - expected).abs() <= ERRORS * error).all()


SMOOTH = [name for name in TARGETS if name not in ("two_bars", "box_without_box")]
"""Targets whose density has no steps where there is mass."""


@pytest.mark.parametrize("name", SMOOTH)
def test_draws_and_energy_are_of_one_density(name):
    """Integration by parts: the mean of x_i dE/dx_i is 1, that of dE/dx_i is 0."""
    x = draw(name).requires_grad_()
    (slope,) = torch.autograd.grad(find_target(name).energy(x).sum(), x)

    for values, expected in ((x.detach() * slope, 1.0), (slope, 0.0)):
        error = values.std(0) / math.sqrt(DRAWS)
        assert ((values.mean(0) - expected).abs() <= ERRORS * error).all()


@pytest.mark.parametrize("name", TARGETS)
def test_draws_lie_where_the_energy_is_finite(name):
    assert find_target(name).energy(draw(name)).isfinite().all()


@pytest.mark.parametrize("name", ["banana", "gmm40", "ring_and_bar", "two_bars", "box_without_box"])
def test_the_integral_in_the_plane_is_the_one_that_is_stated(name):
    target = find_target(name)
    ends = {"banana": ((-80, 80), (-40, 200)), "gmm40": ((-60, 60), (-60, 60))}
    (left, right), (low, high) = ends.get(name, ((-1.5, 1.5), (-1.5, 1.5)))
    # Midpoints of squares whose sides meet the edges of all boxes.
    first, second = (
        torch.linspace(a, b, CELLS + 1, dtype=torch.float64)[:-1] + (b - a) / (2 * CELLS)
        for a, b in ((left, right), (low, high))
    )
    total = sum(
        target.energy(torch.stack([x.expand(len(second)), second], 1)).neg().exp().sum()
        for x in first
    )
    area = (right - left) * (high - low) / CELLS**2

    # The midpoint rule is exact for boxes of whole cells, and almost for Gaussians of some cells.
    assert math.log(float(total) * area) == pytest.approx(target.log_partition, abs=1e-5)


@pytest.mark.parametrize("name", ["icg100", "funnel10", "rosen36"])
def test_in_many_dimensions_the_energy_is_minus_the_log_density_of_known_laws(name):
    x = draw(name, 50)
    normal = torch.distributions.Normal
    match name:
        case "icg100":
            target = find_target(name)
            # The covariance by another way: from draws along each axis.
            energy = target.energy
            precision = torch.autograd.functional.hessian(
                lambda v: energy(v[None])[0], torch.zeros(100, dtype=torch.float64)
            )
            np.testing.assert_allclose(
                torch.linalg.inv(precision).diagonal(), target.variance, rtol=1e-6
            )
            half = -torch.linalg.slogdet(precision)[1] / 2
            assert float(half) + 50 * math.log(2 * math.pi) == pytest.approx(target.log_partition)
            return
        case "funnel10":
            density = normal(0.0, 3.0).log_prob(x[:, 0])
            density = density + normal(0.0, (x[:, :1] / 2).exp()).log_prob(x[:, 1:]).sum(1)
        case _:
            density = normal(1.0, 1.0).log_prob(x[:, :18]).sum(1)
            around = normal(x[:, :18].square(), math.sqrt(0.1))
            density = density + around.log_prob(x[:, 18:]).sum(1)

    torch.testing.assert_close(find_target(name).energy(x), -density)


def test_the_condition_of_the_gaussian_is_the_one_in_the_literature():
    energy = find_target("icg100").energy
    precision = torch.autograd.functional.hessian(
        lambda v: energy(v[None])[0], torch.zeros(100, dtype=torch.float64)
    )

    assert float(torch.linalg.cond(precision)) == pytest.approx(1.313e5, rel=1e-3)


def test_eight_schools_have_the_posterior_of_the_reference():
    """Means and sds of 10,000 reference draws of posteriordb, eight_schools_noncentered."""
    target = find_target("eight_schools")
    x = draw("eight_schools", 200_000)

    # Their standard errors are below 0.04.
    assert float(target.mean[0]) == pytest.approx(4.4, abs=0.1)
    assert float(target.variance[0].sqrt()) == pytest.approx(3.3, abs=0.1)
    assert float(x[:, 1].exp().mean()) == pytest.approx(3.6, abs=0.1)


def test_the_integral_of_eight_schools_is_that_of_the_two_levels():
    """z is integrated out by hand, mu and log tau by quadrature."""
    from ebmlang.testing.eight_schools import EFFECTS
    from ebmlang.testing.eight_schools import ERRORS as SIGMA

    y, sigma = np.array(EFFECTS), np.array(SIGMA)

    def density(mu, log_tau):
        tau = math.exp(log_tau)
        variance = sigma**2 + tau**2
        exponent = -((y - mu) ** 2 / variance).sum() / 2 - (mu / 5) ** 2 / 2
        # Of exp(-z^2 / 2 - ((y - mu - tau z) / sigma)^2 / 2) over z.
        constant = 8 * math.log(2 * math.pi) / 2 + np.log(sigma / np.sqrt(variance)).sum()
        return math.exp(exponent + constant) * tau / (1 + (tau / 5) ** 2)

    integral, _ = integrate.dblquad(density, -15, 8, -40, 40)

    assert math.log(integral) == pytest.approx(find_target("eight_schools").log_partition, abs=1e-5)


def test_a_target_that_is_not_there_is_an_error_with_the_closest_name():
    with pytest.raises(ValueError, match="no target `bananas`; did you mean `banana`"):
        find_target("bananas")
    with pytest.raises(ValueError, match="no target `nope`; there are `icg100`, `banana`"):
        find_target("nope")


@pytest.mark.parametrize("kind", [np.array, torch.tensor, list], ids=["array", "tensor", "list"])
def test_clusters_are_arrays_too_and_one_alone_has_one_energy(kind):
    # Sides of 2: a pair has the energy 4 (2^-12 - 2^-6).
    triangle = [[0.0, 0, 0], [2, 0, 0], [1, math.sqrt(3), 0]]
    energy = 12 * (2**-12 - 2**-6)

    assert float(lennard_jones(kind(triangle))) == pytest.approx(energy, rel=1e-6)
    assert lennard_jones(kind([triangle, triangle])).shape == (2,)


def test_atoms_at_one_place_have_no_finite_energy():
    assert float(lennard_jones(np.zeros((13, 3), dtype=int))) == math.inf


@pytest.mark.parametrize("shape", [(3,), (13, 2)])
def test_an_array_that_is_no_cluster_is_refused_by_a_sentence(shape):
    with pytest.raises(ValueError, match=r"atoms are an array of shape \(\.\.\., atom, 3\), not"):
        lennard_jones(np.zeros(shape))


def test_the_best_cluster_of_thirteen_is_the_icosahedron():
    golden = (1 + math.sqrt(5)) / 2
    corners = [
        point
        for a in (-1, 1)
        for b in (-golden, golden)
        for point in ((0, a, b), (a, b, 0), (b, 0, a))
    ]
    x = torch.tensor([(0, 0, 0), *corners], dtype=torch.float64)
    scales = torch.linspace(0.4, 0.8, 20_001, dtype=torch.float64)

    found = lennard_jones(scales[:, None, None] * x).min()

    assert float(found) == pytest.approx(LOWEST_ENERGIES[13], abs=1e-6)
