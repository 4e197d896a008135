import math

import pytest
import torch
from torch import Tensor

from ebmlang.lang import DomainKind
from ebmlang.runtime import Target
from ebmlang.sample import smc
from ebmlang.sample.density import TargetDensity
from ebmlang.sample.smc.scouts import find_overlooked, scout
from ebmlang.spaces import Layout, build_sampling_chart
from ebmlang.testing.targets import find_target
from tests.runtime.function_target import CPU, FunctionTarget, layout_of
from tests.sample.laws import LAWS, normal, uniform

DIM, NARROW = 10, 0.5
CENTERS = torch.tensor([[-5.0], [5.0]]).double().expand(2, DIM)


def two_widths(x: Tensor) -> Tensor:
    """Return minus the log of two Gaussians of equal mass, one half as wide as the other."""
    wide = (x - CENTERS[0]).square().sum(1) / 2
    narrow = (x - CENTERS[1]).square().sum(1) / (2 * NARROW**2) + DIM * math.log(NARROW)
    return -torch.logaddexp(-wide, -narrow)


TWO_WIDTHS = FunctionTarget(dim=DIM, energy=two_widths)
LOG_MASS = DIM / 2 * math.log(2 * math.pi)
"""Of either of the two."""


def density_of(target: Target, layout: Layout) -> TargetDensity:
    chart = build_sampling_chart(layout, dtype=torch.float64, device=CPU)
    return TargetDensity(target=target, chart=chart)


def exact(mode: int, width: float) -> Tensor:
    return CENTERS[mode] + width * normal(2000, DIM, torch.Generator().manual_seed(0))


def test_a_scout_knows_about_how_much_mass_is_around_it() -> None:
    """Of forty steps a log variance has an error of 0.22, the sum of ten halves one of 0.35."""
    region = scout(density_of(TWO_WIDTHS, layout_of(DomainKind.REAL, DIM)), seed=0)

    settled = (region.position - CENTERS[0]).norm(dim=1) < 2 * DIM**0.5
    assert settled.sum() > 10
    assert region.log_mass[settled].median().item() == pytest.approx(LOG_MASS, abs=4 * 0.35)


@pytest.mark.parametrize(("mode", "width"), [(0, 1.0), (1, NARROW)])
def test_the_mode_that_particles_lack_is_reported(mode: int, width: float) -> None:
    density = density_of(TWO_WIDTHS, layout_of(DomainKind.REAL, DIM))

    overlooked = find_overlooked(density, exact(mode, width), LOG_MASS, seed=0)

    assert 0.1 < overlooked < 0.9


def test_nothing_is_overlooked_by_particles_in_both_modes() -> None:
    density = density_of(TWO_WIDTHS, layout_of(DomainKind.REAL, DIM))
    particles = torch.cat([exact(0, 1.0), exact(1, NARROW)])

    assert find_overlooked(density, particles, LOG_MASS + math.log(2), seed=0) == 0


@pytest.mark.parametrize("name", ["banana", "funnel10", "rosen36"])
@pytest.mark.parametrize("seed", range(2))
def test_exact_draws_overlook_nothing_however_bent_the_target(name: str, seed: int) -> None:
    target = find_target(name)
    density = density_of(
        FunctionTarget(dim=target.dim, energy=target.energy),
        layout_of(DomainKind.REAL, target.dim),
    )
    particles = target.draw(4000, torch.Generator().manual_seed(seed))

    assert find_overlooked(density, particles, target.log_partition, seed) == 0


def test_on_a_manifold_nothing_is_overlooked() -> None:
    law = LAWS["von mises-fisher"]
    density = density_of(law.target, law.layout)
    particles = law.draw(4000, torch.Generator().manual_seed(0))

    assert find_overlooked(density, particles, math.log(math.sinh(1)), seed=0) == 0


def test_where_no_scout_can_begin_nothing_is_said() -> None:
    nowhere = FunctionTarget(dim=2, energy=lambda x: x.sum(1) * 0 + math.inf)
    particles = uniform(10, 2, torch.Generator().manual_seed(0))

    density = density_of(nowhere, layout_of(DomainKind.REAL, 2))
    assert find_overlooked(density, particles, 0.0, seed=0) == 0


@pytest.mark.slow
def test_islands_that_all_lack_a_mode_say_so() -> None:
    """They agree within a hundredth of a nat on half of what there is."""
    _, found = smc.sample(
        TWO_WIDTHS, layout_of(DomainKind.REAL, DIM), islands=16, particles=256, seed=1
    )

    assert not found.reliable
    assert found.overlooked > 0.1
