"""Both charts: round trips, Jacobians against autograd, geodesics against their laws."""

import math

import pytest
import torch

from ebmlang.lang import DomainKind
from ebmlang.spaces import (
    Layout,
    build_pieces,
    build_sampling_chart,
    build_solving_chart,
    contains,
    draw_starts,
)
from tests.runtime.function_target import layout_of
from tests.spaces.test_layout import mixed_layout

CPU = torch.device("cpu")
INF = math.inf

FLAT = {
    "free": layout_of(DomainKind.REAL, 3),
    "mixed bounds": layout_of(
        DomainKind.REAL, 4, lower=[0.0, -INF, 1.0, -INF], upper=[1.0, 5.0, INF, INF]
    ),
    "positive": layout_of(DomainKind.POSITIVE, 2, 2),
    "ordered": layout_of(DomainKind.ORDERED, 2, 3),
}
CURVED = {
    "unit": layout_of(DomainKind.UNIT, 2, 3),
    "rotation in space": layout_of(DomainKind.ROTATION, 2, 3, 3),
    "rotation in the plane": layout_of(DomainKind.ROTATION, 2, 2, 2),
}
SIMPLEX = {"simplex": layout_of(DomainKind.SIMPLEX, 2, 4), "mixed": mixed_layout()}
ALL = {**FLAT, **CURVED, **SIMPLEX}

layouts = pytest.mark.parametrize("layout", ALL.values(), ids=ALL.keys())


def points(layout: Layout, count: int = 20) -> torch.Tensor:
    return draw_starts(layout, count, seed=3, dtype=torch.float64, device=CPU)


@layouts
def test_solving_coordinates_lead_back_to_the_written_point(layout: Layout) -> None:
    chart = build_solving_chart(layout, dtype=torch.float64, device=CPU)
    x = points(layout)

    torch.testing.assert_close(chart.to_written(chart.from_written(x)), x)


@layouts
def test_sampling_coordinates_lead_back_to_the_written_point(layout: Layout) -> None:
    chart = build_sampling_chart(layout, dtype=torch.float64, device=CPU)
    x = points(layout)

    torch.testing.assert_close(chart.to_written(chart.from_written(x))[0], x)


@pytest.mark.parametrize("layout", FLAT.values(), ids=FLAT.keys())
def test_the_log_determinant_is_that_of_the_jacobian(layout: Layout) -> None:
    chart = build_sampling_chart(layout, dtype=torch.float64, device=CPU)
    q = chart.from_written(points(layout, 5))

    found = chart.to_written(q)[1]

    for row, value in zip(q, found, strict=True):
        jacobian = torch.autograd.functional.jacobian(
            lambda r: chart.to_written(r[None])[0][0], row
        )
        assert float(value) == pytest.approx(float(torch.linalg.slogdet(jacobian)[1]))


def test_the_log_determinant_of_the_simplex_is_by_its_first_coordinates() -> None:
    chart = build_sampling_chart(layout_of(DomainKind.SIMPLEX, 4), dtype=torch.float64, device=CPU)
    q = torch.randn(3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    found = chart.to_written(q[None])[1]

    jacobian = torch.autograd.functional.jacobian(lambda r: chart.to_written(r[None])[0][0, :3], q)
    assert float(found) == pytest.approx(float(torch.linalg.slogdet(jacobian)[1]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@layouts
def test_written_points_stay_in_the_domain_far_out(layout: Layout, dtype: torch.dtype) -> None:
    chart = build_sampling_chart(layout, dtype=dtype, device=CPU)
    pieces = build_pieces(layout, dtype=dtype, device=CPU)
    rng = torch.Generator().manual_seed(0)
    start = chart.from_written(points(layout, 50).to(dtype))
    far = 30 * torch.randn(50, chart.dim, dtype=dtype, generator=rng)

    x, log_jacobian = chart.to_written(chart.with_free(start, far))

    finite = torch.isfinite(x).all(1)
    scale = 1 + float(x[finite].abs().max())
    tolerance = 100 * torch.finfo(dtype).eps * scale
    assert bool(finite.any())
    assert bool(contains(pieces, x[finite], tolerance).all())
    assert bool(torch.isfinite(log_jacobian).all())


def test_a_start_on_the_boundary_is_moved_inside() -> None:
    layout = layout_of(DomainKind.REAL, 3, lower=[0.0, 0.0, -INF], upper=[1.0, INF, 2.0])
    chart = build_sampling_chart(layout, dtype=torch.float64, device=CPU)

    q = chart.from_written(torch.tensor([[0.0, 0.0, 2.0], [1.0, 0.0, 2.0]]).double())

    assert bool(torch.isfinite(q).all())


def test_bounded_coordinates_fold_into_one_width_for_a_solver() -> None:
    layout = layout_of(DomainKind.REAL, 2, lower=[450.0, 0.0], upper=[650.0, 1e-9])
    chart = build_solving_chart(layout, dtype=torch.float64, device=CPU)

    assert chart.lower.tolist() == [-1, -1]
    assert chart.upper.tolist() == [1, 1]
    assert chart.to_written(torch.ones(1, 2).double()).tolist() == [[650, 1e-9]]


def test_a_fixed_number_stays_fixed_in_both_charts() -> None:
    layout = layout_of(DomainKind.REAL, 2, lower=[2.0, 0.0], upper=[2.0, 1.0])
    solving = build_solving_chart(layout, dtype=torch.float64, device=CPU)
    sampling = build_sampling_chart(layout, dtype=torch.float64, device=CPU)

    solved = solving.to_written(solving.retract(torch.full((1, 2), 9.0).double()))
    sampled, _ = sampling.to_written(torch.zeros(1, 1).double())

    assert sampling.dim == 1
    assert solved.tolist() == [[2, 1]]
    assert sampled.tolist() == [[2, 0.5]]


@layouts
def test_moving_along_a_tangent_stays_in_the_domain_to_first_order(layout: Layout) -> None:
    """A retraction agrees with the tangent: the error falls with the square of the step."""
    chart = build_solving_chart(layout, dtype=torch.float64, device=CPU)
    y = chart.from_written(points(layout)).clamp(chart.lower + 0.1, chart.upper - 0.1)
    y = chart.retract(y)
    rng = torch.Generator().manual_seed(0)
    v = torch.randn(*y.shape, dtype=torch.float64, generator=rng)[:, None]
    v = chart.tangent(y, v)[:, 0] / 10

    errors = [float((chart.retract(y + t * v) - y - t * v).abs().max()) for t in (1e-2, 1e-3)]

    assert errors[1] <= errors[0] / 50 + 1e-14


@pytest.mark.parametrize("layout", CURVED.values(), ids=CURVED.keys())
def test_geodesics_are_reversible_and_keep_speed(layout: Layout) -> None:
    chart = build_sampling_chart(layout, dtype=torch.float64, device=CPU)
    pieces = build_pieces(layout, dtype=torch.float64, device=CPU)
    q = chart.from_written(points(layout))
    rng = torch.Generator().manual_seed(0)
    p = chart.tangent(q, torch.randn(q.shape, dtype=torch.float64, generator=rng))
    time = torch.full((1, chart.dim), 0.7, dtype=torch.float64)

    end, turned = chart.flow(q, p, time)
    back, reversed_ = chart.flow(end, -turned, time)

    assert bool(contains(pieces, end, 1e-12).all())
    torch.testing.assert_close(turned.norm(dim=1), p.norm(dim=1))
    torch.testing.assert_close(turned, chart.tangent(end, turned))
    torch.testing.assert_close(back, q)
    torch.testing.assert_close(reversed_, -p)


def test_a_rotation_geodesic_is_the_matrix_exponential() -> None:
    layout = layout_of(DomainKind.ROTATION, 3, 3)
    chart = build_sampling_chart(layout, dtype=torch.float64, device=CPU)
    q = points(layout, 5)
    rng = torch.Generator().manual_seed(0)
    p = chart.tangent(q, torch.randn(5, 9, dtype=torch.float64, generator=rng))
    time = torch.full((1, 9), 1.3, dtype=torch.float64)

    end, _ = chart.flow(q, p, time)

    body = q.view(-1, 3, 3).mT @ p.view(-1, 3, 3)
    expected = q.view(-1, 3, 3) @ torch.linalg.matrix_exp(1.3 * body)
    torch.testing.assert_close(end.view(-1, 3, 3), expected)


def test_a_manifold_with_no_speed_stands_still_and_has_a_gradient() -> None:
    chart = build_sampling_chart(layout_of(DomainKind.UNIT, 3), dtype=torch.float64, device=CPU)
    q = torch.tensor([[1.0, 0.0, 0.0]]).double()

    end, turned = chart.flow(q, torch.zeros_like(q), torch.ones_like(q))

    assert torch.equal(end, q)
    assert torch.equal(turned, torch.zeros_like(q))


def test_the_mass_of_a_manifold_element_is_one_number_per_tangent_direction() -> None:
    chart = build_sampling_chart(layout_of(DomainKind.UNIT, 3), dtype=torch.float64, device=CPU)

    pooled = chart.pool(torch.tensor([0.2, 0.4, 0.6]).double())

    torch.testing.assert_close(pooled, torch.full((3,), 0.6).double())


@layouts
def test_slopes_are_pulled_back_as_autograd_pulls_them(layout: Layout) -> None:
    sampling = build_sampling_chart(layout, dtype=torch.float64, device=CPU)
    solving = build_solving_chart(layout, dtype=torch.float64, device=CPU)
    x = points(layout, 5)
    slope = torch.randn(x.shape, dtype=x.dtype, generator=torch.Generator().manual_seed(1))
    q = sampling.from_written(x).requires_grad_()
    y = solving.from_written(x).requires_grad_()

    written, log_jacobian = sampling.to_written(q)
    (by_q,) = torch.autograd.grad((written * slope).sum() - log_jacobian.sum(), q)
    (by_y,) = torch.autograd.grad((solving.to_written(y) * slope).sum(), y)

    torch.testing.assert_close(sampling.pull_back(q.detach(), slope), by_q)
    torch.testing.assert_close(solving.pull_back(y.detach(), slope), by_y)
