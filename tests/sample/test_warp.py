"""The map to straightened coordinates is a bijection whose volume and slopes are exact."""

import pytest
import torch
from torch import Tensor

from ebmlang.runtime import concatenate
from ebmlang.sample.warp import Warp, WarpedDensity, pick_group, straight
from tests.sample.kernels.cases import begin_at, density_of, normal, plane

DIM = 4


def some_warp(seed: int) -> Warp:
    """The last two coordinates are driven by the first two."""
    rng = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(1, *shape, dtype=torch.float64, generator=rng) / 2

    row = torch.tensor([0.0, 0.0, 1.0, 1.0]).double()
    cells = row[:, None] * (1 - row)
    return Warp(
        center=draw(DIM),
        scale=draw(DIM).exp(),
        mean=draw(DIM) * row,
        mean_linear=draw(DIM, DIM) * cells,
        mean_square=draw(DIM, DIM) * cells,
        log_scale=draw(DIM) * row,
        log_scale_linear=draw(DIM, DIM) * cells,
    )


TWO_GROUPS = concatenate([some_warp(1), some_warp(2)])


def test_what_is_bent_is_straightened() -> None:
    z = normal(7, DIM)

    q, _ = TWO_GROUPS.bend(z)

    assert torch.allclose(TWO_GROUPS.straighten(q), z, atol=1e-12, rtol=0)


def test_each_group_has_a_map_of_its_own() -> None:
    z = normal(6, DIM)

    q, _ = TWO_GROUPS.bend(z)

    assert torch.equal(q[:3], pick_group(TWO_GROUPS, 0).bend(z[:3])[0])
    assert torch.equal(q[3:], pick_group(TWO_GROUPS, 1).bend(z[3:])[0])


def test_volume_and_slope_are_those_of_the_jacobian() -> None:
    warp, z, slope = some_warp(1), normal(1, DIM), normal(1, DIM, seed=2)

    jacobian = torch.autograd.functional.jacobian(lambda at: warp.bend(at)[0][0], z)[:, 0]
    volume_slope = torch.autograd.functional.jacobian(lambda at: warp.bend(at)[1][0], z)

    assert float(warp.bend(z)[1]) == pytest.approx(float(torch.linalg.slogdet(jacobian)[1]))
    assert torch.allclose(warp.pull(z, slope), slope @ jacobian)
    assert torch.allclose(warp.volume_slope(z), volume_slope)


def test_push_undoes_pull() -> None:
    z, slope = normal(6, DIM), normal(6, DIM, seed=2)

    there = TWO_GROUPS.pull(z, slope)

    assert torch.allclose(TWO_GROUPS.push(z, there), slope, atol=1e-12, rtol=1e-12)


def test_the_gradient_is_that_of_the_warped_potential() -> None:
    density = density_of(lambda x: (x.square() * x.exp()).sum(1), plane(DIM))
    warped = WarpedDensity(plain=density, warp=some_warp(1))
    z, step = normal(1, DIM), 1e-6

    ends = torch.cat([z + step * torch.eye(DIM), z - step * torch.eye(DIM)])
    values = warped.potential(warped.evaluate(ends))

    slope = (values[:DIM] - values[DIM:]) / (2 * step)
    # Central differences of a function of size 10 are good to 1e-16 * 10 / step.
    assert torch.allclose(warped.evaluate(z).gradient[0], slope, atol=1e-7, rtol=1e-7)


def test_a_state_that_enters_and_leaves_is_as_before() -> None:
    density = density_of(lambda x: (x.square() * x.exp()).sum(1), plane(DIM))
    warped = WarpedDensity(plain=density, warp=TWO_GROUPS)
    state = begin_at(density, normal(6, DIM))

    back = warped.leave(warped.enter(state))

    assert torch.allclose(back.position, state.position, atol=1e-12, rtol=1e-12)
    was, now = state.evaluation, back.evaluation
    assert torch.equal(now.energy, was.energy)
    assert torch.allclose(now.log_jacobian, was.log_jacobian, atol=1e-12, rtol=0)
    assert torch.allclose(now.gradient, was.gradient, atol=1e-12, rtol=1e-12)


def test_the_straight_map_changes_nothing() -> None:
    z = normal(5, DIM)
    warp = straight(z, 2)

    q, volume = warp.bend(z)

    assert not warp.bends
    assert torch.equal(q, z)
    assert torch.equal(volume, torch.zeros(5).double())
