"""Langevin samplers: each aims at its acceptance, and only the adjusted one at the law."""

import pytest

from ebmlang.sample.loop import Plan, sample
from ebmlang.sample.samplers.langevin import (
    TARGET_ACCEPTANCE,
    build_langevin,
    build_unadjusted_langevin,
)
from tests.sample.laws import LAWS, SCALES

LAW = LAWS["normal"]
PLAN = Plan(warmup=400, draws=100)
CHAINS = 64


@pytest.mark.slow
def test_the_adjusted_sampler_learns_the_scales_and_its_step() -> None:
    draws = sample(LAW.target, LAW.layout, build_langevin(), chains=CHAINS, plan=PLAN)

    spread = draws.points.flatten(0, 1).std(0) / SCALES
    # An autocorrelation of about ten draws leaves 640 of them: sd within 4 / sqrt(2 * 640).
    assert spread.tolist() == pytest.approx([1, 1, 1], abs=0.11)
    # Dual averaging settles within a fifth in the last tenth of a short warm-up.
    assert float(draws.chunk.acceptance.mean()) == pytest.approx(TARGET_ACCEPTANCE, abs=0.2)


@pytest.mark.slow
def test_the_unadjusted_sampler_accepts_all_and_is_wider_by_its_step() -> None:
    """In units of the metric s the stationary variance is 1 / (1 - (h s / sd)^2 / 4)."""
    draws = sample(LAW.target, LAW.layout, build_unadjusted_langevin(), chains=CHAINS, plan=PLAN)

    assert float(draws.chunk.acceptance.mean()) == 1
    scale, step = draws.adaptation["scale"], draws.adaptation["step size"]
    assert isinstance(scale, list)
    assert isinstance(step, float)
    for i in range(3):
        variance = float(draws.points[..., i].var()) / float(SCALES[i]) ** 2
        exact = 1 / (1 - (step * scale[i] / float(SCALES[i])) ** 2 / 4)
        # Autocorrelation times of h^2 / 4 per draw leave about 300 of them: 4 sqrt(2 / 300).
        assert variance == pytest.approx(exact, rel=0.33)
