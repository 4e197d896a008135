"""A law written in another way is the same law, and the draws show it, number by number."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ebmlang.sample.kernels.combine import Cycle, Mixture
from ebmlang.sample.kernels.warped import Warped
from ebmlang.sample.metric import Dense, Metric
from ebmlang.sample.sampler import Kernel
from ebmlang.sample.state import begin
from ebmlang.sample.streams import NORMAL, Streams
from tests.sample.laws import LAWS, ROOT, Law, in_machine_code
from tests.sample.table.kernels import MOVING, build
from tests.sample.table.walk import follow, streams_of

CHAINS, STEPS = 200, 20
CONSTANT = 1e10
SAME_WAY = 0.99
"""Least share of chains that must go the same way: an energy near 1e10 is resolved to 2e-6 in
float64, which decides otherwise once in some 1e5 times."""
FACTOR = 1024.0
"""A power of two: it changes no digit."""

TABLE = pytest.mark.parametrize("kernel", MOVING)


def run(kernel: Kernel, law: Law, points: Tensor) -> Tensor:
    density, streams = law.density(len(points)), streams_of(len(points))
    state = begin(density, density.chart.from_written(points), streams.at(0))
    return follow(kernel, law, state, streams, STEPS)[0]


def rescale(metric: Metric) -> Metric:
    """Return the metric of coordinates that are so many times larger."""
    if isinstance(metric, Dense):
        return Dense(factor=metric.factor * FACTOR)
    return replace(metric, scale=metric.scale * FACTOR)


def rescaled(kernel: Kernel) -> Kernel:
    if isinstance(kernel, (Mixture, Cycle)):
        return replace(kernel, kernels=tuple(rescaled(part) for part in kernel.kernels))
    if isinstance(kernel, Warped):
        warp = kernel.warp
        larger = replace(warp, center=warp.center * FACTOR, scale=warp.scale * FACTOR)
        return replace(kernel, warp=larger)
    return replace(kernel, metric=rescale(kernel.metric))


@TABLE
def test_a_large_constant_in_the_energy_changes_no_draw(kernel: str) -> None:
    law = LAWS["correlated normal"]
    lifted = replace(
        law, energy=lambda x: law.energy(x) + CONSTANT, formula=f"{law.formula} + {CONSTANT}"
    )
    points = law.draw(CHAINS, torch.Generator().manual_seed(0))

    plain = run(build(kernel, law), law, points)
    high = run(build(kernel, lifted), lifted, points)

    same = torch.isclose(plain, high, rtol=1e-6, atol=1e-6).all(2).all(1)
    assert float(same.double().mean()) > SAME_WAY


@TABLE
def test_coordinates_in_another_unit_give_the_same_draws_in_that_unit(kernel: str) -> None:
    law = LAWS["correlated normal"]
    larger = replace(
        law,
        energy=lambda x: law.energy(x / FACTOR),
        spec=law.spec.replace("@ x", f"@ (x / {FACTOR})"),
    )
    points = law.draw(CHAINS, torch.Generator().manual_seed(0))
    step = build(kernel, law)

    plain = run(step, law, points)
    scaled = run(rescaled(step), larger, points * FACTOR)

    torch.testing.assert_close(scaled / FACTOR, plain, rtol=1e-9, atol=1e-9)


@pytest.mark.skipif(in_machine_code(), reason="it puts random numbers in another order, in torch")
@pytest.mark.parametrize(
    "kernel", ["hmc", "langevin", "generalized", "nuts", "slice", "reflection"]
)
def test_coordinates_in_another_order_give_the_same_draws_in_that_order(
    kernel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The random numbers are put in that order too, so that every sum has the same summands."""
    order = torch.tensor([2, 0, 1])
    law = LAWS["correlated normal"]
    inverse = torch.linalg.inv(ROOT)
    turned = replace(law, energy=lambda x: (x[:, order.argsort()] @ inverse.T).square().sum(1) / 2)
    points = law.draw(CHAINS, torch.Generator().manual_seed(0))
    step = build(kernel, law)
    other = replace(step, metric=replace(step.metric, scale=step.metric.scale[:, order]))
    plain = run(step, law, points)

    find = Streams.find_block

    def find_ordered(self: Streams, *place: object) -> Tensor:
        found = find(self, *place)
        return found[:, order] if NORMAL in place else found

    monkeypatch.setattr(Streams, "find_block", find_ordered)
    shuffled = run(other, turned, points[:, order])

    torch.testing.assert_close(shuffled, plain[:, :, order], rtol=1e-6, atol=1e-6)
