"""The metric from positions and gradients: exact on normal laws, and blind to sick chains."""

import pytest
import torch
from torch import Tensor

from ebmlang.lang import DomainKind
from ebmlang.sample.adaptation.fisher import estimate_metric, estimate_shared
from ebmlang.sample.metric import Dense, Diagonal, LowRank
from ebmlang.spaces import Layout, SamplingChart, build_sampling_chart
from tests.runtime.function_target import CPU, layout_of
from tests.sample.kernels.cases import normal, plane

DIM = 5
ROUNDING = 1e-5
"""What is added so that covariances invert is 1e-8 of their mean eigenvalue; the smallest of
that of the gradients is a thousandth of it here."""


def chart_of(layout: Layout) -> SamplingChart:
    return build_sampling_chart(layout, dtype=torch.float64, device=CPU)


def covariance(dim: int) -> Tensor:
    root = normal(dim, dim, seed=3) + 2 * torch.eye(dim)
    return root @ root.T


def all_healthy(chains: int) -> Tensor:
    return torch.ones(chains).bool()


def test_any_sample_gives_the_covariance_of_a_normal_law() -> None:
    """Chains that start far too narrow know the whole shape after one gradient."""
    exact = covariance(DIM)
    x = 0.01 * normal(40, DIM)

    metric = estimate_metric(chart_of(plane(DIM)), x, x @ torch.linalg.inv(exact), all_healthy(40))

    assert isinstance(metric, Dense)
    for factor in metric.factor:
        assert torch.allclose(factor @ factor.T, exact, rtol=ROUNDING, atol=ROUNDING)


def test_each_half_learns_from_the_other() -> None:
    x = normal(40, DIM)
    changed = torch.cat([x[:20], 3 * normal(20, DIM, seed=2)])
    chart, quartic = chart_of(plane(DIM)), lambda at: at**3

    before = estimate_metric(chart, x, quartic(x), all_healthy(40))
    after = estimate_metric(chart, changed, quartic(changed), all_healthy(40))

    assert isinstance(before, Dense)
    assert isinstance(after, Dense)
    assert not torch.allclose(before.factor[0], after.factor[0])
    assert torch.equal(before.factor[1], after.factor[1])


def test_a_chain_that_is_not_finite_changes_nothing() -> None:
    """It is as if it were not there: any number in its place gives the same metric."""
    x, healthy = normal(40, DIM), all_healthy(40)
    healthy[7] = False
    sick = x.clone()
    sick[7] = torch.nan
    chart = chart_of(plane(DIM))

    seen = estimate_metric(chart, sick, sick**3, healthy)
    expected = estimate_metric(chart, x, x**3, healthy)

    assert isinstance(seen, Dense)
    assert isinstance(expected, Dense)
    assert torch.equal(seen.factor, expected.factor)


def test_few_chains_give_a_low_rank_metric_that_knows_the_long_direction() -> None:
    dim, chains = 60, 40
    direction = normal(1, dim, seed=4)
    direction = direction / direction.norm()
    # Covariance I + 99 d d^T; its inverse is I - 0.99 d d^T.
    x = normal(chains, dim) + 9 * normal(chains, 1, seed=5) * direction
    gradient = x - 0.99 * (x @ direction.T) * direction

    metric = estimate_metric(chart_of(plane(dim)), x, gradient, all_healthy(chains))

    assert isinstance(metric, LowRank)
    there = metric.gather(direction.expand(chains, dim)).norm(dim=1)
    across = normal(1, dim, seed=6)
    across = across - (across @ direction.T) * direction
    elsewhere = metric.gather((across / across.norm()).expand(chains, dim)).norm(dim=1)
    # sd 10 along, 1 across; a diagonal metric would see a ratio of about 1.
    assert bool((there / elsewhere > 5).all())


def test_on_a_sphere_an_element_has_one_number() -> None:
    layout = layout_of(DomainKind.UNIT, 3)
    x = normal(40, 3)
    x = x / x.norm(dim=1, keepdim=True)

    metric = estimate_metric(chart_of(layout), x, x.square(), all_healthy(40))

    assert isinstance(metric, Diagonal)
    assert torch.equal(metric.scale, metric.scale[:, :1].expand(2, 3))


def test_where_nothing_pulls_the_metric_is_one() -> None:
    x = normal(6, DIM)

    metric = estimate_metric(chart_of(plane(DIM)), x, torch.zeros_like(x), torch.zeros(6).bool())

    assert isinstance(metric, Diagonal)
    assert torch.equal(metric.scale, torch.ones(2, DIM).double())


def test_draws_of_few_chains_give_the_covariance_of_a_normal_law_too() -> None:
    exact = covariance(DIM)
    x = 0.01 * normal(2 * DIM, DIM)

    metric = estimate_shared(chart_of(plane(DIM)), x, x @ torch.linalg.inv(exact))

    assert isinstance(metric, Dense)
    (factor,) = metric.factor
    assert torch.allclose(factor @ factor.T, exact, rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.parametrize(("dim", "count"), [(30, 50), (600, 2000)], ids=["few draws", "past 500"])
def test_where_a_dense_metric_is_too_much_the_stiff_direction_is_known(
    dim: int, count: int
) -> None:
    direction = normal(1, dim, seed=4)
    direction = direction / direction.norm()
    # Covariance I - 0.9999 d d^T: sd 0.01 along; its inverse is I + 9999 d d^T.
    x = normal(count, dim)
    x = x - 0.99 * (x @ direction.T) * direction
    gradient = x + 9999 * (x @ direction.T) * direction

    metric = estimate_shared(chart_of(plane(dim)), x, gradient)

    assert isinstance(metric, LowRank)
    inside = metric.gather(direction).norm()
    across = normal(1, dim, seed=6)
    across = across - (across @ direction.T) * direction
    outside = metric.gather(across / across.norm()).norm()
    # A hundred in the law; a diagonal metric would see a ratio of about 1.
    assert float(outside / inside) > 30


def test_draws_with_one_slope_throughout_tell_nothing() -> None:
    """As on the flank of a double exponential: the law's scale is not in what was seen."""
    x = normal(40, DIM)
    gradient = x.clone()
    gradient[:, 2] = 1.0

    assert estimate_shared(chart_of(plane(DIM)), x, gradient) is None
    assert estimate_shared(chart_of(plane(DIM)), x[:3], x[:3]) is None
