"""When two ends are one design: by what lies between them."""

import torch
from torch import Tensor

from ebmlang.lang import DomainKind
from ebmlang.solve.answers.sameness import build_ends, find_same
from ebmlang.solve.places import look_at
from ebmlang.spaces import build_solving_chart
from tests.runtime.function_target import FunctionTarget, layout_of


def are_same(energy, *ends: float) -> list[bool]:
    """Return which of the ends, on [-1, 1], are one design with the first."""
    target = FunctionTarget(dim=1, energy=energy)
    chart = build_solving_chart(
        layout_of(DomainKind.REAL, 1, lower=-1.0, upper=1.0),
        dtype=torch.float64,
        device=torch.device("cpu"),
    )
    position = torch.tensor(ends, dtype=torch.float64)[:, None]
    found = build_ends(target, chart, look_at(target, chart, position))
    rows = torch.arange(len(ends))
    return find_same(found, rows[0], rows).tolist()


def test_ends_on_both_sides_of_a_barrier_differ_however_close_they_are() -> None:
    """Minima at +-1e-4, with a barrier of 1 between them."""

    def wells(x: Tensor) -> Tensor:
        return ((1e8 * x.square() - 1).square()).sum(1)

    assert are_same(wells, 1e-4, -1e-4, 1.001e-4) == [True, False, True]


def test_ends_in_a_bowl_too_flat_to_find_its_bottom_are_one() -> None:
    """At a slope of 1e-8 a descent stops, which here is anywhere in the domain."""

    def bowl(x: Tensor) -> Tensor:
        return (1e-9 * (x - 0.2).square()).sum(1)

    assert are_same(bowl, 0.2, 0.9, -0.7) == [True, True, True]


def test_ends_along_a_valley_without_a_slope_differ() -> None:
    assert are_same(lambda x: (0 * x).sum(1), 0.0, 1e-4, 0.5) == [True, True, False]


def test_two_wells_of_equal_depth_differ() -> None:
    def wells(x: Tensor) -> Tensor:
        return ((4 * x.square() - 1).square()).sum(1)

    assert are_same(wells, 0.5, -0.5, 0.50001) == [True, False, True]


def test_ends_on_slopes_that_lead_to_different_wells_differ() -> None:
    """Slopes at both ends would fit one bowl; the energy halfway says that there is a hill."""

    def wells(x: Tensor) -> Tensor:
        return ((4 * x.square() - 1).square()).sum(1)

    assert are_same(wells, 0.9, -0.9) == [True, False]
