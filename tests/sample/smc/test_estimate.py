"""Log partition functions against formulas, masses of modes, and what is said where it fails."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from scipy import integrate
from scipy.special import iv, ndtr
from scipy.stats import norm
from torch import Tensor

from ebmlang.lang import DomainKind
from ebmlang.runtime import Target
from ebmlang.sample import smc
from ebmlang.sample.density import TargetDensity
from ebmlang.source import EbmError
from ebmlang.spaces import Layout, build_sampling_chart
from ebmlang.testing.targets import find_target
from tests.runtime.function_target import CPU, FunctionTarget, layout_of
from tests.sample.laws import LAWS, LOWER, SCALES, SHAPES, UPPER

ERRORS = 4.0
"""Stated standard errors that an estimate may be off by: one in a thousand is, with 16 islands."""

LOG_TAU = math.log(2 * math.pi)
PLANE = layout_of(DomainKind.REAL, 2)


@dataclass(frozen=True, kw_only=True)
class Case:
    target: Target
    layout: Layout
    truth: float


def of_law(name: str, truth: float) -> Case:
    return Case(target=LAWS[name].target, layout=LAWS[name].layout, truth=truth)


def in_order(x: Tensor) -> Tensor:
    """Return the margins of 1 <= x2 <= x1 <= x0 but for the first: x0 is at least 1."""
    return torch.stack([x[:, 0] - 1, x[:, 0] - x[:, 1], x[:, 1] - x[:, 2]], 1)


def half_squares(x: Tensor) -> Tensor:
    return x.square().sum(1) / 2


# Of x0 >= 1 and x2 <= x1 <= x0 with three normals: integral of phi(a) Phi(a)^2 / 2 over a >= 1.
IN_ORDER = integrate.quad(lambda a: norm.pdf(a) * norm.cdf(a) ** 2 / 2, 1, math.inf)[0]

CASES = {
    "gaussian": of_law("normal", 1.5 * LOG_TAU + float(SCALES.log().sum())),
    "truncated": of_law("truncated normal", LOG_TAU + 2 * math.log(ndtr(UPPER) - ndtr(LOWER))),
    "gamma": of_law("gamma", float(torch.lgamma(SHAPES).sum())),
    "ordered": of_law("ordered normal", 1.5 * LOG_TAU - math.log(math.factorial(3))),
    "dirichlet": of_law(
        "dirichlet", float(torch.lgamma(SHAPES).sum() - torch.lgamma(SHAPES.sum()))
    ),
    # Of uniform laws of total 1: Mardia and Jupp (2000), equations 9.3.4 and 13.2.5.
    "von mises-fisher": of_law("von mises-fisher", math.log(math.sinh(1))),
    "matrix fisher": of_law("matrix fisher in space", 1 + math.log(iv(0, 2) - iv(1, 2))),
    "polytope": Case(
        target=FunctionTarget(dim=3, energy=half_squares, requirements=in_order),
        layout=layout_of(DomainKind.REAL, 3),
        truth=1.5 * LOG_TAU + math.log(IN_ORDER),
    ),
    "narrow, far out, and high up": Case(
        target=FunctionTarget(dim=2, energy=lambda x: half_squares((x - 70) / 1e-3) + 1e6),
        layout=PLANE,
        truth=LOG_TAU + 2 * math.log(1e-3) - 1e6,
    ),
}


def run(target: Target, layout: Layout, particles: int = 256, seed: int = 1):
    return smc.sample(target, layout, islands=16, particles=particles, seed=seed)


@pytest.mark.parametrize("name", CASES)
def test_the_log_partition_function_is_that_of_the_formula(name: str) -> None:
    case = CASES[name]

    draws, found = run(case.target, case.layout)

    assert found.reliable, found.reasons
    assert abs(found.value - case.truth) < ERRORS * found.error
    assert found.error < 0.05
    assert (case.target.requirements(draws.points.flatten(0, 1)) >= 0).all()


def test_without_draws_it_is_the_same() -> None:
    case = CASES["truncated"]
    chart = build_sampling_chart(case.layout, dtype=torch.float64, device=CPU)
    density = TargetDensity(target=case.target, chart=chart)

    found = smc.estimate_log_partition(density, islands=16, particles=256, seed=1)

    assert found == run(case.target, case.layout)[1]


def test_another_seed_gives_other_draws_and_the_same_seed_the_same() -> None:
    case = CASES["gaussian"]

    first, again, other = (run(case.target, case.layout, 64, seed)[0].points for seed in (1, 1, 2))

    assert torch.equal(first, again)
    assert not torch.isclose(first, other).any()


def test_particles_have_the_moments_of_the_target() -> None:
    """At least a third of them are worth a draw each: resampling makes some alike."""
    points = run(LAWS["normal"].target, LAWS["normal"].layout)[0].points.flatten(0, 1)

    worth = len(points) / 3
    assert (points.mean(0).abs() < 4 * SCALES / worth**0.5).all()
    spread = points.var(0) / SCALES.square() - 1
    assert (spread.abs() < 4 * (2 / worth) ** 0.5).all()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_the_funnel_is_said_to_be_unreliable(seed: int) -> None:
    """Its neck is not found in time; islands agree, and are wrong by ten times their spread."""
    target = find_target("funnel10")

    _, found = run(
        FunctionTarget(dim=10, energy=target.energy), layout_of(DomainKind.REAL, 10), seed=seed
    )

    assert not found.reliable
    assert any("had not arrived" in reason for reason in found.reasons)


def masses_of(points: Tensor, modes: Tensor) -> Tensor:
    nearest = torch.cdist(points.flatten(0, 1), modes).argmin(1)
    return torch.bincount(nearest, minlength=len(modes)).double() / len(nearest)


@pytest.mark.slow
def test_forty_modes_are_found_and_weighed() -> None:
    target = find_target("gmm40")
    rng = torch.Generator().manual_seed(0)
    modes = 40 * (2 * torch.rand(40, 2, dtype=torch.float64, generator=rng) - 1)
    box = layout_of(DomainKind.REAL, 2, lower=-60.0, upper=60.0)

    draws, found = run(FunctionTarget(dim=2, energy=target.energy), box, particles=1024)

    masses = masses_of(draws.points, modes)
    assert (masses > 0).all()
    assert float((masses - 1 / 40).abs().sum()) / 2 <= 0.03
    assert found.reliable
    assert abs(found.value) < ERRORS * found.error


COMPOSITIONS: dict[str, tuple[Callable[[Tensor], Tensor], list[list[float]]]] = {
    "ring_and_bar": (find_target("ring_and_bar").energy, [[0, 0.5], [0, -0.5]]),
    "two_bars": (find_target("two_bars").energy, [[0.6, 0], [-0.6, 0]]),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", COMPOSITIONS)
def test_compositions_in_the_plane_have_their_masses(name: str) -> None:
    energy, modes = COMPOSITIONS[name]
    box = layout_of(DomainKind.REAL, 2, lower=-1.0, upper=1.0)

    draws, _ = smc.sample(
        FunctionTarget(dim=2, energy=energy), box, islands=32, particles=1024, seed=0
    )

    masses = masses_of(draws.points, torch.tensor(modes).double())
    assert (masses - 0.5).abs().max() < 0.01


def test_an_energy_without_a_finite_value_is_an_error() -> None:
    nowhere = FunctionTarget(dim=2, energy=lambda x: x.sum(1) * 0 + math.inf)

    with pytest.raises(EbmError) as caught:
        run(nowhere, PLANE)

    assert caught.value.diagnostics[0].code == "E0707"


def test_requirements_that_hold_nowhere_are_an_error() -> None:
    nowhere = FunctionTarget(
        dim=2, energy=half_squares, requirements=lambda x: -torch.ones_like(x[:, :1])
    )

    with pytest.raises(EbmError) as caught:
        run(nowhere, PLANE)

    assert caught.value.diagnostics[0].code == "E0706"
