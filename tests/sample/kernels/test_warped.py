"""A kernel in straightened coordinates keeps the law, whatever the map."""

import torch
from scipy import stats
from torch import Tensor

from ebmlang.sample.kernels.hmc import Hmc
from ebmlang.sample.kernels.warped import Warped
from ebmlang.sample.metric import Diagonal
from tests.sample.kernels.cases import begin_at, density_of, normal, number, plane, streams_of
from tests.sample.test_warp import DIM, TWO_GROUPS

STEPS = 10
DRAWS = 20_000
SIGNIFICANCE = 1e-4
"""Of each Kolmogorov-Smirnov test; five of them go wrong by chance once in two thousand."""


def spread(x: Tensor) -> Tensor:
    """Log scale of what is driven."""
    return x[:, :1] / 2


def energy(x: Tensor) -> Tensor:
    """A funnel with a bend, which the map of the test knows nothing of."""
    rest = (x[:, 1:] - x[:, :1].square() / 2) * (-spread(x)).exp()
    return x[:, 0].square() / 2 + rest.square().sum(1) / 2 + (DIM - 1) * spread(x)[:, 0]


def draw(seed: int) -> Tensor:
    z = normal(DRAWS, DIM, seed=seed)
    return torch.cat([z[:, :1], z[:, :1].square() / 2 + z[:, 1:] * spread(z).exp()], dim=1)


def test_exact_draws_stay_exact_under_any_map() -> None:
    density = density_of(energy, plane(DIM))
    hmc = Hmc(
        step_size=number(0.2), metric=Diagonal(scale=torch.ones(1, DIM).double()), most_steps=4
    )
    kernel = Warped(kernel=hmc, warp=TWO_GROUPS)
    start = draw(seed=1)
    state, streams = begin_at(density, start), streams_of(DRAWS)

    moved = torch.zeros(DRAWS)
    for iteration in range(1, STEPS + 1):
        state, info = kernel.step(density, state, streams.at(iteration))
        moved += info.accepted

    exact = draw(seed=2)
    assert 0.3 < float(moved.mean()) / STEPS < 0.999
    pairs = [(energy(state.position), energy(exact)), *zip(state.position.T, exact.T, strict=True)]
    for seen, truth in pairs:
        assert stats.ks_2samp(seen.numpy(), truth.numpy()).pvalue > SIGNIFICANCE


def test_a_chain_that_rejects_stays_to_the_last_bit() -> None:
    density = density_of(energy, plane(DIM))
    hmc = Hmc(
        step_size=number(50.0), metric=Diagonal(scale=torch.ones(1, DIM).double()), most_steps=1
    )
    state = begin_at(density, draw(seed=1)[:100])

    after, info = Warped(kernel=hmc, warp=TWO_GROUPS).step(density, state, streams_of(100).at(1))

    stayed = ~info.accepted
    assert bool(stayed.any())
    assert torch.equal(after.position[stayed], state.position[stayed])
    assert torch.equal(after.evaluation.gradient[stayed], state.evaluation.gradient[stayed])
