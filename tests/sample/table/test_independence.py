"""A chain's draws are its own: they depend on its number, never on the batch that it is in."""

from functools import cache

import pytest
import torch
from torch import Tensor

from ebmlang.sample.advance import advance
from ebmlang.sample.state import begin
from ebmlang.sample.streams import Streams
from tests.sample.laws import LAWS
from tests.sample.table.kernels import CASES, MOVING, ROWS, build
from tests.sample.table.walk import draw_exact

CHAINS, STEPS = 30, 3
SHOWN = ("gamma", "correlated normal", "von mises-fisher", "normal in two discs without a third")
OWN = [(kernel, law) for kernel, law in CASES if law in SHOWN and ROWS[kernel].by_chain]
TABLE = pytest.mark.parametrize(("kernel", "law"), OWN, ids=map(" on ".join, OWN))

ROUNDING = 1e-9
"""A product of matrices may round differently in batches of different sizes, and a few steps make
that grow; another random number changes the first digit."""


def run(kernel: str, name: str, points: Tensor, numbers: Tensor) -> Tensor:
    """Return all positions of chains with these numbers that begin at these points."""
    law = LAWS[name]
    streams = Streams(seed=5, chains=numbers, dtype=torch.float64)
    density = law.density(len(points))
    state = begin(density, density.chart.from_written(points), streams.at(0))
    step, seen = build(kernel, law), [state.position]
    for count in range(1, STEPS + 1):
        state, _ = advance(step, density, state, streams.at(count))
        seen.append(state.position)
    return torch.stack(seen, dim=1)


@cache
def run_all(kernel: str, law: str) -> tuple[Tensor, Tensor, Tensor]:
    """Return where all chains begin, their numbers, and all of their positions."""
    points, numbers = draw_exact(LAWS[law], "together", CHAINS), torch.arange(CHAINS)
    return points, numbers, run(kernel, law, points, numbers)


@TABLE
def test_any_split_of_the_batch_gives_the_same_draws(kernel: str, law: str) -> None:
    points, numbers, whole = run_all(kernel, law)

    for sizes in ([1, 29], [13, 17]):
        parts = zip(points.split(sizes), numbers.split(sizes), strict=True)
        split = torch.cat([run(kernel, law, part, chains) for part, chains in parts])
        torch.testing.assert_close(split, whole, atol=ROUNDING, rtol=ROUNDING)


@TABLE
def test_chains_in_another_order_give_the_same_draws_in_that_order(kernel: str, law: str) -> None:
    points, numbers, whole = run_all(kernel, law)
    order = torch.randperm(CHAINS, generator=torch.Generator().manual_seed(1))

    shuffled = run(kernel, law, points[order], numbers[order])

    torch.testing.assert_close(shuffled, whole[order], atol=ROUNDING, rtol=ROUNDING)


@TABLE
def test_a_chain_elsewhere_changes_no_other(kernel: str, law: str) -> None:
    points, numbers, whole = run_all(kernel, law)
    other = points.clone()
    other[0] = points[1]

    moved = run(kernel, law, other, numbers)

    assert not torch.equal(moved[0], whole[0])
    torch.testing.assert_close(moved[1:], whole[1:], atol=ROUNDING, rtol=ROUNDING)


@TABLE
def test_chains_from_one_point_go_different_ways(kernel: str, law: str) -> None:
    points, numbers, _ = run_all(kernel, law)

    ends = run(kernel, law, points[:1].expand(CHAINS, -1), numbers)[:, -1]

    assert float(torch.cdist(ends, ends).median()) > 0.1


@pytest.mark.parametrize("kernel", MOVING)
def test_a_step_changes_nothing_that_it_was_given(kernel: str) -> None:
    law = LAWS["gamma"]
    streams = Streams(seed=5, chains=torch.arange(CHAINS), dtype=torch.float64)
    density = law.density(CHAINS)
    position = density.chart.from_written(draw_exact(law, "given", CHAINS))
    state = begin(density, position, streams.at(0))
    fields = (state.position, state.momentum, state.level, state.evaluation.gradient)
    copies = [field.clone() for field in (*fields, state.evaluation.energy)]

    advance(build(kernel, law), density, state, streams.at(1))

    for field, copy in zip((*fields, state.evaluation.energy), copies, strict=True):
        assert torch.equal(field, copy)


@pytest.mark.parametrize("kernel", MOVING)
def test_a_point_that_is_no_number_is_rejected_and_counted(kernel: str) -> None:
    law = LAWS["normal where the energy is a number"]
    streams = Streams(seed=5, chains=torch.arange(CHAINS), dtype=torch.float64)
    density = law.density(CHAINS)
    edge = torch.tensor([[1e-3, 0.0]], dtype=torch.float64).expand(CHAINS, 2)
    state = begin(density, edge, streams.at(0))

    diverged = []
    for count in range(1, STEPS + 1):
        state, info = advance(build(kernel, law), density, state, streams.at(count))
        diverged.append(info.diverged)
        assert bool(torch.isfinite(state.position).all())
        assert bool((state.position[:, 0] >= 0).all())

    assert bool(torch.stack(diverged).any())
