"""Split-ensemble HMC reaches hard laws from bad starts, freezes, and is not poisoned."""

import math

import pytest
import torch
from torch import Tensor

from ebmlang.runtime.checkpoint import flatten, restore
from ebmlang.sample.draws import Draws
from ebmlang.sample.loop import Plan, build_setting, sample
from ebmlang.sample.sampler import Phase
from ebmlang.sample.samplers.ensemble import (
    TARGET_ACCEPTANCE,
    average_acceptance,
    build_ensemble,
)
from ebmlang.spaces import Layout
from tests.runtime.function_target import CPU, Function, FunctionTarget
from tests.sample.kernels.cases import STANDARD_ERRORS, normal, plane
from tests.sample.laws import LAWS

CHAINS = 128


def funnel(x: Tensor) -> Tensor:
    """Neal's: x0 ~ N(0, 3^2), x_i ~ N(0, exp(x0))."""
    rest = x[:, 1:].square() * (-x[:, :1]).exp()
    return x[:, 0].square() / 18 + rest.sum(1) / 2 + 2 * x[:, 0]


def banana(x: Tensor) -> Tensor:
    """x0 ~ N(0, 10^2), x1 ~ N(0.03 (x0^2 - 100), 1)."""
    ridge = x[:, 1] - 0.03 * (x[:, 0].square() - 100)
    return x[:, 0].square() / 200 + ridge.square() / 2


def draw(energy: Function, layout: Layout, plan: Plan, chains: int = CHAINS) -> Draws:
    target = FunctionTarget(dim=layout.dim, energy=energy)
    starts = normal(chains, layout.dim)
    return sample(target, layout, build_ensemble(), chains=chains, plan=plan, starts=starts)


@pytest.mark.slow
def test_it_finds_both_ends_of_a_funnel() -> None:
    draws = draw(funnel, plane(5), Plan(warmup=120, draws=100))

    width = draws.points[..., 0]
    # Every draw counts for a tenth of an independent one at least: trajectories turn x0 over.
    count = width.numel() / 10
    assert float(width.mean()) == pytest.approx(0, abs=STANDARD_ERRORS * 3 / math.sqrt(count))
    error = STANDARD_ERRORS * 3 / math.sqrt(2 * count)
    assert float(width.std()) == pytest.approx(3, abs=error)
    assert draws.adaptation["straightened coordinates"] == 4


@pytest.mark.slow
def test_it_follows_a_banana_to_its_tips() -> None:
    draws = draw(banana, plane(2), Plan(warmup=100, draws=100))

    # E x1^4 = 3^4 * 60 + 6 * 18 + 3, so x1^2 has variance 4971 - 19^2.
    count = draws.points[..., 0].numel() / 10
    error = STANDARD_ERRORS * math.sqrt((4971 - 19**2) / count)
    assert float(draws.points[..., 1].square().mean()) == pytest.approx(19, abs=error)


@pytest.mark.slow
def test_an_ill_conditioned_normal_law_takes_few_gradients() -> None:
    """Condition 1e6; from N(0, I), and the metric is known after one gradient."""
    dim = 20
    turn = torch.linalg.qr(normal(dim, dim, seed=3)).Q
    scales = torch.logspace(-1, 2, dim).double()

    draws = draw(
        lambda x: ((x @ turn) / scales).square().sum(1) / 2, plane(dim), Plan(warmup=40, draws=20)
    )

    spread = (draws.points @ turn).flatten(0, 1).std(0) / scales
    count = draws.points[..., 0].numel() / 4
    error = STANDARD_ERRORS / math.sqrt(2 * count)
    assert spread.tolist() == pytest.approx([1.0] * dim, abs=error)
    assert int(draws.warmup_gradients.max() + draws.chunk.gradients.sum(1).max()) < 700


@pytest.mark.parametrize("name", ["von mises-fisher", "dirichlet"])
def test_it_runs_on_every_kind_of_coordinates(name: str) -> None:
    law = LAWS[name]

    draws = sample(
        law.target, law.layout, build_ensemble(), chains=64, plan=Plan(warmup=40, draws=20)
    )

    rng = torch.Generator().manual_seed(1)
    exact = law.draw(20_000, rng)
    count = draws.points[..., 0].numel() / 4
    error = STANDARD_ERRORS * exact.std(0) / math.sqrt(count)
    assert bool(((draws.points.mean((0, 1)) - exact.mean(0)).abs() < error).all())


def test_nothing_that_decides_on_moves_changes_after_freeze() -> None:
    setting = build_setting(FunctionTarget(dim=2, energy=banana), plane(2), seed=0, chains=64)
    sampler = build_ensemble()
    state = sampler.init(setting, normal(64, 2))
    for i in range(1, 25):
        state, _ = sampler.adapt(
            setting, state, setting.streams.at(i), Phase(iteration=i, warmup=24)
        )

    frozen = sampler.freeze(state)
    later, _ = sampler.step(setting, frozen, setting.streams.at(25))

    assert later.metric is frozen.metric
    assert later.warp is frozen.warp
    assert later.step_size is frozen.step_size
    assert not torch.equal(later.chains.position, frozen.chains.position)


def test_a_state_goes_on_from_its_arrays() -> None:
    setting = build_setting(FunctionTarget(dim=2, energy=banana), plane(2), seed=0, chains=64)
    sampler = build_ensemble()
    state = sampler.init(setting, normal(64, 2))
    for i in range(1, 12):
        state, _ = sampler.adapt(
            setting, state, setting.streams.at(i), Phase(iteration=i, warmup=50)
        )

    again = restore(flatten(state), CPU)

    phase, noise = Phase(iteration=12, warmup=50), setting.streams.at(12)
    ends = [sampler.adapt(setting, at, noise, phase)[0].chains.position for at in (state, again)]
    assert torch.equal(*ends)


def test_one_chain_that_is_not_finite_does_not_poison_the_others() -> None:
    """Where x0 > 4, which an honest chain hardly reaches, the energy is not a number."""

    def energy(x: Tensor) -> Tensor:
        return x.square().sum(1) / 2 + torch.where(x[:, 0] > 4, torch.nan, 0.0)

    setting = build_setting(FunctionTarget(dim=2, energy=energy), plane(2), seed=0, chains=CHAINS)
    sampler = build_ensemble()
    position = normal(CHAINS, 2)
    position[5, 0] = 9.0
    state = sampler.init(setting, position)
    for i in range(1, 31):
        state, info = sampler.adapt(
            setting, state, setting.streams.at(i), Phase(iteration=i, warmup=30)
        )

    assert bool(torch.isfinite(sampler.chains(state).position).all())
    assert float(info.acceptance.median()) > 0.5
    assert float(sampler.freeze(state).step_size) > 0.1


def test_the_average_acceptance_falls_with_the_chains_that_are_stuck() -> None:
    alike = torch.full((400,), 0.8).double()
    stuck = torch.cat([torch.full((399,), 0.8), torch.zeros(1)]).double()
    healthy = torch.ones(400).bool()

    assert float(average_acceptance(alike, healthy)) == pytest.approx(0.8, abs=0.01)
    # The one that is stuck counts as 1.02 / 0.02 = 51, the others as 1.02 / 0.82.
    expected = 400 / (399 * 1.02 / 0.82 + 51)
    assert float(average_acceptance(stuck, healthy)) == pytest.approx(expected)
    assert float(average_acceptance(stuck, stuck > 0)) == pytest.approx(0.8, abs=0.01)


def test_a_chain_that_is_always_stuck_does_not_stop_the_others() -> None:
    seen = torch.cat([torch.ones(15), torch.zeros(1)]).double()

    average = float(average_acceptance(seen, torch.ones(16).bool()))

    assert TARGET_ACCEPTANCE < average < TARGET_ACCEPTANCE + 0.01
