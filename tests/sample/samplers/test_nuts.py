"""NUTS for few chains: its metric knows directions that are askew to the coordinates."""

import pytest
import torch

from ebmlang.sample.loop import Plan, sample
from ebmlang.sample.samplers.nuts import build_nuts
from tests.runtime.function_target import FunctionTarget
from tests.sample.kernels.cases import normal, plane

DIM, CHAINS = 6, 4
PLAN = Plan(warmup=80, draws=40)

ENOUGH = 16.0
"""Gradients per draw: three to four doublings follow half an orbit at an acceptance of 0.8 where
all directions are of one scale. A diagonal metric takes some hundreds here."""


@pytest.mark.slow
def test_a_narrow_law_askew_to_the_coordinates_costs_no_more_than_a_round_one() -> None:
    axes = torch.linalg.qr(normal(DIM, DIM, seed=2)).Q
    spread = torch.logspace(-1, 1, DIM, dtype=torch.float64)
    root = axes / spread
    law = FunctionTarget(dim=DIM, energy=lambda x: (x @ root).square().sum(1) / 2)

    draws = sample(law, plane(DIM), build_nuts(), chains=CHAINS, plan=PLAN)

    assert draws.adaptation["metric"] == "dense"
    assert float(draws.chunk.gradients.double().mean()) < ENOUGH
    # Within a factor of two, of some 160 draws: they were whole orbits.
    seen = (draws.points.flatten(0, 1) @ axes).std(0) / spread
    assert bool(((seen > 0.5) & (seen < 2)).all())


@pytest.mark.slow
def test_where_something_is_required_walls_and_not_gradients_give_the_scale() -> None:
    """Between walls a flat energy has no gradient that could tell how far apart they are."""
    law = FunctionTarget(
        dim=2,
        energy=lambda x: 0 * x.sum(1),
        requirements=lambda x: 1 - (x / torch.tensor([1.0, 30.0]).double()).abs(),
    )

    draws = sample(law, plane(2), build_nuts(), chains=CHAINS, plan=Plan(warmup=60, draws=1))

    assert draws.adaptation["metric"] == "diagonal"
    scale = draws.adaptation["scale"]
    assert isinstance(scale, list)
    assert scale[1] / scale[0] > 5
