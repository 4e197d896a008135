"""Problems with requirements: published optima, and answers that hold exactly."""

import math

import pytest
import torch
from torch import Tensor

from ebmlang.lang import DomainKind
from ebmlang.solve import Solution, solve
from ebmlang.spaces import Layout
from tests.runtime.function_target import FunctionTarget, layout_of

TOLERANCE = 1e-4
"""The tolerance of equalities; an optimum moves by multiplier times tolerance, and no multiplier
of these problems is above 1."""

CLOSE = 2 * TOLERANCE


def equality(left: Tensor, tolerance: float = TOLERANCE) -> Tensor:
    """The margin of `left == 0 within tolerance`."""
    return 1 - left.abs() / tolerance


def run(layout: Layout, energy, *margins, seed: int = 0, **options) -> Solution:
    target = FunctionTarget(
        dim=layout.dim,
        energy=energy,
        requirements=lambda x: torch.stack([margin(x) for margin in margins], dim=1),
    )
    return solve(target, layout, seed=seed, **options)


def assert_reaches(found: Solution, published: float) -> None:
    assert found.is_feasible
    assert bool((found.margins >= 0).all())
    assert bool(found.converged[0])
    assert float(found.energies[0]) == pytest.approx(published, abs=CLOSE)


@pytest.mark.parametrize("seed", range(3))
def test_hs6(seed: int) -> None:
    """Hock and Schittkowski, Test Examples for Nonlinear Programming Codes (1981)."""
    found = run(
        layout_of(DomainKind.REAL, 2),
        lambda x: (1 - x[:, 0]).square(),
        lambda x: equality(10 * (x[:, 1] - x[:, 0].square())),
        seed=seed,
    )

    assert_reaches(found, 0.0)


@pytest.mark.parametrize("seed", range(3))
def test_hs7(seed: int) -> None:
    found = run(
        layout_of(DomainKind.REAL, 2),
        lambda x: torch.log1p(x[:, 0].square()) - x[:, 1],
        lambda x: equality((1 + x[:, 0].square()).square() + x[:, 1].square() - 4),
        seed=seed,
    )

    assert_reaches(found, -math.sqrt(3))


@pytest.mark.parametrize("seed", range(3))
def test_hs35(seed: int) -> None:
    def energy(x: Tensor) -> Tensor:
        a, b, c = x.unbind(1)
        linear = 9 - 8 * a - 6 * b - 4 * c
        return linear + 2 * a * a + 2 * b * b + c * c + 2 * a * b + 2 * a * c

    found = run(
        layout_of(DomainKind.REAL, 3, lower=0.0),
        energy,
        lambda x: 3 - x[:, 0] - x[:, 1] - 2 * x[:, 2],
        seed=seed,
    )

    assert_reaches(found, 1 / 9)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_hs71(seed: int) -> None:
    found = run(
        layout_of(DomainKind.REAL, 4, lower=1.0, upper=5.0),
        lambda x: x[:, 0] * x[:, 3] * x[:, :3].sum(1) + x[:, 2],
        lambda x: x.prod(1) - 25,
        lambda x: equality(x.square().sum(1) - 40),
        seed=seed,
    )

    assert_reaches(found, 17.0140173)


def test_the_lowest_point_of_a_disc() -> None:
    found = run(
        layout_of(DomainKind.REAL, 2),
        lambda x: x.sum(1),
        lambda x: 1 - x.square().sum(1),
    )

    assert_reaches(found, -math.sqrt(2))
    assert float(found.points[0].norm()) <= 1


def test_a_requirement_without_pull_from_the_energy_is_met_with_room() -> None:
    """Three points in a unit square, pairwise at least 0.9 apart; the energy is flat."""

    def apart(x: Tensor) -> Tensor:
        p = x.view(-1, 3, 2)
        return torch.stack([(p[:, i] - p[:, j]).norm(dim=1) for i, j in ((0, 1), (0, 2), (1, 2))])

    found = run(
        layout_of(DomainKind.REAL, 3, 2, lower=0.0, upper=1.0),
        lambda x: 0 * x.sum(1),
        lambda x: apart(x).amin(0) - 0.9,
    )

    assert found.is_feasible
    assert float(apart(found.points).amin()) >= 0.9


def test_what_cannot_hold_is_reported_with_the_nearest_point() -> None:
    """x >= 1 and x <= 0 are both violated least at 1/2."""
    found = run(
        layout_of(DomainKind.REAL, 2),
        lambda x: x.square().sum(1),
        lambda x: x[:, 0] - 1,
        lambda x: -x[:, 0],
    )

    assert not found.is_feasible
    assert not bool(found.converged.any())
    assert found.nearest is not None
    assert float(found.nearest[0]) == pytest.approx(0.5, abs=1e-6)


def test_a_requirement_that_never_holds_gives_no_error_and_no_design() -> None:
    """An `exists` over nothing has the margin -inf."""
    found = run(
        layout_of(DomainKind.REAL, 2),
        lambda x: x.square().sum(1),
        lambda x: torch.full_like(x[:, 0], -torch.inf),
    )

    assert not found.is_feasible
    assert len(found.points) > 0


def test_a_requirement_that_always_holds_changes_nothing() -> None:
    """A `forall` over nothing has the margin inf."""
    found = run(
        layout_of(DomainKind.REAL, 2),
        lambda x: (x - 1).square().sum(1),
        lambda x: torch.full_like(x[:, 0], torch.inf),
    )

    assert_reaches(found, 0.0)


def test_a_requirement_on_a_sphere() -> None:
    """The highest point of the sphere under a plane at height 1/2."""
    found = run(
        layout_of(DomainKind.UNIT, 3),
        lambda x: -x[:, 2],
        lambda x: 0.5 - x[:, 2],
    )

    assert_reaches(found, -0.5)


@pytest.mark.slow
def test_margins_of_very_different_scale_are_met_together() -> None:
    found = run(
        layout_of(DomainKind.REAL, 2, lower=-10.0, upper=10.0),
        lambda x: x.square().sum(1),
        lambda x: 1e6 * (x[:, 0] - 1),
        lambda x: 1e-3 * (x[:, 1] - 1),
    )

    assert_reaches(found, 2.0)
