"""MEADS: tuned by its folds, and exact after it is frozen."""

import math

import pytest
import torch

from ebmlang.sample.loop import Plan, sample
from ebmlang.sample.samplers.meads import build_meads
from tests.sample.kernels.cases import STANDARD_ERRORS
from tests.sample.laws import LAWS, SCALES

CHAINS = 128


@pytest.mark.slow
def test_it_learns_scales_by_itself() -> None:
    law = LAWS["normal"]

    draws = sample(
        law.target, law.layout, build_meads(), chains=CHAINS, plan=Plan(warmup=150, draws=400)
    )

    spread = draws.points.flatten(0, 1).std(0) / SCALES
    # Momenta last for a few tens of steps of half a standard deviation: 40 draws for one.
    error = STANDARD_ERRORS / math.sqrt(2 * CHAINS * 400 / 40)
    assert spread.tolist() == pytest.approx([1, 1, 1], abs=error)
    assert int(draws.chunk.gradients.sum(1).max()) == 400


def test_chains_that_do_not_split_evenly_have_a_fold_each() -> None:
    law = LAWS["normal"]

    draws = sample(law.target, law.layout, build_meads(), chains=13, plan=Plan(warmup=5, draws=5))

    assert draws.points.shape[0] == 13
    assert bool(torch.isfinite(draws.points).all())
