"""The reflective sampler: trajectories keep their length where plain ones must be cut."""

import pytest
import torch
from torch import Tensor

from ebmlang.sample.loop import Plan, sample
from ebmlang.sample.samplers.hmc import build_hmc
from ebmlang.sample.samplers.reflection import build_reflection
from tests.runtime.function_target import FunctionTarget
from tests.sample.kernels.cases import half_square, plane

DIM, CHAINS = 6, 64


def above_ones(x: Tensor) -> Tensor:
    return x - 1


@pytest.mark.slow
def test_bounces_keep_trajectories_long_in_a_corner() -> None:
    """A normal above 1 in each of six directions: mean 1.525, by the inverse Mills ratio."""
    target = FunctionTarget(dim=DIM, energy=half_square, requirements=above_ones)
    plan = Plan(warmup=300, draws=100)
    starts = torch.full((1, DIM), 1.5).double()

    bouncing = sample(
        target, plane(DIM), build_reflection(), chains=CHAINS, plan=plan, starts=starts
    )
    plain = sample(target, plane(DIM), build_hmc(), chains=CHAINS, plan=plan, starts=starts)

    assert bool((bouncing.points >= 1).all())
    # The sd is 0.446; about 1,000 independent draws.
    means = bouncing.points.flatten(0, 1).mean(0).tolist()
    assert means == pytest.approx([1.5251] * DIM, abs=4 * 0.446 / 1000**0.5)
    length = "longest trajectory"
    assert float(bouncing.adaptation[length]) > 1.5 * float(plain.adaptation[length])
