import torch

from ebmlang.lang import DomainKind
from ebmlang.solve.descent import lbfgs
from ebmlang.solve.objective import Lagrangian
from ebmlang.solve.states import take_each
from ebmlang.spaces import build_solving_chart
from tests.runtime.function_target import FunctionTarget, layout_of

TOLERANCE = 1e-8


def objective(energy, dim: int, count: int, **bounds) -> Lagrangian:
    layout = layout_of(DomainKind.REAL, dim, **bounds)
    empty = torch.empty(count, 0, dtype=torch.float64)
    return Lagrangian(
        target=FunctionTarget(dim=dim, energy=energy),
        chart=build_solving_chart(layout, dtype=torch.float64, device=torch.device("cpu")),
        scale=empty,
        slack=empty,
        multipliers=empty,
        penalty=empty,
    )


def run(goal: Lagrangian, y: torch.Tensor, steps: int) -> lbfgs.LbfgsState:
    state = lbfgs.init(goal, y, TOLERANCE)
    for _ in range(steps):
        state, _ = lbfgs.step(goal, state, TOLERANCE)
    return state


def starts(count: int, dim: int) -> torch.Tensor:
    rng = torch.Generator().manual_seed(0)
    return torch.randn(count, dim, dtype=torch.float64, generator=rng)


def test_an_ill_conditioned_bowl_converges_superlinearly() -> None:
    """Gradient descent would need some 10^5 steps at this condition number."""
    curvature = torch.logspace(0, 4, 10, dtype=torch.float64)
    goal = objective(lambda x: (curvature * x.square()).sum(1) / 2, 10, 8)

    state = run(goal, starts(8, 10), 400)

    assert bool(state.converged.all())


def test_each_start_goes_its_own_way_whatever_the_others_do() -> None:
    """One row of the batch alone takes the same steps as among others."""

    def energy(x: torch.Tensor) -> torch.Tensor:
        return (x.square() - 1).square().sum(1) + x[:, 0].exp()

    y = starts(6, 3)

    together = run(objective(energy, 3, 6), y, 30)
    alone = run(objective(energy, 3, 1), y[2:3], 30)

    torch.testing.assert_close(together.position[2:3], alone.position)


def test_a_start_that_is_not_finite_is_stalled_and_harms_no_other() -> None:
    goal = objective(lambda x: x.log().square().sum(1), 2, 2)
    y = torch.tensor([[-1.0, 1.0], [2.0, 3.0]]).double()

    state = run(goal, y, 60)

    assert state.stalled.tolist() == [True, False]
    assert state.converged.tolist() == [False, True]


def test_the_value_never_rises() -> None:
    goal = objective(lambda x: (x[:, 1:] - x[:, :-1].square()).square().sum(1), 4, 16)
    state = lbfgs.init(goal, starts(16, 4), TOLERANCE)

    for _ in range(50):
        before = state.value
        state, _ = lbfgs.step(goal, state, TOLERANCE)
        # Within round-off, where the gradient decides.
        assert bool((state.value <= before + 1e-12).all())


def test_a_coordinate_leaves_its_bound_when_the_gradient_turns() -> None:
    """From the corner (0, 0) the minimum at (1/2, 0) must be reached along one bound."""
    goal = objective(
        lambda x: (x[:, 0] - 0.5).square() + x[:, 1] + x[:, 0] * x[:, 1], 2, 1, lower=0.0, upper=1.0
    )

    state = run(goal, torch.tensor([[-1.0, -1.0]]).double(), 30)

    assert bool(state.converged.all())
    found = goal.chart.to_written(state.position)
    torch.testing.assert_close(found, torch.tensor([[0.5, 0.0]]).double())


def test_taking_some_starts_keeps_their_state() -> None:
    goal = objective(lambda x: x.pow(4).sum(1), 3, 4)
    state = run(goal, starts(4, 3), 5)
    index = torch.tensor([2, 0])

    kept = take_each(state, index)
    later, _ = lbfgs.step(goal.take(index), kept, TOLERANCE)
    expected, _ = lbfgs.step(goal, state, TOLERANCE)

    torch.testing.assert_close(later.position, expected.position[index])
