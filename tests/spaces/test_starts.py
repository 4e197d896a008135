import math

import pytest
import scipy.stats
import torch

from ebmlang.lang import DomainKind
from ebmlang.spaces import draw_starts
from tests.runtime.function_target import layout_of

COUNT = 4096
LEAST_P = 1e-4
"""Kolmogorov-Smirnov p-value below which a law is wrong. Sobol points are more even than random
ones, so a right law gives p near 1 and the seed does not matter."""


def starts_of(kind: DomainKind, *shape: int, **bounds: object) -> torch.Tensor:
    layout = layout_of(kind, *shape, **bounds)
    return draw_starts(layout, COUNT, seed=1, dtype=torch.float64, device=torch.device("cpu"))


def p_value(values: torch.Tensor, law: object) -> float:
    return float(scipy.stats.kstest(values.numpy(), law.cdf).pvalue)


def test_bounded_starts_are_uniform() -> None:
    starts = starts_of(DomainKind.REAL, 2, lower=[-1.0, 10.0], upper=[1.0, 30.0])

    assert p_value(starts[:, 0], scipy.stats.uniform(-1, 2)) > LEAST_P
    assert p_value(starts[:, 1], scipy.stats.uniform(10, 20)) > LEAST_P


def test_starts_without_bounds_are_logistic() -> None:
    assert p_value(starts_of(DomainKind.REAL, 2)[:, 1], scipy.stats.logistic(0, 2)) > LEAST_P


def test_half_bounded_starts_are_log_logistic_from_the_bound() -> None:
    above = starts_of(DomainKind.REAL, 1, lower=[3.0])[:, 0] - 3
    below = 3 - starts_of(DomainKind.REAL, 1, upper=[3.0])[:, 0]

    assert p_value(above, scipy.stats.fisk(1)) > LEAST_P
    assert p_value(below, scipy.stats.fisk(1)) > LEAST_P


def test_simplex_starts_are_uniform() -> None:
    """An entry of a uniform point of the simplex of K entries is Beta(1, K - 1)."""
    assert p_value(starts_of(DomainKind.SIMPLEX, 4)[:, 2], scipy.stats.beta(1, 3)) > LEAST_P


def test_unit_starts_are_uniform_on_the_sphere() -> None:
    """A coordinate of a uniform point of the sphere in space is uniform (Archimedes)."""
    assert p_value(starts_of(DomainKind.UNIT, 3)[:, 1], scipy.stats.uniform(-1, 2)) > LEAST_P


def test_rotation_starts_are_uniform() -> None:
    """The angle of a uniform rotation has the density (1 - cos a) / pi."""
    matrices = starts_of(DomainKind.ROTATION, 3, 3).view(-1, 3, 3)
    trace = matrices.diagonal(dim1=1, dim2=2).sum(1)
    angle = torch.acos(((trace - 1) / 2).clamp(-1, 1))

    level = (angle - angle.sin()) / math.pi

    assert p_value(level, scipy.stats.uniform(0, 1)) > LEAST_P


def test_starts_repeat_for_one_seed_only() -> None:
    layout = layout_of(DomainKind.REAL, 3)
    cpu = torch.device("cpu")
    draw = [
        draw_starts(layout, 8, seed=seed, dtype=torch.float32, device=cpu) for seed in (1, 1, 2)
    ]

    assert torch.equal(draw[0], draw[1])
    assert not torch.equal(draw[0], draw[2])


@pytest.mark.slow
def test_there_are_starts_past_the_dimensions_of_sobol() -> None:
    layout = layout_of(DomainKind.REAL, 30_000, lower=0.0, upper=1.0)

    starts = draw_starts(layout, 2, seed=0, dtype=torch.float64, device=torch.device("cpu"))

    assert 0.49 < float(starts.mean()) < 0.51
