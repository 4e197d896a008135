"""A run in machine code is the run in torch, sampler by sampler, and can be stopped anywhere."""

from dataclasses import fields, replace

import pytest
import torch

from ebmlang.lower import tiers
from ebmlang.lower.native.build import find_compiler
from ebmlang.sample import MemorySink, Plan, loop, sample
from ebmlang.sample.methods import METHODS
from ebmlang.sample.native import is_worth_compiling
from ebmlang.spaces import build_layout
from tests.runtime.function_target import FunctionTarget
from tests.sample.native.test_machine import CHAINS, LAYOUTS, make_target

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="there is no C compiler")

PLAN = Plan(warmup=12, draws=20, thin=2)

ROUND_OFF = 1e-9
"""Round-off of 1e-15 in a step. A warm-up makes it grow, since the step size of each iteration
hangs on the acceptance of all before it: by a factor of ten in four iterations at worst."""


@pytest.fixture(autouse=True)
def _compiles_always(monkeypatch):
    monkeypatch.setenv("EBM_TIER", "native")


def run(target, method, plan=PLAN, **options):
    sampler = METHODS[method]()
    return sample(
        target, build_layout(LAYOUTS["free"]), sampler, seed=6, chains=CHAINS, plan=plan, **options
    )


def in_torch(target):
    return FunctionTarget(
        dim=target.dim,
        energy=target.energy,
        requirements=target.requirements,
        dtype=target.dtype,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "method", ["hmc", "langevin", "unadjusted-langevin", "ensemble", "meads", "nuts"]
)
def test_draws_are_those_of_torch(method, monkeypatch):
    target = make_target(floor=-3.0)
    flown = count_flights(monkeypatch)

    fast = run(target, method)
    assert flown, "the run is in machine code"
    slow = run(in_torch(target), method)

    for field in fields(fast.chunk):
        one, other = getattr(fast.chunk, field.name), getattr(slow.chunk, field.name)
        torch.testing.assert_close(one, other, rtol=ROUND_OFF, atol=ROUND_OFF, equal_nan=True)
    assert torch.equal(fast.warmup_gradients, slow.warmup_gradients)


def count_flights(monkeypatch):
    flown, fly = [], loop._fly
    monkeypatch.setattr(loop, "_fly", lambda *given: flown.append(given[-1]) or fly(*given))
    return flown


def test_a_run_that_goes_on_draws_what_the_whole_one_draws():
    target = make_target()
    whole, first = run(target, "hmc"), MemoryOfPlaces()
    run(target, "hmc", replace(PLAN, draws=7), sink=first)

    rest = run(target, "hmc", resume=first.places[-1])

    assert torch.equal(rest.points, whole.points[:, 7:])
    assert torch.equal(rest.chunk.hamiltonian, whole.chunk.hamiltonian[:, 7:])


class MemoryOfPlaces:
    def __init__(self):
        self.inner, self.places = MemorySink(), []

    def warmed(self, place):
        pass

    def write(self, chunk, place):
        self.inner.write(chunk, place)
        self.places.append(place)


def test_chunks_end_where_they_end_in_torch(monkeypatch):
    monkeypatch.setattr(loop, "CHUNK", 7 * CHAINS * 13)
    first, second = MemoryOfPlaces(), MemoryOfPlaces()

    run(make_target(), "hmc", sink=first)
    run(in_torch(make_target()), "hmc", sink=second)

    lengths = [[c.energies.shape[1] for c in sink.inner.chunks] for sink in (first, second)]
    assert lengths[0] == lengths[1] == [7] * 2 + [6]


def test_calls_grow_until_they_take_as_long_as_ctrl_c_may_wait():
    assert loop._pace(1, 1e-5) == loop.GROWTH
    assert loop._pace(100, 2 * loop.SECONDS_PER_CALL) == 50
    assert loop._pace(1, 60.0) == 1


def test_a_short_run_of_few_chains_does_not_wait_for_a_compiler(monkeypatch):
    monkeypatch.delenv("EBM_TIER")

    assert not is_worth_compiling(iterations=300, chains=4, dim=10)
    assert is_worth_compiling(iterations=1000, chains=4, dim=10)
    assert is_worth_compiling(iterations=30, chains=100_000, dim=10)


def test_a_tier_that_is_asked_for_is_taken(monkeypatch):
    flown = count_flights(monkeypatch)
    monkeypatch.setenv("EBM_TIER", "straight")

    asked = run(make_target(), "hmc")

    assert not flown
    assert torch.equal(asked.points, run(in_torch(make_target()), "hmc").points)


def test_without_a_compiler_the_run_is_that_of_torch_and_says_so(monkeypatch, capsys):
    monkeypatch.setenv("CC", "no-such-compiler")
    monkeypatch.setattr(tiers, "_said", set())

    without = run(make_target(), "hmc")

    assert torch.equal(without.points, run(in_torch(make_target()), "hmc").points)
    assert "there is no C compiler" in capsys.readouterr().err
