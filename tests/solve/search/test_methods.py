"""What every global method keeps, whatever it is given; and what each is for."""

import numpy as np
import pytest
import torch
from torch import Tensor

from ebmlang.lang import DomainKind
from ebmlang.runtime import Budget
from ebmlang.solve import search
from ebmlang.solve.descent.levenberg_marquardt import LevenbergMarquardt
from ebmlang.solve.local import Local
from ebmlang.solve.methods import DEFAULT_METHOD, METHODS, SENTENCES, pick_local
from tests.runtime.function_target import FunctionTarget, layout_of
from tests.runtime.squares_target import SquaresTarget

SLOW = ("annealing", "cma-es")
every_method = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in METHODS]
)

LOCAL = Local(adam_steps=0, steps=200)


def himmelblau(x: Tensor) -> Tensor:
    """Four minima of value zero."""
    a, b = x[:, 0], x[:, 1]
    return (a.square() + b - 11).square() + (a + b.square() - 7).square()


def find(name: str, target, layout, *, seed=0, starts=32, rounds=1, **more):
    return search(
        target, layout, METHODS[name](starts, LOCAL), seed=seed, rounds=rounds, width=starts, **more
    )


PLANE = layout_of(DomainKind.REAL, 2, lower=-5.0, upper=5.0)


def test_every_method_has_its_name_and_a_sentence() -> None:
    assert set(SENTENCES) == set(METHODS)
    assert DEFAULT_METHOD in METHODS
    assert all(METHODS[name](4, LOCAL).name == name for name in METHODS)


@every_method
def test_all_four_minima_of_himmelblaus_function_are_found(name: str) -> None:
    """Himmelblau, Applied Nonlinear Programming (1972): (3, 2) is one, all have value 0."""
    found = find(name, FunctionTarget(dim=2, energy=himmelblau), PLANE, starts=160)

    assert (found.energies[:4] < 1e-12).all()
    distances = (found.points[:4] - torch.tensor([3.0, 2.0])).norm(dim=1)
    assert float(distances.min()) < 1e-6
    assert len(found.points) >= 4


@every_method
def test_the_same_seed_finds_the_same_and_another_one_does_not(name: str) -> None:
    target = FunctionTarget(dim=2, energy=himmelblau)

    first, second = (find(name, target, PLANE, seed=3, rounds=2) for _ in range(2))
    other = find(name, target, PLANE, seed=4)

    assert torch.equal(first.points, second.points)
    assert not torch.equal(first.points, other.points)


@every_method
def test_requirements_are_met_and_the_best_feasible_point_found(name: str) -> None:
    """The lowest x + y outside of a disc that covers the corner of the square."""
    target = FunctionTarget(
        dim=2,
        energy=lambda x: x.sum(1),
        requirements=lambda x: (x + 4).square().sum(1, keepdim=True) - 4,
    )

    found = find(name, target, PLANE)

    assert bool(found.feasible.all())
    # The corner (-5, -5) lies in the disc of radius 2 around (-4, -4); the circle leaves the square
    # where one coordinate is -5 and the other -4 + sqrt(3).
    assert float(found.energies[0]) == pytest.approx(-9 + np.sqrt(3), abs=1e-5)


@every_method
def test_where_the_energy_is_not_a_number_no_method_goes(name: str) -> None:
    layout = layout_of(DomainKind.REAL, 2, lower=-3.0, upper=3.0)
    target = FunctionTarget(
        dim=2, energy=lambda x: x[:, 0].log().square() + (x[:, 1].sqrt() - 1).square()
    )

    found = find(name, target, layout)

    torch.testing.assert_close(found.points[0], torch.ones(2).double(), atol=1e-5, rtol=0)


@every_method
def test_points_stay_on_a_sphere(name: str) -> None:
    matrix = torch.diag(torch.tensor([3.0, -1.0, 2.0]).double())

    found = find(
        name,
        FunctionTarget(dim=3, energy=lambda x: ((x @ matrix) * x).sum(1)),
        layout_of(DomainKind.UNIT, 3),
    )

    torch.testing.assert_close(found.points.norm(dim=1), torch.ones(len(found.points)).double())
    assert float(found.energies[0]) == pytest.approx(-1, abs=1e-9)


@every_method
def test_one_unknown_is_enough(name: str) -> None:
    target = FunctionTarget(dim=1, energy=lambda x: (x.square() - 2).square().sum(1))

    found = find(name, target, layout_of(DomainKind.REAL, 1, lower=-4.0, upper=4.0))

    np.testing.assert_allclose(found.points[:2, 0].abs().numpy(), np.sqrt(2), rtol=1e-7)


@every_method
def test_the_time_ends_a_search_with_what_there_is(name: str) -> None:
    found = find(
        name,
        FunctionTarget(dim=2, energy=himmelblau),
        PLANE,
        rounds=100_000,
        budget=Budget(seconds=0.3),
    )

    assert found.reason.name == "TIME"
    assert bool(torch.isfinite(found.energies).all())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["annealing", "cma-es"])
@pytest.mark.parametrize("seed", [0, 1])
def test_an_energy_of_steps_is_minimized_without_its_gradient(name: str, seed: int) -> None:
    """Its gradient is zero wherever there is one; the lowest step is around (1, 1, 1, 1)."""

    def energy(x: Tensor) -> Tensor:
        apart = (x[:, 1:] - x[:, :-1]).abs()
        return (4 * (x - 1).abs()).floor().sum(1) + (8 * apart).floor().sum(1) / 2

    layout = layout_of(DomainKind.REAL, 4, lower=-3.0, upper=5.0)

    found = find(name, FunctionTarget(dim=4, energy=energy), layout, seed=seed, starts=64)

    assert float(found.energies[0]) == 0
    assert float((found.points[0] - 1).abs().max()) < 1 / 4


def test_a_sum_of_squares_is_brought_down_by_its_residuals() -> None:
    squares = SquaresTarget(dim=2, residuals=lambda x: x - 1)

    assert isinstance(pick_local(squares).method, LevenbergMarquardt)
    assert pick_local(FunctionTarget(dim=2, energy=himmelblau)).method is None
