"""Which designs are kept where they are to differ."""

import itertools

import torch

from ebmlang.lang import DomainKind
from ebmlang.solve import solve
from ebmlang.solve.answers.diversity import STARTS_PER_DESIGN, Diversity, select_spread
from tests.runtime.function_target import FunctionTarget, layout_of


def wells(tilt: float = 0.0) -> FunctionTarget:
    """Return five double wells: 32 minima at the signs, all of energy 0 without a tilt."""

    def energy(x: torch.Tensor) -> torch.Tensor:
        return ((x.square() - 1).square() + tilt * (x + 1)).sum(1)

    return FunctionTarget(dim=5, energy=energy)


def test_every_one_of_32_equal_minima_is_returned() -> None:
    layout = layout_of(DomainKind.REAL, 5, lower=-2.0, upper=2.0)

    found = solve(wells(), layout, starts=STARTS_PER_DESIGN * 32, designs=32, diversity=Diversity())

    signs = {tuple(point) for point in found.points.sign().int().tolist()}
    assert signs == set(itertools.product((-1, 1), repeat=5))
    assert float(found.energies.max()) < 1e-12
    # Every start ends in one of them, and none is counted twice.
    assert float(found.share.sum()) == 1


def test_no_design_is_worse_than_the_band_allows() -> None:
    """A well on the other side costs nearly twice the tilt, so that two fit into the band."""
    layout = layout_of(DomainKind.REAL, 5, lower=-2.0, upper=2.0)

    found = solve(wells(0.1), layout, starts=256, designs=32, diversity=Diversity(band=0.45))

    others = (found.points > 0).sum(1)
    assert int(others.max()) == 2
    assert len(found.points) == 1 + 5 + 10
    assert float(found.energies.max() - found.energies.min()) <= 0.45


def test_designs_are_chosen_far_from_each_other() -> None:
    """Of the corners of a square and a cluster at its middle, the best and corners are taken."""
    corners = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    middle = 0.01 * torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])

    chosen = select_spread(torch.cat([middle, corners]), torch.full((2,), 2.0), 5)

    assert chosen[0] == 0
    assert set(chosen[1:].tolist()) == {3, 4, 5, 6}


def test_a_coordinate_without_a_natural_length_is_measured_in_its_own_range() -> None:
    """Else a coordinate in micrometres would decide alone."""
    points = torch.tensor([[0.0, 0.0], [1e6, 0.1], [0.9e6, 1.0]])

    assert select_spread(points, torch.ones(2), 2).tolist() == [0, 2]
