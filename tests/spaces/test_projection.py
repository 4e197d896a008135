import numpy as np
import pytest
import scipy.optimize
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmlang.lang import DomainKind
from ebmlang.spaces import build_pieces, contains, draw_starts, project
from ebmlang.spaces.projection import project_ordered, project_simplex
from ebmlang.spaces.rotation import nearest_rotation, orthonormalize
from tests.runtime.function_target import layout_of

CPU = torch.device("cpu")
ROUND_OFF = 1e-10
"""Bound on differences from summing in another order; values are below 100."""

vectors = st.lists(st.floats(-100, 100), min_size=1, max_size=8)


@given(vectors)
def test_ordered_projection_is_isotonic_regression(values: list[float]) -> None:
    expected = scipy.optimize.isotonic_regression(values).x

    found = project_ordered(torch.tensor([values], dtype=torch.float64))[0]

    np.testing.assert_allclose(found.numpy(), expected, atol=ROUND_OFF)


@given(vectors)
def test_simplex_projection_meets_the_optimality_conditions(values: list[float]) -> None:
    """x - v is one constant where x > 0, and at least that constant where x = 0."""
    v = torch.tensor([values], dtype=torch.float64)

    x = project_simplex(v)[0]

    assert abs(float(x.sum()) - 1) < ROUND_OFF
    assert float(x.min()) >= 0
    shift = (x - v[0])[x > 0]
    assert float(shift.max() - shift.min()) < ROUND_OFF
    if (x == 0).any():
        assert float((x - v[0])[x == 0].min()) >= float(shift.min()) - ROUND_OFF


@settings(deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([2, 3]))
def test_no_other_rotation_is_nearer_than_the_nearest(seed: int, n: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    a = torch.randn(n, n, dtype=torch.float64, generator=rng)
    others = orthonormalize(torch.randn(50, n, n, dtype=torch.float64, generator=rng))

    nearest = nearest_rotation(a)

    identity = torch.eye(n, dtype=torch.float64)
    torch.testing.assert_close(nearest @ nearest.T, identity)
    assert float(torch.linalg.det(nearest)) == pytest.approx(1)
    distance = (nearest - a).norm()
    assert float(((others - a).flatten(1).norm(dim=1) - distance).min()) >= -ROUND_OFF


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        (DomainKind.REAL, (4,)),
        (DomainKind.POSITIVE, (4,)),
        (DomainKind.SIMPLEX, (2, 4)),
        (DomainKind.ORDERED, (2, 4)),
        (DomainKind.UNIT, (2, 4)),
        (DomainKind.ROTATION, (2, 3, 3)),
        (DomainKind.ROTATION, (2, 2, 2)),
    ],
)
def test_projected_points_and_starts_lie_in_the_domain_and_stay_there(
    kind: DomainKind, shape: tuple[int, ...]
) -> None:
    bounds = {"lower": -1.0, "upper": 2.0} if kind is DomainKind.REAL else {}
    layout = layout_of(kind, *shape, **bounds)
    pieces = build_pieces(layout, dtype=torch.float64, device=CPU)
    rng = torch.Generator().manual_seed(0)
    anywhere = 3 * torch.randn(50, layout.dim, dtype=torch.float64, generator=rng)

    inside = project(pieces, anywhere)
    starts = draw_starts(layout, 50, seed=0, dtype=torch.float64, device=CPU)

    assert bool(contains(pieces, inside, 1e-12).all())
    assert bool(contains(pieces, starts, 1e-12).all())
    assert not bool(contains(pieces, anywhere, 1e-12).all())


def test_a_point_that_is_not_a_number_lies_nowhere() -> None:
    layout = layout_of(DomainKind.REAL, 2)
    pieces = build_pieces(layout, dtype=torch.float64, device=CPU)

    assert not bool(contains(pieces, torch.tensor([[0.0, torch.nan]]).double(), 1.0).any())


def test_positive_numbers_are_above_zero_in_floating_point() -> None:
    pieces = build_pieces(layout_of(DomainKind.POSITIVE, 1), dtype=torch.float32, device=CPU)

    assert float(project(pieces, torch.tensor([[-1.0]]))) > 0
