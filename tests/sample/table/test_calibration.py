"""Simulation-based calibration: with truths from the prior, posteriors cover them as they should.

    theta ~ normal(0, 1), successes ~ binomial(4, logistic(theta)), for each chain its own

The rank of the truth among draws from its posterior is uniform, whatever the model. In this one
posteriors are about as wide as each other, so that a step size suits all chains.

Source: Talts and others, Validating Bayesian Inference Algorithms with Simulation-Based
Calibration (2018), theorem 1.
"""

import pytest
import scipy.stats
import torch
from torch import Tensor

from ebmlang.lang import DomainKind
from ebmlang.sample.loop import build_setting
from ebmlang.sample.samplers.hmc import build_hmc
from ebmlang.sample.samplers.langevin import build_langevin
from ebmlang.sample.samplers.nuts import build_nuts
from ebmlang.sample.samplers.reflection import build_reflection
from ebmlang.sample.samplers.slice import build_slice
from tests.runtime.function_target import FunctionTarget, layout_of
from tests.sample.table.samplers import warm_up

CHAINS, DRAWS = 2000, 15
"""Ranks go from 0 to 15."""

THIN = 8
"""Iterations after which draws are as good as independent, which the theorem asks for."""
WARMUP = 80

TRIALS = 4

SAMPLERS = {
    "hmc": build_hmc,
    "langevin": build_langevin,
    "nuts": build_nuts,
    "reflection": build_reflection,
    "slice": build_slice,
}
"""Those whose chains do not learn from each other's places: here each has another target."""

LEAST_P = 0.01 / len(SAMPLERS)


def simulate() -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(7)
    theta = torch.randn(CHAINS, dtype=torch.float64, generator=rng)
    tried = torch.rand(CHAINS, TRIALS, dtype=torch.float64, generator=rng)
    return theta, (tried < theta.sigmoid()[:, None]).sum(1)


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLERS)
def test_ranks_of_truths_are_uniform(name: str) -> None:
    theta, successes = simulate()

    def energy(x: Tensor) -> Tensor:
        x = x[:, 0]
        return x.square() / 2 + TRIALS * torch.nn.functional.softplus(x) - successes * x

    target = FunctionTarget(dim=1, energy=energy)
    layout = layout_of(DomainKind.REAL, 1)
    setting = build_setting(target, layout, seed=8, chains=CHAINS)
    sampler = SAMPLERS[name]()
    state = warm_up(sampler, setting, torch.zeros(CHAINS, 1, dtype=torch.float64), WARMUP)

    rank = torch.zeros(CHAINS)
    for iteration in range(1, DRAWS * THIN + 1):
        state, _ = sampler.step(setting, state, setting.streams.at(WARMUP + iteration))
        if iteration % THIN == 0:
            rank += sampler.chains(state).position[:, 0] < theta

    seen = torch.bincount(rank.long(), minlength=DRAWS + 1)
    assert scipy.stats.chisquare(seen.numpy()).pvalue > LEAST_P
