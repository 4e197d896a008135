"""What global methods are made of: the random move, the rule of acceptance, the comparison."""

import math

import torch

from ebmlang.lang import DomainKind
from ebmlang.runtime import UNLIMITED, SilentProgress, watch_interrupts
from ebmlang.solve.descent.method import Minimum
from ebmlang.solve.loop import Watch
from ebmlang.solve.problem import Problem, build_problem
from ebmlang.solve.search.annealing import keep_better
from ebmlang.solve.search.basin_hopping import accept
from ebmlang.solve.search.landing import Landing, judge
from ebmlang.solve.search.shift import shift
from tests.runtime.function_target import FunctionTarget, layout_of

MANY = 20_000


def build(dim: int) -> Problem:
    """The squared distance from the origin in a box, with a first coordinate of at least 0."""
    target = FunctionTarget(
        dim=dim, energy=lambda x: x.square().sum(1), requirements=lambda x: x[:, :1]
    )
    layout = layout_of(DomainKind.REAL, dim, lower=-1.0, upper=1.0)
    with watch_interrupts() as interrupt:
        watch = Watch(SilentProgress(), UNLIMITED.start(), interrupt)
        return build_problem(target, layout, seed=0, watch=watch)


def landing(energy: list[float], violation: list[float]) -> Landing:
    return Landing(
        position=torch.zeros(len(energy), 1).double(),
        energy=torch.tensor(energy).double(),
        violation=torch.tensor(violation).double(),
    )


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_a_move_shifts_from_one_coordinate_to_all_and_stays_inside() -> None:
    y = torch.zeros(MANY, 8).double()

    moved = shift(build(8), y, torch.full((MANY,), 0.6).double(), generator())

    counts = (moved != 0).sum(1)
    assert set(counts.tolist()) == set(range(1, 9))
    assert float(moved.abs().max()) == 1


def test_a_move_has_the_length_that_it_is_given() -> None:
    y = torch.zeros(MANY, 2).double()

    moved = shift(build(2), y, torch.full((MANY,), 0.01).double(), generator())

    steps = moved[moved != 0]
    # Four standard errors of a standard deviation.
    assert abs(float(steps.std()) / 0.01 - 1) < 4 / math.sqrt(2 * len(steps))


def test_uphill_moves_are_accepted_as_often_as_metropolis_says() -> None:
    here, there = landing([0.0] * MANY, [0.0] * MANY), landing([1.0] * MANY, [0.0] * MANY)

    taken = accept(here, there, torch.tensor(0.5).double(), generator())

    share, expected = float(taken.double().mean()), math.exp(-2)
    assert abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / MANY)


def test_what_is_feasible_is_accepted_whatever_it_costs_and_never_left() -> None:
    here, there = (
        landing([0.0, 9.0, 5.0], [1.0, 0.0, 0.0]),
        landing([9.0, 0.0, 4.0], [0.0, 1.0, 0.0]),
    )

    taken = accept(here, there, torch.tensor(1e-9).double(), generator())

    assert taken.tolist() == [True, False, True]


def test_infinite_energies_are_left_and_not_entered() -> None:
    here, there = landing([math.inf, 0.0], [0.0, 0.0]), landing([0.0, math.inf], [0.0, 0.0])

    taken = accept(here, there, torch.tensor(1.0).double(), generator())

    assert taken.tolist() == [True, False]


def test_places_are_judged_by_violation_first() -> None:
    problem = build(2)
    y = torch.tensor([[-0.5, 0.0], [0.9, 0.9], [0.1, 0.0]]).double()

    places = judge(problem, y)

    assert places.violation.tolist() == [0.5, 0.0, 0.0]
    order = places.take(torch.tensor([1, 2, 0])).is_better(places)
    assert order.tolist() == [True, True, False]


def test_a_descent_that_made_a_place_worse_is_undone() -> None:
    problem = build(1)
    before = torch.tensor([[0.125], [0.5]]).double()
    ends = Minimum(
        position=torch.tensor([[0.375], [0.25]]).double(),
        value=torch.zeros(2).double(),
        stationarity=torch.zeros(2).double(),
        done=torch.ones(2, dtype=torch.bool),
    )

    kept = keep_better(problem, before, ends)

    assert kept.position[:, 0].tolist() == [0.125, 0.25]
