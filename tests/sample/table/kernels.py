"""The rows of the table: every kernel, on the laws that it can move in."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ebmlang.sample.kernels.combine import Cycle, Mixture, on_block
from ebmlang.sample.kernels.generalized import Generalized
from ebmlang.sample.kernels.hmc import Hmc
from ebmlang.sample.kernels.langevin import AdjustedLangevin
from ebmlang.sample.kernels.nuts import Nuts
from ebmlang.sample.kernels.reflection import Reflective
from ebmlang.sample.kernels.slice import Slice
from ebmlang.sample.kernels.warped import Warped
from ebmlang.sample.metric import Dense, Diagonal, LowRank, Metric
from ebmlang.sample.native.move import Movable
from ebmlang.sample.sampler import Kernel
from ebmlang.sample.warp import Warp
from ebmlang.spaces import SamplingChart
from tests.sample.laws import LAWS, Law, in_machine_code

Build = Callable[[Tensor, SamplingChart], Kernel]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A kernel of the table.

    Attributes:
        build: Makes it of a law's step size and a chart.
        flat: Whether it cannot move on manifolds.
        plain: Whether it cannot move in tempered densities.
        by_chain: Whether a chain's metric is its own, wherever the batch is split.
        composed: Whether it is made of other rows, in another metric or several together; then a
            law of each kind is enough.
    """

    build: Build
    flat: bool = False
    plain: bool = False
    by_chain: bool = True
    composed: bool = False

    def suits(self, name: str) -> bool:
        law = LAWS[name]
        return (
            (name in KINDS or not self.composed)
            and (law.chart.is_flat or not self.flat)
            and (law.reference is None or not self.plain)
        )


KINDS = (
    "correlated normal",
    "exponential",
    "von mises-fisher",
    "normal in two discs without a third",
    "tempered gamma",
)
"""One law of each kind."""


def number(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def diagonal(chart: SamplingChart) -> Diagonal:
    """Scales from 0.7 to 1.3, one for each element of a manifold."""
    variance = chart.pool(torch.linspace(0.7, 1.3, chart.dim, dtype=torch.float64).square())
    return Diagonal(scale=variance.sqrt()[None])


def dense(chart: SamplingChart, groups: int = 1) -> Dense:
    """A metric that mixes all coordinates, another one in each group."""
    mixing = torch.ones(chart.dim, chart.dim, dtype=torch.float64).tril(-1) / chart.dim
    identity = torch.eye(chart.dim, dtype=torch.float64)
    return Dense(factor=torch.stack([identity + mixing * (-0.6) ** i for i in range(groups)]))


def low_rank(chart: SamplingChart) -> LowRank:
    direction = torch.ones(1, chart.dim, 1, dtype=torch.float64) / chart.dim**0.5
    return LowRank(
        scale=diagonal(chart).scale, directions=direction, stretch=number(0.6).reshape(1, 1)
    )


def hmc(metric: Callable[[SamplingChart], Metric]) -> Build:
    return lambda size, chart: Hmc(step_size=1.3 * size, metric=metric(chart), most_steps=4)


def langevin(size: Tensor, chart: SamplingChart) -> AdjustedLangevin:
    return AdjustedLangevin(step_size=1.2 * size, metric=diagonal(chart))


def generalized(size: Tensor, chart: SamplingChart) -> Generalized:
    # Long steps: what it does after a rejection shows only where there are many.
    return Generalized(
        step_size=1.5 * size, metric=diagonal(chart), renewal=number(0.2), drift=number(0.1)
    )


def nuts(metric: Callable[[SamplingChart], Metric]) -> Build:
    return lambda size, chart: Nuts(step_size=1.2 * size, metric=metric(chart), most_doublings=3)


def slice_along(size: Tensor, chart: SamplingChart) -> Slice:
    return Slice(width=4 * size, metric=diagonal(chart), most_widths=3)


def reflective(size: Tensor, chart: SamplingChart) -> Reflective:
    return Reflective(step_size=1.3 * size, metric=diagonal(chart), most_steps=3)


def mixture(size: Tensor, chart: SamplingChart) -> Mixture:
    parts = (generalized(size, chart), langevin(size, chart), reflective(size, chart))
    return Mixture(kernels=parts, shares=(2.0, 1.0, 1.0))


def cycle(size: Tensor, chart: SamplingChart) -> Cycle:
    return Cycle(kernels=(generalized(size, chart), langevin(size, chart)))


def blocks(size: Tensor, chart: SamplingChart) -> Cycle:
    first = torch.arange(chart.dim) < (chart.dim + 1) // 2
    kernels = [on_block(nuts(diagonal)(size, chart), first)]
    if chart.dim > 1:
        kernels.append(on_block(hmc(dense)(size, chart), ~first))
    return Cycle(kernels=tuple(kernels))


def warped(size: Tensor, chart: SamplingChart) -> Warped:
    """HMC where the first coordinate bends, shears and stretches all others."""
    row = torch.linspace(0.5, 1.0, chart.dim, dtype=torch.float64)
    driven = torch.zeros(1, chart.dim, chart.dim, dtype=torch.float64)
    driven[:, 1:, 0] = row[1:]
    constant = (torch.arange(chart.dim) > 0) * row[None]
    warp = Warp(
        center=0.2 * row[None],
        scale=row[None],
        mean=0.3 * constant,
        mean_linear=0.4 * driven,
        mean_square=0.2 * driven,
        log_scale=-0.1 * constant,
        log_scale_linear=0.3 * driven,
    )
    return Warped(kernel=hmc(diagonal)(size, chart), warp=warp)


ROWS = {
    "hmc": Row(build=hmc(diagonal)),
    "hmc dense": Row(build=hmc(dense), flat=True),
    "hmc dense by group": Row(
        build=hmc(lambda chart: dense(chart, 2)), flat=True, by_chain=False, composed=True
    ),
    "hmc low rank": Row(build=hmc(low_rank), flat=True, composed=True),
    "langevin": Row(build=langevin),
    "generalized": Row(build=generalized),
    "nuts": Row(build=nuts(diagonal)),
    "nuts dense": Row(build=nuts(dense), flat=True, composed=True),
    "slice": Row(build=slice_along),
    "reflection": Row(build=reflective),
    "mixture": Row(build=mixture, composed=True),
    "cycle": Row(build=cycle, composed=True),
    "warped": Row(build=warped, flat=True, plain=True, composed=True),
    "blocks": Row(build=blocks, flat=True, composed=True),
}
"""Every kernel that claims to be exact, and every way to combine them."""


def build(kernel: str, law: Law) -> Kernel:
    return ROWS[kernel].build(number(law.step_size), law.chart)


def runs(kernel: str, name: str) -> bool:
    """Whether the tier that is asked for can move a kernel in a law."""
    if not ROWS[kernel].suits(name):
        return False
    if not in_machine_code():
        return True
    law = LAWS[name]
    if not law.formula:
        return False
    step = ROWS[kernel].build(number(law.step_size), law.chart)
    return isinstance(step, Movable) and step.move() is not None


CASES = tuple((kernel, name) for kernel in ROWS for name in LAWS if runs(kernel, name))
"""The table: a kernel and a law each."""

MOVING = tuple(kernel for kernel in ROWS if any(row == kernel for row, _ in CASES))
"""The kernels in it."""
