import torch
from scipy.stats import multivariate_t
from torch.testing import assert_close

from ebmlang.lang import DomainKind
from ebmlang.sample.smc.reference import (
    FREEDOM,
    INFLATION,
    build_first_reference,
    fit_reference,
    is_wide_enough,
)
from ebmlang.sample.streams import Streams
from ebmlang.spaces import SamplingChart, build_layout, build_sampling_chart
from ebmlang.spaces.domain import ConcreteDomain
from tests.runtime.function_target import CPU
from tests.sample.laws import normal

ERRORS = 4.0
"""Standard errors that a mean of draws may be off by."""


def chart_of(**domains: ConcreteDomain) -> SamplingChart:
    return build_sampling_chart(build_layout(domains), dtype=torch.float64, device=CPU)


def numbers(count: int) -> ConcreteDomain:
    return ConcreteDomain(kind=DomainKind.REAL, shape=(count,))


MIXED = {
    "a": numbers(2),
    "direction": ConcreteDomain(kind=DomainKind.UNIT, shape=(3,)),
    "turn": ConcreteDomain(kind=DomainKind.ROTATION, shape=(3, 3)),
}


def noise_of(count: int):
    return Streams(seed=1, chains=torch.arange(count), dtype=torch.float64).at(0)


def test_its_density_is_that_of_a_t() -> None:
    q = normal(200, 3, torch.Generator().manual_seed(0)) @ torch.tensor(
        [[2.0, 0, 0], [1, 1, 0], [0.5, -1, 0.3]], dtype=torch.float64
    )
    reference = fit_reference(chart_of(x=numbers(3)), q)
    law = multivariate_t(
        loc=reference.center.numpy(),
        shape=(reference.factor @ reference.factor.T).numpy(),
        df=FREEDOM,
    )

    value, _ = reference(q)

    assert_close(value, -torch.from_numpy(law.logpdf(q.numpy())))


def test_its_gradient_is_that_of_its_value() -> None:
    chart = chart_of(**MIXED)
    reference = fit_reference(chart, normal(100, chart.dim, torch.Generator().manual_seed(0)))
    q = reference.draw(noise_of(5)).requires_grad_()

    value, gradient = reference(q)

    assert_close(gradient, torch.autograd.grad(value.sum(), q)[0])


def test_draws_have_the_mean_and_the_spread_of_the_fit() -> None:
    rng = torch.Generator().manual_seed(0)
    points = 3 + normal(400, 2, rng) @ torch.tensor([[2.0, 0], [1, 0.5]], dtype=torch.float64)
    reference = fit_reference(chart_of(x=numbers(2)), points)

    drawn = reference.draw(noise_of(100_000))

    error = INFLATION * points.std(0) / len(drawn) ** 0.5
    assert ((drawn.mean(0) - points.mean(0)).abs() < ERRORS * error).all()
    # The kurtosis of a t of five degrees of freedom is 9: var(s^2) = 8 s^4 / n.
    off = drawn.var(0) / (INFLATION * points.std(0, correction=0)) ** 2 - 1
    assert (off.abs() < ERRORS * (8 / len(drawn)) ** 0.5).all()


def test_manifolds_are_drawn_uniformly_and_cost_nothing() -> None:
    chart = chart_of(**MIXED)
    reference = build_first_reference(chart, dtype=torch.float64, device=CPU)

    drawn = reference.draw(noise_of(20_000))

    written = build_layout(MIXED).unpack(chart.to_written(drawn)[0])
    directions, turns = written["direction"], written["turn"]
    assert_close(directions.norm(dim=1), torch.ones(len(drawn), dtype=torch.float64))
    identity = torch.eye(3, dtype=torch.float64).expand_as(turns)
    assert_close(turns @ turns.mT, identity)
    assert_close(torch.linalg.det(turns), torch.ones(len(drawn), dtype=torch.float64))
    # Each coordinate of a uniform direction in space, and each entry of a rotation, has mean 0 and
    # variance 1/3; a square of one has variance 4/45.
    for entries in (directions, turns.flatten(1)):
        assert (entries.mean(0).abs() < ERRORS * (1 / 3 / len(drawn)) ** 0.5).all()
        squares = entries.square().mean(0)
        assert ((squares - 1 / 3).abs() < ERRORS * (4 / 45 / len(drawn)) ** 0.5).all()
    free = torch.zeros_like(drawn).index_copy(1, reference.free, drawn[:, reference.free])
    assert_close(reference(drawn)[0], reference(free)[0])


def test_points_as_wide_as_a_reference_may_have_missed_something() -> None:
    chart = chart_of(x=numbers(2))
    rng = torch.Generator().manual_seed(0)
    reference = fit_reference(chart, normal(500, 2, rng))

    assert is_wide_enough(reference, normal(500, 2, rng))
    assert not is_wide_enough(reference, 2 * normal(500, 2, rng))
    assert not is_wide_enough(reference, 4 + 0.1 * normal(500, 2, rng))


def test_points_that_have_fallen_together_still_give_a_reference() -> None:
    reference = fit_reference(chart_of(x=numbers(2)), torch.ones(50, 2).double())

    value, _ = reference(torch.ones(1, 2).double())

    assert torch.isfinite(value).all()
