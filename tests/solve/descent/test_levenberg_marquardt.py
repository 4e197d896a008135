from dataclasses import replace

import numpy as np
import pytest
import scipy.optimize
import torch

from ebmlang.lang import DomainKind
from ebmlang.solve import search
from ebmlang.solve.descent import levenberg_marquardt as marquardt
from ebmlang.solve.descent.levenberg_marquardt import LevenbergMarquardt
from ebmlang.solve.local import Local
from ebmlang.solve.objective import Lagrangian
from ebmlang.solve.search.multistart import Multistart
from ebmlang.solve.states import take_each
from ebmlang.spaces import build_solving_chart
from tests.runtime.function_target import layout_of
from tests.runtime.squares_target import SquaresTarget

TOLERANCE = 1e-9
"""Small, so that what is tested is where the steps lead, not when they end."""

LOCAL = Local(method=LevenbergMarquardt(tolerance=TOLERANCE), adam_steps=0)


def objective(residuals, dim: int, count: int, **bounds) -> Lagrangian:
    layout = layout_of(DomainKind.REAL, dim, **bounds)
    empty = torch.empty(count, 0, dtype=torch.float64)
    return Lagrangian(
        target=SquaresTarget(dim=dim, residuals=residuals),
        chart=build_solving_chart(layout, dtype=torch.float64, device=torch.device("cpu")),
        scale=empty,
        slack=empty,
        multipliers=empty,
        penalty=empty,
    )


def run(goal: Lagrangian, y: torch.Tensor, steps: int) -> marquardt.MarquardtState:
    state = marquardt.init(goal, y, TOLERANCE)
    for _ in range(steps):
        state, _ = marquardt.step(goal, state, TOLERANCE)
    return state


def starts(count: int, dim: int) -> torch.Tensor:
    rng = torch.Generator().manual_seed(0)
    return torch.randn(count, dim, dtype=torch.float64, generator=rng)


def rosenbrock(x: torch.Tensor) -> torch.Tensor:
    return torch.cat([10 * (x[:, 1:] - x[:, :-1].square()), 1 - x[:, :-1]], 1)


def test_linear_residuals_are_at_rest_after_a_few_steps_in_any_units() -> None:
    """Columns of very different lengths: what a unit costs gradient descent is nothing here."""
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(12, 5)) * 10.0 ** np.array([-6, -3, 0, 3, 6])
    aim = rng.normal(size=12)
    expected = np.linalg.lstsq(matrix, aim, rcond=None)[0]
    a, b = torch.tensor(matrix), torch.tensor(aim)
    goal = objective(lambda x: x @ a.T - b, 5, 4)

    state = run(goal, starts(4, 5), 12)

    assert bool(state.converged.all())
    np.testing.assert_allclose(state.position.numpy(), np.tile(expected, (4, 1)), rtol=1e-6)


def test_the_squares_never_rise() -> None:
    goal = objective(rosenbrock, 4, 16)
    state = marquardt.init(goal, starts(16, 4), TOLERANCE)

    for _ in range(60):
        before = state.near.squares
        state, _ = marquardt.step(goal, state, TOLERANCE)
        # Within round-off, where the gradient decides.
        assert bool((state.near.squares <= before * (1 + 1e-13)).all())


def test_each_start_goes_its_own_way_whatever_the_others_do() -> None:
    y = starts(6, 3)

    together = run(objective(rosenbrock, 3, 6), y, 15)
    alone = run(objective(rosenbrock, 3, 1), y[2:3], 15)

    torch.testing.assert_close(together.position[2:3], alone.position)


def test_a_start_that_is_not_finite_is_stalled_and_harms_no_other() -> None:
    goal = objective(lambda x: x.log(), 2, 2)

    state = run(goal, torch.tensor([[-1.0, 1.0], [2.0, 3.0]]).double(), 30)

    assert state.stalled.tolist()[0]
    torch.testing.assert_close(state.position[1], torch.ones(2).double())


def test_taking_some_starts_keeps_their_state() -> None:
    goal = objective(rosenbrock, 3, 4)
    state = run(goal, starts(4, 3), 5)
    index = torch.tensor([2, 0])

    later, _ = marquardt.step(goal.take(index), take_each(state, index), TOLERANCE)
    expected, _ = marquardt.step(goal, state, TOLERANCE)

    torch.testing.assert_close(later.position, expected.position[index])


@pytest.mark.parametrize("seed", range(4))
def test_linear_residuals_in_a_box_meet_scipys_bounded_least_squares(seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix, aim = rng.normal(size=(12, 8)), rng.normal(size=12)
    lower, upper = np.full(8, -0.2), np.full(8, 0.3)
    expected = scipy.optimize.lsq_linear(matrix, aim, (lower, upper), tol=1e-14)
    a, b = torch.tensor(matrix), torch.tensor(aim)
    layout = layout_of(DomainKind.REAL, 8, lower=lower, upper=upper)

    found = search(
        SquaresTarget(dim=8, residuals=lambda x: x @ a.T - b),
        layout,
        Multistart(starts=16, local=LOCAL),
        seed=seed,
    )

    np.testing.assert_allclose(found.points[0].numpy(), expected.x, atol=1e-7)
    assert float(found.share[0]) == 1
    assert bool(found.converged[0])


def test_residuals_fewer_than_unknowns_reach_zero() -> None:
    goal = objective(lambda x: x.square().sum(1, keepdim=True) - 1, 3, 8)

    state = run(goal, starts(8, 3), 40)

    assert float(state.near.squares.max()) < 1e-20
    assert bool(state.done.all())


def test_the_nearest_point_of_a_sphere_is_on_the_ray() -> None:
    aim = torch.tensor([1.0, -2.0, 3.0]).double()

    found = search(
        SquaresTarget(dim=3, residuals=lambda x: x - aim),
        layout_of(DomainKind.UNIT, 3),
        Multistart(starts=8, local=LOCAL),
    )

    torch.testing.assert_close(found.points[0], aim / aim.norm(), atol=1e-7, rtol=0)
    assert float(found.share[0]) == 1


def test_a_requirement_is_met_and_the_nearest_point_of_a_disc_found() -> None:
    """The nearest point to (2, 1) in the unit disc is on the ray; its multiplier is not zero."""
    aim = torch.tensor([2.0, 1.0]).double()

    found = search(
        SquaresTarget(
            dim=2,
            residuals=lambda x: x - aim,
            requirements=lambda x: 1 - x.square().sum(1, keepdim=True),
        ),
        layout_of(DomainKind.REAL, 2, lower=-3.0, upper=3.0),
        Multistart(starts=16, local=replace(LOCAL, method=LevenbergMarquardt(tolerance=1e-7))),
    )

    assert bool(found.feasible[0])
    torch.testing.assert_close(found.points[0], aim / aim.norm(), atol=1e-6, rtol=0)
