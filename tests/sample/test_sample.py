"""Whole runs: moments against the truth, within four Monte Carlo standard errors."""

import signal

import numpy as np
import pytest
import torch
from arviz_stats.base.array import array_stats
from torch import Tensor

from ebmlang.lang import DomainKind
from ebmlang.runtime import Budget
from ebmlang.sample import Draws, MemorySink, Plan, sample
from ebmlang.sample.kernels import Hmc
from ebmlang.sample.samplers.hmc import build_hmc
from ebmlang.source import EbmError
from ebmlang.spaces import build_layout
from tests.runtime.function_target import FunctionTarget, layout_of
from tests.spaces.test_layout import mixed_layout

ERRORS = 4
"""Monte Carlo standard errors that an estimate may be off."""


def assert_mean(values: Tensor, truth: float) -> None:
    array = values.double().numpy()
    error = float(array_stats.mcse(array, chain_axis=0, draw_axis=1, method="mean"))
    assert abs(array.mean() - truth) < ERRORS * error


def normal_target(scales: list[float], dtype: torch.dtype = torch.float64) -> FunctionTarget:
    sd = torch.tensor(scales, dtype=dtype)
    return FunctionTarget(
        dim=len(scales), energy=lambda x: (x / sd).square().sum(1) / 2, dtype=dtype
    )


def run(target: FunctionTarget, layout, *, warmup=300, draws=300, thin=1, **options) -> Draws:
    plan = Plan(warmup=warmup, draws=draws, thin=thin)
    return sample(target, layout, build_hmc(), **{"chains": 16, "plan": plan, **options})


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_a_normal_of_very_different_scales(dtype: torch.dtype) -> None:
    scales = [1.0, 100.0, 0.01]

    draws = run(normal_target(scales, dtype), layout_of(DomainKind.REAL, 3))

    assert draws.points.dtype == dtype
    for i, scale in enumerate(scales):
        assert_mean(draws.points[..., i], 0.0)
        assert_mean(draws.points[..., i].square(), scale**2)


@pytest.mark.slow
def test_dispersed_starts_reach_the_same_law() -> None:
    starts = torch.tensor([[30.0, -30.0], [-30.0, 30.0], [30.0, 30.0], [-30.0, -30.0]]).double()

    draws = run(normal_target([1.0, 2.0]), layout_of(DomainKind.REAL, 2), starts=starts)

    for i, scale in enumerate([1.0, 2.0]):
        assert_mean(draws.points[..., i], 0.0)
        assert_mean(draws.points[..., i].square(), scale**2)


@pytest.mark.slow
def test_all_kinds_of_domains_in_one_model() -> None:
    layout = mixed_layout()

    def energy(x: Tensor) -> Tensor:
        # Makes the unbounded and half-bounded columns normal and exponential; the rest uniform.
        return (5 - x[:, 7]) + (x[:, 8] - 1) + x[:, 9].square() / 2 + x[:, 13]

    draws = run(FunctionTarget(dim=layout.dim, energy=energy), layout)

    values = layout.unpack(draws.points.flatten(0, 1))
    assert_mean(draws.points[..., 6], 0.5)
    assert_mean(draws.points[..., 7], 4.0)
    assert_mean(draws.points[..., 8], 2.0)
    assert_mean(draws.points[..., 9].square(), 1.0)
    assert_mean(draws.points[..., 10], 1 / 3)
    assert_mean(draws.points[..., 13], 1.0)
    assert_mean(draws.points[..., 14].square(), 1 / 3)
    torch.testing.assert_close(values["a"].norm(dim=-1), torch.ones(16 * 300, 2).double())
    torch.testing.assert_close(values["c"].sum(-1), torch.ones(16 * 300).double())


@pytest.mark.slow
def test_uniform_rotations_have_the_right_trace() -> None:
    """The trace of a uniform rotation in space has mean 0 and second moment 1."""
    target = FunctionTarget(dim=9, energy=lambda x: 0 * x.sum(1))

    draws = run(target, layout_of(DomainKind.ROTATION, 3, 3))

    trace = draws.points[..., [0, 4, 8]].sum(-1)
    assert_mean(trace, 0.0)
    assert_mean(trace.square(), 1.0)


@pytest.mark.slow
def test_every_draw_satisfies_every_requirement() -> None:
    target = FunctionTarget(
        dim=2,
        energy=lambda x: x.square().sum(1) / 2,
        requirements=lambda x: torch.stack([x[:, 0] - 1, 2 - x.norm(dim=1)], dim=1),
    )

    draws = run(target, layout_of(DomainKind.REAL, 2), starts=torch.tensor([[1.5, 0.0]]).double())

    assert bool((target.requirements(draws.points.flatten(0, 1)) >= 0).all())
    assert int(draws.chunk.infeasible.sum()) > 0
    assert int(draws.chunk.diverged.sum()) == 0


def test_the_reported_energy_has_no_jacobian_in_it() -> None:
    target = FunctionTarget(dim=2, energy=lambda x: x.sum(1))

    draws = run(target, layout_of(DomainKind.POSITIVE, 2), warmup=20, draws=20)

    torch.testing.assert_close(draws.energies, draws.points.sum(-1))


def test_adaptation_is_frozen_while_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    original = Hmc.step

    def spy(self, density, state, noise):
        deviations = self.metric.deviations()[0].tolist()
        seen.append((*self.step_size.flatten().tolist(), self.most_steps, *deviations))
        return original(self, density, state, noise)

    monkeypatch.setattr(Hmc, "step", spy)

    draws = run(normal_target([1.0, 3.0]), layout_of(DomainKind.REAL, 2), warmup=60, draws=40)

    assert len(set(seen[-40:])) == 1
    assert seen[-1][0] == draws.adaptation["step size"]
    assert len({step_size for step_size, *_ in seen[:-40]}) > 10


class RecordingSink(MemorySink):
    """Remembers from where the run could go on."""

    def __init__(self) -> None:
        super().__init__()
        self.places = []

    def warmed(self, place) -> None:
        self.places.append((place, 0))

    def write(self, chunk, place) -> None:
        super().write(chunk, place)
        self.places.append((place, len(self.chunks)))


def test_a_run_that_goes_on_makes_the_draws_of_one_that_was_not_stopped(monkeypatch) -> None:
    monkeypatch.setattr("ebmlang.sample.loop.CHUNK", 16 * 10 * 7)
    layout, target = layout_of(DomainKind.REAL, 2), normal_target([1.0, 2.0])
    whole = RecordingSink()
    run(target, layout, warmup=120, draws=30, thin=2, sink=whole)

    assert len(whole.chunks) > 3
    assert len(whole.places) > len(whole.chunks)
    for place, written in whole.places:
        rest = RecordingSink()
        run(target, layout, warmup=120, draws=30, thin=2, sink=rest, resume=place)
        assert len(rest.chunks) == len(whole.chunks) - written
        for chunk, expected in zip(rest.chunks, whole.chunks[written:], strict=True):
            assert chunk.first == expected.first
            assert torch.equal(chunk.points, expected.points)
            assert torch.equal(chunk.hamiltonian, expected.hamiltonian)


def test_a_chain_does_not_depend_on_the_chains_beside_it_once_adaptation_is_frozen() -> None:
    """A warm-up of nothing learns nothing from the others but the first step size."""
    layout, target = layout_of(DomainKind.REAL, 1), normal_target([1.0])
    starts = torch.linspace(-1, 1, 8).double()[:, None]

    eight = run(target, layout, warmup=0, draws=20, chains=8, starts=starts)
    four = run(target, layout, warmup=0, draws=20, chains=4, starts=starts)

    assert eight.adaptation["step size"] == four.adaptation["step size"]
    assert torch.equal(eight.points[:4], four.points)


def test_a_warm_up_of_nothing_still_draws() -> None:
    draws = run(normal_target([1.0]), layout_of(DomainKind.REAL, 1), warmup=0, draws=5)

    assert draws.points.shape == (16, 5, 1)


def test_thinning_keeps_each_nth_iteration() -> None:
    layout = layout_of(DomainKind.REAL, 1)

    whole = run(normal_target([1.0]), layout, warmup=20, draws=30)
    thinned = run(normal_target([1.0]), layout, warmup=20, draws=10, thin=3)

    assert torch.equal(thinned.points, whole.points[:, 2::3])
    assert thinned.iterations == 30


def test_the_same_seed_gives_the_same_draws_and_another_gives_others() -> None:
    layout = layout_of(DomainKind.REAL, 2)
    target = normal_target([1.0, 2.0])

    first, again, other = (run(target, layout, warmup=20, draws=10, seed=s) for s in (1, 1, 2))

    assert torch.equal(first.points, again.points)
    assert not torch.equal(first.points, other.points)


def test_the_global_generator_is_left_alone() -> None:
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()

    run(normal_target([1.0]), layout_of(DomainKind.REAL, 1), warmup=10, draws=5)

    assert torch.equal(torch.get_rng_state(), before)
    assert (np.random.get_state()[1] == numpy_before).all()


def test_an_interrupt_returns_the_finished_draws() -> None:
    calls = []

    def energy(x: Tensor) -> Tensor:
        calls.append(1)
        if len(calls) == 400:
            signal.raise_signal(signal.SIGINT)
        return x.square().sum(1) / 2

    target = FunctionTarget(dim=1, energy=energy)

    draws = run(target, layout_of(DomainKind.REAL, 1), warmup=10, draws=1000)

    assert draws.interrupted
    assert 0 < draws.points.shape[1] < 400
    assert draws.energies.shape == draws.points.shape[:2]
    assert bool(torch.isfinite(draws.points).all())


def test_a_spent_time_budget_ends_the_run() -> None:
    draws = run(normal_target([1.0]), layout_of(DomainKind.REAL, 1), budget=Budget(seconds=0.0))

    assert draws.interrupted
    assert draws.points.shape == (16, 0, 1)


def test_starts_that_all_violate_a_requirement_are_a_diagnostic() -> None:
    target = FunctionTarget(dim=1, energy=lambda x: x.square().sum(1), requirements=lambda x: x - 1)

    with pytest.raises(EbmError) as caught:
        run(target, layout_of(DomainKind.REAL, 1), starts=torch.zeros(1, 1).double())

    assert caught.value.diagnostics[0].code == "E0706"


def test_starts_where_something_required_does_not_hold_are_left_out() -> None:
    target = FunctionTarget(dim=1, energy=lambda x: x.square().sum(1), requirements=lambda x: x - 1)
    starts = torch.tensor([[0.0], [2.0], [3.0]]).double()

    draws = run(target, layout_of(DomainKind.REAL, 1), starts=starts, warmup=0, draws=3)

    assert bool((draws.points >= 1).all())


def test_an_energy_that_is_finite_nowhere_is_a_diagnostic() -> None:
    target = FunctionTarget(dim=1, energy=lambda x: x.sum(1) * torch.nan)

    with pytest.raises(EbmError) as caught:
        run(target, layout_of(DomainKind.REAL, 1))

    assert caught.value.diagnostics[0].code == "E0707"


def test_chains_find_feasible_starts_by_themselves_where_they_are_common() -> None:
    target = FunctionTarget(
        dim=2, energy=lambda x: x.square().sum(1) / 2, requirements=lambda x: x[:, :1]
    )

    draws = run(target, layout_of(DomainKind.REAL, 2), warmup=10, draws=10)

    assert bool((draws.points[..., 0] >= 0).all())


def test_nothing_to_sample_is_a_diagnostic() -> None:
    with pytest.raises(EbmError) as caught:
        run(FunctionTarget(dim=0, energy=lambda x: x.sum(1)), build_layout({}))

    assert caught.value.diagnostics[0].code == "E0708"
