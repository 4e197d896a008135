"""Combinations: shares, order, blocks, and what is said of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import final

import pytest
import scipy.stats
import torch
from torch import Tensor

from ebmlang.lang import DomainKind
from ebmlang.sample.density import Density
from ebmlang.sample.kernels.combine import Cycle, Mixture, find_block, on_block
from ebmlang.sample.kernels.generalized import Generalized
from ebmlang.sample.kernels.hmc import Hmc
from ebmlang.sample.kernels.langevin import AdjustedLangevin, UnadjustedLangevin
from ebmlang.sample.kernels.nuts import Nuts
from ebmlang.sample.kernels.reflection import Reflective
from ebmlang.sample.kernels.slice import Slice
from ebmlang.sample.metric import Diagonal
from ebmlang.sample.sampler import Kernel
from ebmlang.sample.state import ChainState, Info
from ebmlang.sample.streams import Noise
from ebmlang.spaces import ConcreteDomain, build_layout
from tests.sample.kernels.cases import (
    STANDARD_ERRORS,
    begin_at,
    density_of,
    half_square,
    normal,
    number,
    plane,
    streams_of,
    unit_metric,
)

LAYOUT = build_layout(
    {
        "a": ConcreteDomain(kind=DomainKind.REAL, shape=(2,)),
        "shares": ConcreteDomain(kind=DomainKind.SIMPLEX, shape=(3,)),
        "axis": ConcreteDomain(kind=DomainKind.UNIT, shape=(3,)),
        "b": ConcreteDomain(kind=DomainKind.POSITIVE, shape=()),
    }
)
MIXED = density_of(lambda x: half_square(x - 1), LAYOUT)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shift:
    """Adds a number to every coordinate: not a sampler, but its passage can be seen."""

    by: float
    hamiltonian: float = float("nan")

    def step(self, density: Density, state: ChainState, noise: Noise) -> tuple[ChainState, Info]:
        position = state.position + self.by
        yes = torch.ones(len(position), dtype=torch.bool)
        return replace(state, position=position), Info(
            acceptance=yes * self.by,
            faithful=yes * self.by,
            accepted=yes & (self.by > 1),
            diverged=yes & (self.by > 2),
            infeasible=yes & (self.by > 3),
            gradients=yes * 5,
            hamiltonian=yes.double() * self.hamiltonian,
        )


FLAT = density_of(half_square, plane(1))


def build_kernels(metric: Diagonal) -> dict[str, Callable[[Tensor], Kernel]]:
    """Every kernel that moves in a metric, on a block."""
    size = number(0.4)
    kernels = {
        "hmc": Hmc(step_size=size, metric=metric, most_steps=3),
        "adjusted langevin": AdjustedLangevin(step_size=size, metric=metric),
        "unadjusted langevin": UnadjustedLangevin(step_size=size, metric=metric),
        "generalized": Generalized(
            step_size=size, metric=metric, renewal=number(0.3), drift=number(0.15)
        ),
        "nuts": Nuts(step_size=size, metric=metric, most_doublings=3),
        "slice": Slice(width=size, metric=metric),
        "reflection": Reflective(step_size=size, metric=metric, most_steps=3),
    }
    return {name: lambda mask, k=kernel: on_block(k, mask) for name, kernel in kernels.items()}


ON_BLOCKS = build_kernels(unit_metric(MIXED.chart.dim))


@pytest.mark.parametrize("name", ON_BLOCKS)
@pytest.mark.parametrize("path", ["a", "shares", "axis", "b"])
def test_a_block_moves_and_the_rest_stays_bit_for_bit(name: str, path: str) -> None:
    mask = find_block(MIXED.chart, LAYOUT, {path})
    start = begin_at(MIXED, MIXED.chart.from_written(normal(100, LAYOUT.dim)))
    streams = streams_of(100)
    state, moved = start, torch.zeros(100, dtype=torch.bool)

    for iteration in range(1, 4):
        state, info = ON_BLOCKS[name](mask).step(MIXED, state, streams.at(iteration))
        moved = moved | info.accepted

    assert torch.equal(state.position[:, ~mask], start.position[:, ~mask])
    assert bool((state.position != start.position)[:, mask].any(1)[moved].all())
    assert float(moved.double().mean()) > 0.5


def test_a_block_is_found_by_the_names_of_its_variables() -> None:
    """A simplex of three has two coordinates of its own, and a unit vector keeps its three."""
    masks = {path: find_block(MIXED.chart, LAYOUT, {path}) for path in ("a", "shares", "axis", "b")}

    assert [int(mask.sum()) for mask in masks.values()] == [2, 2, 3, 1]
    assert torch.equal(torch.stack(list(masks.values())).sum(0), torch.ones(8, dtype=torch.long))
    point = torch.zeros(1, MIXED.chart.dim).double()
    written = LAYOUT.unpack(MIXED.chart.to_written(point + 0.1)[0])
    for path, mask in masks.items():
        changed = LAYOUT.unpack(MIXED.chart.to_written(point + 0.1 + 0.1 * mask)[0])
        others = [p for p in written if not torch.equal(written[p], changed[p])]
        # A unit vector has no chart of its own: its written coordinates are the sampler's.
        assert others == [path]


def test_a_mixture_picks_each_kernel_by_its_share_for_all_chains_at_once() -> None:
    mixture = Mixture(kernels=(Shift(by=1.0), Shift(by=2.0), Shift(by=3.0)), shares=(1.0, 3.0, 6.0))
    streams = streams_of(3)
    start = begin_at(FLAT, torch.zeros(3, 1).double())
    rounds = 2000

    seen = torch.stack(
        [mixture.step(FLAT, start, streams.at(i))[0].position[:, 0] for i in range(1, rounds + 1)]
    )

    assert torch.equal(seen[:, 0], seen[:, 1])
    for shift, share in ((1, 0.1), (2, 0.3), (3, 0.6)):
        error = (share * (1 - share) / rounds) ** 0.5
        picked = float((seen[:, 0] == shift).double().mean())
        assert picked == pytest.approx(share, abs=STANDARD_ERRORS * error)


def test_a_mixture_inside_a_mixture_picks_for_itself() -> None:
    """Were both to use one number, the inner one would always pick the same kernel."""
    inner = Mixture(kernels=(Shift(by=1.0), Shift(by=2.0)), shares=(1.0, 1.0))
    outer = Mixture(kernels=(inner, Shift(by=4.0)), shares=(1.0, 1.0))
    streams = streams_of(1)
    start = begin_at(FLAT, torch.zeros(1, 1).double())

    seen = [float(outer.step(FLAT, start, streams.at(i))[0].position) for i in range(1, 201)]

    # Four standard errors of a share of a quarter among 200.
    assert 25 < seen.count(1.0) < 75
    assert 25 < seen.count(2.0) < 75


def test_a_cycle_goes_through_all_and_sums_up() -> None:
    cycle = Cycle(kernels=(Shift(by=1.0), Shift(by=2.5, hamiltonian=7.0), Shift(by=0.5)))
    start = begin_at(FLAT, torch.zeros(2, 1).double())

    state, info = cycle.step(FLAT, start, streams_of(2).at(1))

    assert state.position[:, 0].tolist() == [4.0, 4.0]
    assert info.acceptance.tolist() == pytest.approx([4 / 3, 4 / 3])
    assert info.gradients.tolist() == [15, 15]
    assert info.accepted.tolist() == info.diverged.tolist() == [True, True]
    assert info.infeasible.tolist() == [False, False]
    assert info.hamiltonian.tolist() == [7.0, 7.0]


def test_parts_of_a_cycle_draw_different_numbers() -> None:
    part = AdjustedLangevin(step_size=number(0.5), metric=unit_metric(1))
    start = begin_at(FLAT, torch.zeros(2000, 1).double())
    streams = streams_of(2000)

    once, _ = part.step(FLAT, start, streams.at(1).fork("part 0"))
    twice, _ = Cycle(kernels=(part, part)).step(FLAT, start, streams.at(1))

    first, second = once.position[:, 0], (twice.position - once.position)[:, 0]
    second = second + 0.125 * first  # The pull of the energy, h^2 / 2.
    correlation = float(torch.corrcoef(torch.stack([first, second]))[0, 1])
    assert abs(correlation) < STANDARD_ERRORS / 2000**0.5


def test_on_a_sphere_a_persistent_momentum_stays_normal_and_tangent_among_others() -> None:
    """A slice moves the position and not the momentum, which is tangent at the old one."""
    layout = build_layout({"axis": ConcreteDomain(kind=DomainKind.UNIT, shape=(3,))})
    density = density_of(lambda x: -x[:, 2], layout)
    metric = unit_metric(3)
    persistent = Generalized(
        step_size=number(0.7), metric=metric, renewal=number(0.3), drift=number(0.15)
    )
    cycle = Cycle(kernels=(Slice(width=number(4.0), metric=metric), persistent))
    count = 10_000
    state = begin_at(density, density.chart.from_written(normal(count, 3)))
    streams = streams_of(count)

    for iteration in range(1, 7):
        state, _ = cycle.step(density, state, streams.at(iteration))

    product = (state.momentum * state.position).sum(1)
    assert float(product.abs().max()) < 1e-12
    # |z|^2 of a tangent plane of a sphere is chi-squared of two degrees of freedom.
    squares = state.momentum.square().sum(1).numpy()
    assert float(scipy.stats.kstest(squares, "chi2", args=(2,)).pvalue) > 1e-4
