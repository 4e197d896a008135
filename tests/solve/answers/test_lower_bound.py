"""Proofs from below: a gap is never smaller than the truth, and none is given where none holds."""

import numpy as np
import pytest
import torch
from torch import Tensor

from ebmlang.lang import DomainKind
from ebmlang.runtime import UNLIMITED
from ebmlang.solve.answers.lower_bound import Certificate, certify
from ebmlang.spaces import Layout, build_solving_chart
from tests.runtime.function_target import CPU, FunctionTarget, layout_of, nothing

ROUNDING = 1e-12
"""What a gap near zero may be off by [nats]: the sum of some hundred products of numbers near 1."""


def proof(layout: Layout, energy, point, requirements=nothing) -> Certificate | None:
    target = FunctionTarget(dim=layout.dim, energy=energy, requirements=requirements)
    chart = build_solving_chart(layout, dtype=torch.float64, device=CPU)
    points = torch.as_tensor(np.atleast_2d(point), dtype=torch.float64)
    return certify(target, chart, points, UNLIMITED.start())


def bowl(seed: int, dim: int, largest: float = 100.0):
    """Return a quadratic of known minimum: its function, the place and the value."""
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(dim, dim)))
    matrix = torch.tensor(turn @ np.diag(np.geomspace(1, largest, dim)) @ turn.T)
    place, value = torch.tensor(rng.uniform(-1, 1, dim)), float(rng.normal())

    def energy(x: Tensor) -> Tensor:
        return (((x - place) @ matrix) * (x - place)).sum(1) / 2 + value

    return energy, place, value


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_a_gap_is_never_smaller_than_the_distance_to_the_minimum(seed: int) -> None:
    """Wherever the point is, and whether or not it is a minimum."""
    energy, place, value = bowl(seed, 4)
    away = torch.tensor(np.random.default_rng(seed).normal(size=4)) * 10.0 ** -(seed / 2)

    found = proof(layout_of(DomainKind.REAL, 4, lower=-5, upper=5), energy, place + away)

    assert found is not None
    assert found.energy - value <= found.gap + ROUNDING


@pytest.mark.parametrize("lower", [-np.inf, -3.0])
def test_a_smooth_minimum_is_proved(lower: float) -> None:
    energy, place, value = bowl(0, 6)

    found = proof(layout_of(DomainKind.REAL, 6, lower=lower, upper=np.inf), energy, place)

    assert found is not None
    assert found.enough
    assert found.gap < 1e-7
    assert found.energy == pytest.approx(value, abs=ROUNDING)


def test_a_point_that_is_no_minimum_is_never_proved_to_be_one() -> None:
    """Whatever is proved in the end is proved of another point, which is one."""
    energy, place, value = bowl(1, 3)

    found = proof(layout_of(DomainKind.REAL, 3, lower=-4, upper=4), energy, place + 0.5)

    assert found is not None
    assert not found.enough or found.energy - value < 1e-6


def test_what_falls_forever_is_not_proved() -> None:
    layout = layout_of(DomainKind.REAL, 1)

    found = proof(layout, lambda x: -x[:, 0], [0.0])

    assert found is None or not found.enough


def test_a_minimum_at_a_bound_has_the_multiplier_of_that_bound() -> None:
    layout = layout_of(DomainKind.REAL, 2, lower=0.0, upper=2.0)

    found = proof(layout, lambda x: (x[:, 0] + 1) ** 2 + (x[:, 1] - 3) ** 2, [0.0, 2.0])

    assert found is not None
    assert found.enough
    assert found.energy == 2.0


def test_a_minimum_on_a_requirement_has_its_multiplier() -> None:
    """`x + y >= 1`: the nearest point to the origin is (1/2, 1/2), with energy 1/2."""
    layout = layout_of(DomainKind.REAL, 2)
    wall = lambda x: (x.sum(1) - 1)[:, None]  # noqa: E731

    inside = proof(layout, lambda x: x.square().sum(1), [0.5, 0.5], wall)
    beside = proof(layout, lambda x: x.square().sum(1), [0.8, 0.2], wall)

    assert inside is not None
    assert inside.enough
    assert beside is not None
    assert not beside.enough or beside.energy < 0.5 + 1e-6


def test_nothing_is_proved_of_a_point_that_does_not_hold_what_is_required() -> None:
    wall = lambda x: x - 1  # noqa: E731

    assert proof(layout_of(DomainKind.REAL, 1), lambda x: x[:, 0] ** 2, [0.0], wall) is None


def test_tangents_lead_on_from_a_kink() -> None:
    """`max_i(a_i x - b_i)` is a linear program: cutting planes end at its vertex exactly."""
    rng = np.random.default_rng(3)
    a, b = torch.tensor(rng.normal(size=(8, 3))), torch.tensor(rng.normal(size=8))
    layout = layout_of(DomainKind.REAL, 3, lower=-1, upper=1)
    from scipy.optimize import linprog

    exact = linprog(
        [0, 0, 0, 1],
        A_ub=np.c_[a.numpy(), -np.ones(8)],
        b_ub=b.numpy(),
        bounds=[(-1, 1)] * 3 + [(None, None)],
    )

    found = proof(layout, lambda x: (x @ a.T - b).amax(1), [0.0, 0.0, 0.0])

    assert found is not None
    assert found.enough
    assert found.energy == pytest.approx(exact.fun, abs=1e-8)


def test_an_ordered_domain_is_part_of_the_proof() -> None:
    """The nearest ordered pair to (1, 0) is (1/2, 1/2)."""
    aim = torch.tensor([1.0, 0.0], dtype=torch.float64)

    found = proof(layout_of(DomainKind.ORDERED, 2), lambda x: (x - aim).square().sum(1), [0.5, 0.5])

    assert found is not None
    assert found.enough
    assert found.energy == pytest.approx(0.5)


def test_a_simplex_is_part_of_the_proof() -> None:
    """Of what sums to one, the least of `x + 2 y + 3 z` is 1."""
    rates = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)

    found = proof(layout_of(DomainKind.SIMPLEX, 3), lambda x: x @ rates, [1.0, 0.0, 0.0])

    assert found is not None
    assert found.enough
    assert found.energy == 1.0


def test_there_is_no_proof_on_a_sphere() -> None:
    assert proof(layout_of(DomainKind.UNIT, 2), lambda x: x[:, 0], [-1.0, 0.0]) is None


def test_tangents_that_are_not_finite_are_left_out() -> None:
    """`x log x` has no slope at 0, where a neighbor of a small minimum may lie."""
    layout = layout_of(DomainKind.REAL, 1, lower=0.0, upper=1.0)

    found = proof(layout, lambda x: (x * x.log() + 10 * x)[:, 0], [np.exp(-11.0)])

    assert found is not None
    assert found.gap == found.gap
    assert found.energy == pytest.approx(-np.exp(-11.0))
