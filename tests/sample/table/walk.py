"""Walks from exact draws, and what is seen on the way."""

from dataclasses import dataclass
from functools import cache

import scipy.stats
import torch
from torch import Tensor

from ebmlang.runtime import build_generator
from ebmlang.sample.advance import advance
from ebmlang.sample.sampler import Kernel
from ebmlang.sample.state import ChainState, Info, begin
from ebmlang.sample.streams import Streams
from tests.sample.laws import CPU, LAWS, Law
from tests.sample.table.kernels import CASES, build

CHAINS = 20_000
CHECKS = (1, 10)
LAST_CHECK = 100
LONG = "exponential"
"""The law on which walks go on to the last check: it is cheap, and has a Jacobian."""

FAMILY = 0.01
"""Probability that a table of exact kernels has any p-value below `LEAST_P` (Bonferroni)."""
COMPARISONS = sum((LAWS[law].layout.dim + 1) * (len(CHECKS) + (law == LONG)) for _, law in CASES)
LEAST_P = FAMILY / COMPARISONS


@dataclass(frozen=True, kw_only=True)
class Walk:
    """What came of a walk.

    Attributes:
        least_p: After each number of steps, the least p-value of the tests against exact draws.
        acceptance: Its mean over chains and steps.
        moved: Share of steps that moved a chain.
        jump: Mean distance from where the chains began, in written coordinates.
        distinct: Chains that ended at a place of their own.
        feasible: Whether all chains satisfied everything required, whenever looked at.
        error: The largest relative difference between the energies and Jacobians that the chains
            carried with them and those of the points where they were.
    """

    least_p: dict[int, float]
    acceptance: float
    moved: float
    jump: float
    distinct: int
    feasible: bool
    error: float


@cache
def walk(kernel: str, name: str) -> Walk:
    law = LAWS[name]
    checks = (*CHECKS, LAST_CHECK) if name == LONG else CHECKS
    return take_walk(build(kernel, law), law, checks)


def take_walk(kernel: Kernel, law: Law, checks: tuple[int, ...]) -> Walk:
    """Start at exact draws and compare with others after so many steps each."""
    exact = draw_exact(law, "exact")
    least_p, feasible = {}, True
    acceptance = moved = 0.0
    first = state = begin_exact(law, CHAINS)
    streams = streams_of(CHAINS)
    density = law.density(CHAINS)
    for count in range(1, checks[-1] + 1):
        state, info = advance(kernel, density, state, streams.at(count))
        acceptance += float(info.acceptance.mean())
        moved += float(info.accepted.double().mean())
        if count in checks:
            points = state.evaluation.point
            least_p[count] = compare(law, points, exact)
            feasible = feasible and bool((law.requirements(points) >= 0).all())
    points = state.evaluation.point
    return Walk(
        least_p=least_p,
        acceptance=acceptance / checks[-1],
        moved=moved / checks[-1],
        jump=float((points - first.evaluation.point).norm(dim=1).mean()),
        distinct=len(torch.unique(points @ torch.linspace(1, 2, points.shape[1]).double())),
        feasible=feasible,
        error=find_error(law, state),
    )


def find_error(law: Law, state: ChainState) -> float:
    """Return how far a state's evaluation is from the law's energy and the chart's Jacobian."""
    chart = law.chart
    point, log_jacobian = chart.to_written(state.position)
    carried = state.evaluation
    pairs = (
        (carried.point, point),
        (carried.energy, law.energy(point)),
        (carried.log_jacobian, log_jacobian),
    )
    return max(float(((a - b) / (1 + b.abs())).abs().max()) for a, b in pairs)


def compare(law: Law, points: Tensor, exact: Tensor) -> float:
    """Return the least p-value of two-sample tests of the energy and of each marginal."""
    columns = [(law.energy(points), law.energy(exact)), *zip(points.T, exact.T, strict=True)]
    return min(
        float(scipy.stats.ks_2samp(a.numpy(), b.numpy(), method="asymp").pvalue) for a, b in columns
    )


def draw_exact(law: Law, purpose: str, count: int = CHAINS) -> Tensor:
    return law.draw(count, build_generator(3, purpose, CPU))


def streams_of(count: int, seed: int = 2) -> Streams:
    return Streams(seed=seed, chains=torch.arange(count), dtype=torch.float64)


def begin_exact(law: Law, count: int) -> ChainState:
    density = law.density(count)
    position = density.chart.from_written(draw_exact(law, "first", count))
    return begin(density, position, streams_of(count).at(0))


def follow(
    kernel: Kernel, law: Law, state: ChainState, streams: Streams, steps: int
) -> tuple[Tensor, Info]:
    """Return positions after each of some steps, and what was said of the last."""
    density = law.density(len(state.position))
    positions = []
    for count in range(1, steps + 1):
        state, info = advance(kernel, density, state, streams.at(count))
        positions.append(state.position)
    return torch.stack(positions, dim=1), info
