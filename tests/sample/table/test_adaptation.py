"""What is learnt in the warm-up, and that nothing is learnt after it."""

from dataclasses import replace

import pytest
import torch

from ebmlang.sample.loop import Plan, build_setting, sample
from ebmlang.sample.native import compile_density
from ebmlang.sample.sampler import Sampler, Setting, Steady
from tests.sample.laws import LAWS, in_machine_code
from tests.sample.table.samplers import SAMPLERS, put_back, warm_up
from tests.sample.table.walk import FAMILY, compare, draw_exact

CHAINS, WARMUP, STEPS = 32, 40, 6
"""An even number of steps: tempering swaps even and odd pairs in turns."""
LAW = LAWS["correlated normal"]

MANY, LONG_WARMUP = 500, 120
FAR = 30.0
"""Where chains begin that must find the law by themselves, in standard deviations or so."""
TARGETS = ("correlated normal", "gamma")
LEAST_P = FAMILY / (4 * len(TARGETS) * len(SAMPLERS))

TABLE = pytest.mark.parametrize("name", SAMPLERS)


def prepare() -> tuple[Setting, torch.Tensor]:
    setting = build_setting(LAW.target, LAW.layout, seed=4, chains=CHAINS)
    if in_machine_code():
        density = compile_density(setting.density, chains=CHAINS)
        setting = replace(setting, density=density)
    return setting, setting.density.chart.from_written(draw_exact(LAW, "adapt", CHAINS))


@pytest.mark.slow
@TABLE
def test_nothing_is_learnt_after_the_warm_up(name: str) -> None:
    """From the same places the same numbers lead to the same places, before the draws and after."""
    sampler, (setting, position) = SAMPLERS[name](), prepare()
    first = sampler.init(setting, position)
    state = frozen = warm_up(sampler, setting, position, WARMUP)
    noise = setting.streams.at(WARMUP + STEPS + 1)

    for iteration in range(WARMUP + 1, WARMUP + STEPS + 1):
        state, _ = sampler.step(setting, state, setting.streams.at(iteration))

    untaught, before, after = (
        sampler.chains(sampler.step(setting, put_back(s, frozen), noise)[0]).position
        for s in (first, frozen, state)
    )
    assert torch.equal(before, after)
    assert not torch.equal(untaught, before)
    assert not torch.equal(sampler.chains(state).position, sampler.chains(frozen).position)


@pytest.mark.slow
@TABLE
def test_a_step_depends_on_its_arguments_alone(name: str) -> None:
    """A sampler that remembers anything outside of its state would go another way now."""
    sampler, (setting, position) = SAMPLERS[name](), prepare()
    frozen = warm_up(sampler, setting, position, WARMUP)
    noise = setting.streams.at(WARMUP + 1)
    once, _ = sampler.step(setting, frozen, noise)
    for iteration in range(WARMUP + 2, WARMUP + STEPS):
        sampler.step(setting, once, setting.streams.at(iteration))

    again, _ = sampler.step(setting, frozen, noise)

    assert torch.equal(sampler.chains(once).position, sampler.chains(again).position)


@pytest.mark.slow
@TABLE
def test_a_run_adapts_freezes_once_and_draws(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sampler, calls = SAMPLERS[name](), []
    kind: type[Sampler[object]] = type(sampler)
    is_steady = isinstance(sampler, Steady)
    for verb in ("adapt", "freeze", "kernel" if is_steady else "step"):
        original = getattr(kind, verb)

        def spy(self: object, *args: object, verb=verb, original=original) -> object:
            # A warm-up step is taken by the same step as a draw; what counts is who asked first.
            calls.append(verb)
            depth = len(calls)
            result = original(self, *args)
            del calls[depth:]
            return result

        monkeypatch.setattr(kind, verb, spy)

    plan = Plan(warmup=WARMUP, draws=STEPS)
    sample(LAW.target, LAW.layout, sampler, seed=4, chains=CHAINS, plan=plan)

    learnt, drawn = calls[: WARMUP + 1], calls[WARMUP + 1 :]
    assert learnt == ["adapt"] * WARMUP + ["freeze"]
    # A kernel that does not change is asked for as often as suits the pace of the run.
    assert set(drawn) == {"kernel"} if is_steady else drawn == ["step"] * STEPS


@pytest.mark.slow
@TABLE
@pytest.mark.parametrize("target", TARGETS)
def test_dispersed_starts_reach_the_same_law(name: str, target: str) -> None:
    """The last draws of many chains, frozen long before, against exact draws."""
    law = LAWS[target]
    corners = torch.cartesian_prod(*[torch.tensor([-FAR, FAR]).double()] * 3)
    starts = corners if target == "correlated normal" else 1 + corners.abs() * (corners > 0)

    draws = sample(
        law.target,
        law.layout,
        SAMPLERS[name](),
        seed=6,
        chains=MANY,
        plan=Plan(warmup=LONG_WARMUP, draws=1, thin=15),
        starts=starts,
    )

    assert compare(law, draws.points[:, -1], draw_exact(law, "dispersed")) > LEAST_P
