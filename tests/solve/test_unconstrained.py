"""Problems without requirements: published optima, closed forms, and energies that misbehave."""

import math
import signal

import numpy as np
import pytest
import scipy.optimize
import torch
from torch import Tensor

from ebmlang.lang import DomainKind
from ebmlang.runtime import Budget
from ebmlang.solve import StoppingReason, solve
from ebmlang.source import EbmError
from ebmlang.spaces import build_layout
from ebmlang.spaces.projection import project_ordered, project_simplex
from ebmlang.spaces.rotation import nearest_rotation
from tests.runtime.function_target import FunctionTarget, layout_of

EXACT = 1e-8
"""Error of an energy at a converged minimum: the square of the projected gradient, times what
conditioning these problems have."""

CLUSTER_ERROR = 1e-4
"""What the published energies of clusters, given to six digits, are asked for."""


def cluster(count: int, dtype: torch.dtype = torch.float64) -> FunctionTarget:
    first, second = torch.triu_indices(count, count, 1)

    def energy(x: Tensor) -> Tensor:
        atoms = x.view(-1, count, 3)
        inverse = (atoms[:, first] - atoms[:, second]).square().sum(-1) ** -3
        return (4 * (inverse.square() - inverse)).sum(1)

    return FunctionTarget(dim=3 * count, energy=energy, dtype=dtype)


def random_matrix(seed: int, n: int) -> Tensor:
    return torch.randn(n, n, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("count", "published"), [(7, -16.505384), (13, -44.326801)])
def test_lennard_jones_clusters_reach_the_published_optimum(
    count: int, published: float, seed: int
) -> None:
    """Published by Wales and Doye (1997), J. Phys. Chem. A 101."""
    layout = layout_of(DomainKind.REAL, count, 3, lower=-2.0, upper=2.0)

    found = solve(cluster(count), layout, seed=seed)

    assert abs(float(found.energies[0]) - published) < CLUSTER_ERROR
    assert bool(found.converged[0])
    assert found.reason is StoppingReason.RESTED


def test_a_cluster_in_single_precision_comes_as_near_as_that_allows() -> None:
    layout = layout_of(DomainKind.REAL, 7, 3, lower=-2.0, upper=2.0)

    found = solve(cluster(7, torch.float32), layout)

    assert found.points.dtype == torch.float32
    assert abs(float(found.energies[0]) + 16.505384) < CLUSTER_ERROR


@pytest.mark.parametrize("seed", range(5))
def test_rastrigin_in_the_plane_reaches_its_one_global_minimum(seed: int) -> None:
    def energy(x: Tensor) -> Tensor:
        return 20 + (x.square() - 10 * torch.cos(2 * math.pi * x)).sum(1)

    layout = layout_of(DomainKind.REAL, 2, lower=-5.12, upper=5.12)

    found = solve(FunctionTarget(dim=2, energy=energy), layout, seed=seed)

    assert abs(float(found.energies[0])) < EXACT
    assert float(found.energies[1]) == pytest.approx(0.99495906, abs=1e-6)


def test_rosenbrock_in_ten_dimensions() -> None:
    def energy(x: Tensor) -> Tensor:
        curve = 100 * (x[:, 1:] - x[:, :-1].square()).square()
        return (curve + (1 - x[:, :-1]).square()).sum(1)

    found = solve(FunctionTarget(dim=10, energy=energy), layout_of(DomainKind.REAL, 10))

    assert float(found.energies[0]) < EXACT
    torch.testing.assert_close(found.points[0], torch.ones(10).double())


@pytest.mark.parametrize("seed", range(3))
def test_a_quadratic_in_a_box_meets_scipys_bounded_least_squares(seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix, aim = rng.normal(size=(12, 8)), rng.normal(size=12)
    lower, upper = np.full(8, -0.2), np.full(8, 0.3)
    expected = scipy.optimize.lsq_linear(matrix, aim, (lower, upper), tol=1e-14)
    a, b = torch.tensor(matrix), torch.tensor(aim)

    found = solve(
        FunctionTarget(dim=8, energy=lambda x: (x @ a.T - b).square().sum(1) / 2),
        layout_of(DomainKind.REAL, 8, lower=lower, upper=upper),
    )

    assert float(found.energies[0]) == pytest.approx(expected.cost, abs=EXACT)
    np.testing.assert_allclose(found.points[0].numpy(), expected.x, atol=1e-6)
    assert len(found.points) == 1
    assert float(found.share[0]) == 1


def test_an_active_bound_is_met_exactly() -> None:
    layout = layout_of(DomainKind.REAL, 2, lower=[0.1, -1.0], upper=[3.0, 0.7])

    found = solve(FunctionTarget(dim=2, energy=lambda x: x[:, 0] - x[:, 1]), layout)

    assert found.points[0].tolist() == [0.1, 0.7]
    assert bool(found.converged[0])


def test_the_smallest_value_of_a_quadratic_form_on_the_sphere_is_its_eigenvalue() -> None:
    matrix = random_matrix(0, 6)
    matrix = matrix + matrix.T

    found = solve(
        FunctionTarget(dim=6, energy=lambda x: ((x @ matrix) * x).sum(1)),
        layout_of(DomainKind.UNIT, 6),
    )

    assert float(found.energies[0]) == pytest.approx(
        float(torch.linalg.eigvalsh(matrix)[0]), abs=EXACT
    )
    assert len(found.points) == 2  # the eigenvector and its opposite


@pytest.mark.parametrize("n", [2, 3])
def test_the_rotation_nearest_to_a_matrix(n: int) -> None:
    aim = random_matrix(1, n)
    expected = nearest_rotation(aim)

    found = solve(
        FunctionTarget(dim=n * n, energy=lambda x: (x - aim.flatten()).square().sum(1)),
        layout_of(DomainKind.ROTATION, n, n),
    )

    torch.testing.assert_close(found.points[0].view(n, n), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("kind", "nearest"),
    [(DomainKind.SIMPLEX, project_simplex), (DomainKind.ORDERED, project_ordered)],
)
@pytest.mark.parametrize("seed", range(3))
def test_the_nearest_point_of_a_domain_is_its_projection(kind, nearest, seed: int) -> None:
    aim = random_matrix(seed, 6)[0]

    found = solve(
        FunctionTarget(dim=6, energy=lambda x: (x - aim).square().sum(1)), layout_of(kind, 6)
    )

    torch.testing.assert_close(found.points[0], nearest(aim), atol=1e-6, rtol=0)
    assert bool(found.converged[0])


def test_a_linear_energy_on_the_simplex_ends_at_a_corner() -> None:
    cost = torch.tensor([3.0, 1.0, 2.0]).double()

    found = solve(
        FunctionTarget(dim=3, energy=lambda x: x @ cost), layout_of(DomainKind.SIMPLEX, 3)
    )

    torch.testing.assert_close(found.points[0], torch.tensor([0.0, 1.0, 0.0]).double())


def test_a_positive_unknown_in_a_bad_unit_is_found() -> None:
    """The minimum of x / s - log x is at s."""
    found = solve(
        FunctionTarget(dim=1, energy=lambda x: (x / 1e3 - x.log()).sum(1)),
        layout_of(DomainKind.POSITIVE, 1),
    )

    assert float(found.points[0]) == pytest.approx(1e3, rel=1e-6)


def test_an_energy_that_is_not_a_number_in_half_of_the_domain_harms_no_other_start() -> None:
    """sqrt(x) and log(x) of negative numbers; the minimum is at (1, 1)."""
    layout = layout_of(DomainKind.REAL, 2, lower=-3.0, upper=3.0)

    def energy(x: Tensor) -> Tensor:
        return x[:, 0].log().square() + (x[:, 1].sqrt() - 1).square()

    found = solve(FunctionTarget(dim=2, energy=energy), layout)

    torch.testing.assert_close(found.points[0], torch.ones(2).double(), atol=1e-6, rtol=0)
    assert found.nonfinite_starts > 0
    assert float(found.share[0]) > 0.5


def test_an_energy_that_is_infinite_in_a_wall_is_solved_beside_it() -> None:
    def energy(x: Tensor) -> Tensor:
        return torch.where(x[:, 0] < 1, torch.inf, x.square().sum(1))

    found = solve(
        FunctionTarget(dim=2, energy=energy),
        layout_of(DomainKind.REAL, 2, lower=-3.0, upper=3.0),
    )

    assert float(found.energies[0]) == pytest.approx(1, abs=1e-3)


def test_an_energy_that_is_finite_nowhere_is_a_diagnostic() -> None:
    target = FunctionTarget(dim=2, energy=lambda x: x.sum(1) * torch.nan)

    with pytest.raises(EbmError) as caught:
        solve(target, layout_of(DomainKind.REAL, 2))

    assert caught.value.diagnostics[0].code == "E0707"
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    "energy", [lambda x: 0 * x.sum(1) + 3, lambda x: torch.full_like(x[:, 0], 3)]
)
def test_a_flat_energy_is_at_rest_at_once(energy) -> None:
    found = solve(FunctionTarget(dim=2, energy=energy), layout_of(DomainKind.REAL, 2))

    assert found.energies[0] == 3
    assert found.reason is StoppingReason.RESTED
    assert bool(found.converged.all())


@pytest.mark.slow
def test_an_energy_without_a_minimum_is_never_called_converged() -> None:
    found = solve(FunctionTarget(dim=2, energy=lambda x: x.sum(1)), layout_of(DomainKind.REAL, 2))

    assert not bool(found.converged.any())
    assert found.reason is StoppingReason.STEPS


def test_a_constant_in_the_energy_changes_no_design() -> None:
    layout = layout_of(DomainKind.REAL, 2, lower=-3.0, upper=3.0)

    def bowl(x: Tensor) -> Tensor:
        return (x - 1).square().sum(1)

    plain = solve(FunctionTarget(dim=2, energy=bowl), layout)
    shifted = solve(FunctionTarget(dim=2, energy=lambda x: bowl(x) + 1e6), layout)

    torch.testing.assert_close(plain.points, shifted.points, atol=1e-4, rtol=0)


def test_two_basins_are_two_designs_with_their_shares() -> None:
    def energy(x: Tensor) -> Tensor:
        return (x.square() - 1).square().sum(1)

    layout = layout_of(DomainKind.REAL, lower=-3.0, upper=3.0)

    found = solve(FunctionTarget(dim=1, energy=energy), layout)

    assert sorted(found.points[:, 0].tolist()) == pytest.approx([-1, 1], abs=1e-6)
    assert float(found.share.sum()) == pytest.approx(1)


def test_the_same_seed_gives_the_same_designs() -> None:
    layout = layout_of(DomainKind.REAL, 7, 3, lower=-2.0, upper=2.0)

    first, second = (solve(cluster(7), layout, seed=5, starts=16) for _ in range(2))

    assert torch.equal(first.points, second.points)


def test_nothing_to_find_is_a_diagnostic() -> None:
    with pytest.raises(EbmError) as caught:
        solve(FunctionTarget(dim=0, energy=lambda x: x.sum(1)), build_layout({}))

    assert caught.value.diagnostics[0].code == "E0708"


def test_an_interrupt_returns_what_is_found_so_far() -> None:
    calls = []

    def energy(x: Tensor) -> Tensor:
        calls.append(len(x))
        if len(calls) == 50:
            signal.raise_signal(signal.SIGINT)
        return (x - 1).square().sum(1)

    found = solve(FunctionTarget(dim=2, energy=energy), layout_of(DomainKind.REAL, 2))

    assert found.interrupted
    assert len(found.points) > 0
    assert len(calls) < 60


def test_a_spent_time_budget_returns_what_is_found_so_far() -> None:
    target = FunctionTarget(dim=2, energy=lambda x: (x - 1).square().sum(1))

    found = solve(target, layout_of(DomainKind.REAL, 2), budget=Budget(seconds=0.0))

    assert found.reason is StoppingReason.TIME
    assert len(found.points) > 0
