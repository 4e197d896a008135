"""Machine code takes the steps that torch takes."""

import pytest
import torch

from ebmlang.solve.descent.adam import Adam
from ebmlang.solve.descent.lbfgs import Lbfgs
from ebmlang.solve.native import loops
from ebmlang.solve.native.machine import FEWEST
from ebmlang.solve.objective import Lagrangian
from tests.solve.native.by_hand import DIM, build_objective

pytestmark = pytest.mark.slow  # compiles

TOLERANCE = {torch.float64: 1e-8, torch.float32: 3e-4}
AGREE = {torch.float64: 1e-9, torch.float32: 2e-3}
"""Round-off that some tens of steps through curved valleys have made larger."""

BOUNDS = {"free": {}, "box": {"lower": -1.5, "upper": 0.8}, "floor": {"lower": 0.2}}


def leap(method, objective, state, count):
    """Return the state after some steps."""
    found = loops.leap(method, objective, state, count)
    return None if found is None else found[0]


def starts(count: int, dtype: torch.dtype) -> torch.Tensor:
    rng = torch.Generator().manual_seed(3)
    return torch.rand(count, DIM, dtype=dtype, generator=rng) * 1.8 - 0.9


def go(method, goal: Lagrangian, y: torch.Tensor, steps: int):
    state = method.init(goal, goal.chart.retract(y))
    for _ in range(steps):
        state, _ = method.step(goal, state)
    return state


@pytest.mark.parametrize("bounds", BOUNDS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_value_and_gradient_are_those_of_autograd(dtype: torch.dtype, bounds: str) -> None:
    mine = build_objective(dtype, 21, machine=True, **BOUNDS[bounds])
    theirs = build_objective(dtype, 21, machine=False, **BOUNDS[bounds])
    y = mine.chart.retract(starts(21, dtype))

    found, expected = mine.evaluate(y), theirs.evaluate(y)

    tight = 1e-12 if dtype is torch.float64 else 1e-4
    torch.testing.assert_close(found.value, expected.value, rtol=tight, atol=tight)
    torch.testing.assert_close(found.gradient, expected.gradient, rtol=tight, atol=tight)


@pytest.mark.parametrize("bounds", BOUNDS)
@pytest.mark.parametrize("steps", [1, 7, 25])
def test_lbfgs_takes_the_same_steps(bounds: str, steps: int) -> None:
    """Searches, held coordinates and histories of each start agree, not only where they end."""
    dtype, method = torch.float64, Lbfgs(tolerance=1e-8)
    mine = build_objective(dtype, 21, machine=True, **BOUNDS[bounds])
    theirs = build_objective(dtype, 21, machine=False, **BOUNDS[bounds])
    y = starts(21, dtype)
    expected = go(method, theirs, y, steps)

    found = leap(method, mine, method.init(mine, mine.chart.retract(y)), steps)

    assert found is not None
    going = ~expected.done
    assert torch.equal(found.done, expected.done)
    for name in ("position", "value", "gradient", "direction", "size", "trials", "modelled"):
        mine_, theirs_ = getattr(found, name)[going], getattr(expected, name)[going]
        torch.testing.assert_close(mine_, theirs_, rtol=AGREE[dtype], atol=AGREE[dtype])
    torch.testing.assert_close(found.history.known[going], expected.history.known[going])
    torch.testing.assert_close(found.position, expected.position)


def test_steps_can_be_cut_into_calls() -> None:
    """What lies between calls, such as pairs and trial steps, goes on where it was."""
    method = Lbfgs(tolerance=1e-8)
    goal = build_objective(torch.float64, 13, machine=True, lower=-1.5, upper=0.8)
    begun = method.init(goal, goal.chart.retract(starts(13, torch.float64)))

    once = leap(method, goal, begun, 24)
    twice = leap(method, goal, leap(method, goal, begun, 11), 13)

    torch.testing.assert_close(once.position, twice.position, rtol=0, atol=1e-12)
    assert torch.equal(once.history.known[~once.done], twice.history.known[~twice.done])


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("bounds", BOUNDS)
def test_adam_takes_the_same_steps(bounds: str, dtype: torch.dtype) -> None:
    method = Adam(steps=60)
    mine = build_objective(dtype, 21, machine=True, **BOUNDS[bounds])
    theirs = build_objective(dtype, 21, machine=False, **BOUNDS[bounds])
    y = starts(21, dtype)
    expected = go(method, theirs, y, 30)

    state = leap(method, mine, method.init(mine, mine.chart.retract(y)), 17)
    found = leap(method, mine, state, 13)

    assert found.count == expected.count
    for name in ("position", "first", "second", "caution", "best_position", "best_value"):
        mine_, theirs_ = getattr(found, name), getattr(expected, name)
        torch.testing.assert_close(mine_, theirs_, rtol=AGREE[dtype], atol=AGREE[dtype])


def test_a_call_leaves_what_it_was_given() -> None:
    method = Lbfgs(tolerance=1e-8)
    goal = build_objective(torch.float64, 9, machine=True)
    begun = method.init(goal, starts(9, torch.float64))
    position, moves = begun.position.clone(), begun.history.moves.clone()

    leap(method, goal, begun, 5)

    assert torch.equal(begun.position, position)
    assert torch.equal(begun.history.moves, moves)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_every_start_comes_to_rest(dtype: torch.dtype) -> None:
    method = Lbfgs(tolerance=TOLERANCE[dtype])
    goal = build_objective(dtype, 40, machine=True)

    found = leap(method, goal, method.init(goal, starts(40, dtype)), 400)

    assert bool(found.done.all())
    # The valley has a second minimum, near (-1, 1, 1, ...).
    assert bool((found.stationarity[found.converged] <= 1e-2).all())
    assert int(found.converged.sum()) >= 39


def test_a_start_that_is_not_finite_stays_and_harms_no_other() -> None:
    method = Lbfgs(tolerance=1e-8)
    goal = build_objective(torch.float64, 2, machine=True)
    y = starts(2, torch.float64)
    y[0, 0] = torch.inf

    found = leap(method, goal, method.init(goal, y), 200)

    assert found.stalled.tolist() == [True, False]
    assert found.converged.tolist() == [False, True]


def test_several_threads_take_the_steps_of_one() -> None:
    method, count = Lbfgs(tolerance=1e-8), 2 * FEWEST + 3
    goal = build_objective(torch.float64, count, machine=True, lower=-1.5, upper=0.8)
    begun = method.init(goal, goal.chart.retract(starts(count, torch.float64)))
    available = torch.get_num_threads()

    one = leap(method, goal, begun, 9)
    try:
        torch.set_num_threads(2)
        two = leap(method, goal, begun, 9)
    finally:
        torch.set_num_threads(available)

    assert torch.equal(one.position, two.position)
    assert torch.equal(one.history.known, two.history.known)
