"""Branches side by side: shares by mass, each with its own chains, and one state for all."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from ebmlang.lang import DomainKind
from ebmlang.runtime.checkpoint import flatten, restore
from ebmlang.sample import Plan, sample
from ebmlang.sample.draws import MemorySink
from ebmlang.sample.sampler import Phase
from ebmlang.sample.samplers.branched import MOST_WARMED, Branched, Part, choose_branches
from ebmlang.sample.samplers.hmc import build_hmc
from ebmlang.sample.samplers.windowed import Windowed
from ebmlang.sample.streams import Streams
from tests.runtime.function_target import FunctionTarget, layout_of

MEANS, SD = (-40.0, 0.0, 40.0), 0.5
MASSES = (0.6, 0.3, 0.1)


def bowl(mean, log_weight=0.0):
    def energy(x):
        return ((x - mean) ** 2).sum(1) / (2 * SD**2) - log_weight

    return energy


def whole(x):
    parts = [bowl(m, math.log(w))(x) for m, w in zip(MEANS, MASSES, strict=True)]
    return -torch.logsumexp(-torch.stack(parts), 0)


def branched(means=MEANS, masses=MASSES):
    parts = tuple(
        Part(
            name=f"branch {number}",
            target=FunctionTarget(dim=2, energy=bowl(mean)),
            sampler=build_hmc(),
            mass=mass,
        )
        for number, (mean, mass) in enumerate(zip(means, masses, strict=True))
    )
    return Branched(parts=parts, layout=layout_of(DomainKind.REAL, 2))


PLAN = Plan(warmup=150, draws=300)


def draw(sampler=None, *, chains=8, plan=PLAN, seed=1, **more):
    target = FunctionTarget(dim=2, energy=whole)
    layout = layout_of(DomainKind.REAL, 2)
    return sample(
        target, layout, sampler or branched(), seed=seed, chains=chains, plan=plan, **more
    )


@pytest.fixture(scope="module")
def drawn():
    return draw()


def test_each_branch_has_its_share(drawn):
    branch = drawn.chunk.branch.numpy()

    shares = np.bincount(branch.ravel(), minlength=3) / branch.size

    np.testing.assert_allclose(shares, MASSES, atol=0.01)


def test_a_draw_lies_in_the_branch_that_it_is_said_to_be_of(drawn):
    nearest = (drawn.points[..., :1] - torch.tensor(MEANS)).abs().argmin(-1)

    assert torch.equal(nearest, drawn.chunk.branch)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_draws_of_a_branch_have_its_moments(drawn, number):
    here = drawn.points[drawn.chunk.branch == number].reshape(-1, 2).numpy() - MEANS[number]

    # HMC jumps to the other side more often than not, so draws are worth independent ones at least.
    error = SD / math.sqrt(len(here))
    assert abs(here.mean(0)).max() < 4 * error
    assert abs(here.std(0) / SD - 1).max() < 4 / math.sqrt(2 * len(here))


def test_the_energy_of_a_draw_is_that_of_the_whole(drawn):
    expected = whole(drawn.points.flatten(0, 1)).reshape(drawn.energies.shape)

    assert torch.equal(drawn.energies, expected)


def test_what_the_warm_up_chose_is_told_of_each_branch(drawn):
    assert list(drawn.adaptation) == ["branch 0", "branch 1", "branch 2"]
    assert [told["mass"] for told in drawn.adaptation.values()] == list(MASSES)
    assert all("step size" in told for told in drawn.adaptation.values())


def test_chains_do_not_know_of_each_other_how_many_there_are():
    """Warm-up apart, which pools: with none of it a chain is the same in any batch."""
    plan = Plan(warmup=0, draws=20)

    few, many = draw(chains=2, plan=plan), draw(chains=5, plan=plan)

    assert torch.equal(few.chunk.branch, many.chunk.branch[:2])


@pytest.mark.slow
def test_a_run_goes_on_from_its_written_state_bit_for_bit():
    class Halfway(MemorySink):
        def write(self, chunk, place):
            super().write(chunk, place)
            self.place = place

    plan = Plan(warmup=30, draws=40)
    whole_run = draw(plan=plan)
    sink = Halfway()
    draw(plan=Plan(warmup=30, draws=15), sink=sink)
    place = restore(flatten(sink.place), torch.device("cpu"))

    rest = draw(plan=plan, resume=place)

    assert torch.equal(rest.points, whole_run.points[:, 15:])
    assert torch.equal(rest.chunk.branch, whole_run.chunk.branch[:, 15:])


@dataclass(frozen=True)
class Recording:
    """The sampler of a branch, that writes down where in its warm-up it is asked to adapt."""

    inner: Windowed
    phases: list[Phase]

    def adapt(self, setting, state, noise, at):
        self.phases.append(at)
        return self.inner.adapt(setting, state, noise, at)

    def __getattr__(self, name):
        return getattr(self.inner, name)


@pytest.mark.parametrize("count", [2, MOST_WARMED + 1])
def test_each_branch_goes_through_one_warm_up_of_its_own(count):
    warmup = 11
    parts = tuple(
        replace(part, sampler=Recording(part.sampler, []))
        for part in branched([10.0 * k for k in range(count)], [1 / count] * count).parts
    )

    draw(
        Branched(parts=parts, layout=layout_of(DomainKind.REAL, 2)),
        chains=2,
        plan=Plan(warmup=warmup, draws=1),
    )

    heard = [part.sampler.phases for part in parts]
    for phases in heard:
        assert [phase.iteration for phase in phases] == list(range(1, len(phases) + 1))
        assert {phase.warmup for phase in phases} == {len(phases)}
    assert sum(map(len, heard)) <= warmup * MOST_WARMED
    assert min(map(len, heard)) >= warmup // -(-count // MOST_WARMED)


@pytest.mark.parametrize("seed", range(3))
def test_shares_are_off_by_far_less_than_random_ones(seed):
    streams = Streams(seed=seed, chains=torch.arange(2), dtype=torch.float64)
    count = 1000

    turns = [choose_branches(streams, iteration, MASSES) for iteration in range(1, count + 1)]

    for chosen in torch.stack(turns, dim=1).numpy():
        shares = np.bincount(chosen, minlength=3) / count
        # Random ones would be off by sqrt(0.24 / 1000) = 0.015, one standard error.
        np.testing.assert_allclose(shares, MASSES, atol=math.log(count) / count)


@pytest.mark.parametrize("seed", range(3))
def test_many_chains_have_all_branches_in_proportion_at_every_moment(seed):
    count = 1000
    streams = Streams(seed=seed, chains=torch.arange(count), dtype=torch.float64)

    for iteration in (1, 2, 500):
        shares = np.bincount(choose_branches(streams, iteration, MASSES), minlength=3) / count
        np.testing.assert_allclose(shares, MASSES, atol=math.log(count) / count)


def test_a_seed_decides_where_the_sequence_of_branches_begins():
    streams = [Streams(seed=s, chains=torch.arange(2), dtype=torch.float64) for s in range(40)]

    first = [choose_branches(each, 1, MASSES)[0] for each in streams]

    assert {int(number) for number in first} == {0, 1, 2}


@pytest.mark.slow
def test_a_branch_that_cannot_begin_where_the_whole_does_finds_a_place_of_its_own():
    def wall(x):
        return torch.where(x[:, 0] > 0, (x**2).sum(1) / 2, math.inf)

    def floor(x):
        return torch.where(x[:, 0] < 0, (x**2).sum(1) / 2, math.inf)

    parts = tuple(
        Part(
            name=name,
            target=FunctionTarget(dim=2, energy=energy),
            sampler=build_hmc(),
            mass=0.5,
        )
        for name, energy in (("right", wall), ("left", floor))
    )
    layout = layout_of(DomainKind.REAL, 2)
    target = FunctionTarget(dim=2, energy=lambda x: (x**2).sum(1) / 2)
    starts = torch.full((4, 2), 1.0, dtype=torch.float64)

    found = sample(
        target,
        layout,
        Branched(parts=parts, layout=layout),
        chains=4,
        plan=Plan(warmup=20, draws=40),
        starts=starts,
    )

    left = found.points[..., 0] < 0
    assert torch.equal(left, found.chunk.branch == 1)
