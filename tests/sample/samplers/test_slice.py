"""The slice sampler: its width is learnt without a gradient, over orders of magnitude."""

import pytest

from ebmlang.sample.loop import Plan, sample
from ebmlang.sample.samplers.slice import TARGET_ACCEPTANCE, build_slice
from tests.runtime.function_target import FunctionTarget
from tests.sample.kernels.cases import plane

CHAINS = 64
WIDE = 5e3


@pytest.mark.slow
def test_the_width_is_learnt_where_gradients_say_nothing() -> None:
    """A flat energy in a box five thousand wide: uniform, sd 5000 / sqrt(3)."""
    target = FunctionTarget(
        dim=1, energy=lambda x: 0 * x.sum(1), requirements=lambda x: WIDE - x.abs()
    )

    draws = sample(target, plane(1), build_slice(), chains=CHAINS, plan=Plan(warmup=150, draws=60))

    sd = float(draws.points.std()) / WIDE * 3**0.5
    # A uniform law has kurtosis 1.8: relative error of sd sqrt(0.8 / 4) / sqrt(n), n about 1,000.
    assert sd == pytest.approx(1, abs=4 * 0.45 / 1000**0.5)
    assert float(draws.chunk.acceptance.mean()) == pytest.approx(TARGET_ACCEPTANCE, abs=0.15)
    assert float(draws.chunk.gradients.double().mean()) < 6
