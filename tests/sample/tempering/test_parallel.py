import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ebmlang.lang import DomainKind
from ebmlang.sample.loop import Plan, build_setting, sample
from ebmlang.sample.sampler import Phase, Setting
from ebmlang.sample.tempering import build_tempering
from tests.runtime.function_target import FunctionTarget, layout_of
from tests.sample.laws import LAWS

CHAINS = 64
WIDTH, RADIUS = 0.03, 0.5
ANGLE = torch.arange(8).double() * math.pi / 4
MODES = RADIUS * torch.stack([ANGLE.cos(), ANGLE.sin()], 1)
SQUARE = layout_of(DomainKind.REAL, 2, lower=-1.0, upper=1.0)


def ring(x: Tensor) -> Tensor:
    return -torch.logsumexp(-(x[:, None] - MODES).square().sum(2) / (2 * WIDTH**2), 1)


RING = FunctionTarget(dim=2, energy=ring)


def setting_of(chains: int = CHAINS) -> Setting:
    return build_setting(RING, SQUARE, seed=3, chains=chains)


def begin(setting: Setting):
    return build_tempering().init(setting, torch.zeros(len(setting.streams.chains), 2).double())


@pytest.mark.slow
def test_the_modes_of_a_ring_have_equal_masses_in_every_chain() -> None:
    draws = sample(
        RING, SQUARE, build_tempering(), seed=0, chains=CHAINS, plan=Plan(warmup=100, draws=300)
    )

    nearest = torch.cdist(draws.points, MODES.expand(CHAINS, -1, -1)).argmin(2)
    masses = torch.stack([(nearest == mode).double().mean(1) for mode in range(8)], 1)
    error = masses.std(0) / CHAINS**0.5
    assert ((masses.mean(0) - 1 / 8).abs() < 4 * error).all()
    assert (error < 0.01).all()
    assert draws.adaptation["round trips"] > CHAINS
    rejected = draws.adaptation["swaps rejected"]
    assert max(rejected) < 1.5 * min(rejected)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["gamma", "dirichlet", "von mises-fisher", "normal where something is required"]
)
def test_energies_are_those_of_exact_draws(name: str) -> None:
    law = LAWS[name]
    exact = law.energy(law.draw(20_000, torch.Generator().manual_seed(0)))

    draws = sample(
        law.target,
        law.layout,
        build_tempering(),
        seed=1,
        chains=32,
        plan=Plan(warmup=50, draws=150),
    )

    means = draws.energies.mean(1)
    error = (means.var() / len(means) + exact.var() / len(exact)).sqrt()
    assert (means.mean() - exact.mean()).abs() < 4 * error
    assert (law.target.requirements(draws.points.flatten(0, 1)) >= 0).all()


def test_chains_do_not_depend_on_how_the_batch_is_split() -> None:
    whole = setting_of(6)
    part = Setting(density=whole.density, streams=whole.streams.part(slice(2, 6)))
    sampler = build_tempering()
    states = [begin(whole), begin(part)]

    for iteration in (1, 2, 3):
        states = [
            sampler.step(setting, state, setting.streams.at(iteration))[0]
            for setting, state in zip((whole, part), states, strict=True)
        ]

    first, second = (sampler.chains(state).position for state in states)
    torch.testing.assert_close(first[2:], second)


def test_nothing_that_decides_on_moves_changes_after_the_freeze() -> None:
    setting, sampler = setting_of(), build_tempering()
    state = begin(setting)
    state, _ = sampler.adapt(setting, state, setting.streams.at(1), Phase(iteration=1, warmup=1))
    frozen = sampler.freeze(state)

    moved, info = sampler.step(setting, frozen, setting.streams.at(2))

    assert moved.ladder is frozen.ladder
    assert info.accepted.any()


def test_the_warm_up_moves_the_rungs_at_the_end_of_a_window() -> None:
    setting, sampler = setting_of(), build_tempering()
    state = replace(begin(setting), iterations=99)
    at = Phase(iteration=45, warmup=50)

    respread, _ = sampler.adapt(setting, state, setting.streams.at(45), at)

    before, after = (s.ladder.inverse_temperature for s in (state, respread))
    assert not torch.equal(before, after)
    assert (after.diff() > 0).all()
    assert respread.iterations == 0


def test_what_is_seen_of_a_chain_is_its_replica_at_the_target() -> None:
    setting, sampler = setting_of(), build_tempering()
    state = begin(setting)

    chains = sampler.chains(state)

    plain = setting.density.evaluate(chains.position)
    torch.testing.assert_close(chains.evaluation.energy, plain.energy)
    torch.testing.assert_close(chains.evaluation.gradient, plain.gradient)
    assert (chains.evaluation.reference == 0).all()
    assert len(chains.position) == CHAINS
