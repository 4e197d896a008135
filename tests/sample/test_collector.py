"""Draws are what the kernel made of them, however many are written together."""

from dataclasses import fields

import pytest
import torch

from ebmlang.lang import DomainKind
from ebmlang.sample import Draws, Plan, collector, sample
from ebmlang.sample.collector import Collector
from ebmlang.sample.density import Evaluation
from ebmlang.sample.kernels import Hmc
from ebmlang.sample.kernels.langevin import UnadjustedLangevin
from ebmlang.sample.samplers.hmc import build_hmc
from ebmlang.sample.samplers.langevin import build_unadjusted_langevin
from ebmlang.sample.samplers.windowed import Windowed
from ebmlang.sample.state import ChainState, Info
from tests.runtime.function_target import FunctionTarget, layout_of

PLAN = Plan(warmup=20, draws=23, thin=3)


def draw(sampler: object) -> Draws:
    """Draw where some ends are infeasible, and some are not a number."""
    target = FunctionTarget(
        dim=2,
        energy=lambda x: torch.where(x[:, 0] > 1.5, torch.nan, x.square().sum(1) / 2),
        requirements=lambda x: x[:, 1:] + 1,
    )
    starts = torch.full((1, 2), 0.5, dtype=torch.float64)
    layout = layout_of(DomainKind.REAL, 2)
    return sample(target, layout, sampler, chains=6, plan=PLAN, starts=starts)


@pytest.mark.parametrize("waiting", [0, 6 * 10 * 3 * 4, 1 << 30])
def test_draws_do_not_depend_on_how_many_wait(
    waiting: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = draw(build_hmc())
    monkeypatch.setattr(collector, "WAITING", waiting)

    found = draw(build_hmc())

    for field in fields(usual.chunk):
        one, other = getattr(usual.chunk, field.name), getattr(found.chunk, field.name)
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)
    assert int(found.chunk.infeasible.sum()) > 0
    assert int(found.chunk.diverged.sum()) > 0
    assert len(found.chunk.divergence_points) == collector.DIVERGENCES_KEPT


def test_what_is_told_of_a_draw_is_that_of_its_iterations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the infos as the kernel returns them, added up one by one."""
    told = []
    original = Hmc.step

    def spy(self, density, state, noise):
        following, info = original(self, density, state, noise)
        told.append((following, info))
        return following, info

    monkeypatch.setattr(Hmc, "step", spy)

    chunk = draw(build_hmc()).chunk

    told = told[-PLAN.draws * PLAN.thin :]
    for place in range(PLAN.draws):
        group = told[place * PLAN.thin : (place + 1) * PLAN.thin]
        state, last = group[-1]
        torch.testing.assert_close(chunk.points[:, place], state.evaluation.point, rtol=0, atol=0)
        assert torch.equal(chunk.energies[:, place], state.evaluation.energy)
        assert torch.equal(chunk.hamiltonian[:, place], last.hamiltonian)
        for name in ("diverged", "infeasible", "gradients"):
            total = sum(getattr(info, name).long() for _, info in group)
            assert torch.equal(getattr(chunk, name)[:, place], total)
        acceptance = sum(info.acceptance for _, info in group) / PLAN.thin
        torch.testing.assert_close(chunk.acceptance[:, place], acceptance)
        moved = sum(info.accepted.double() for _, info in group) / PLAN.thin
        torch.testing.assert_close(chunk.moved[:, place], moved)


@pytest.mark.parametrize("thin", [1, 3])
@pytest.mark.parametrize("waiting", [0, 6 * 10 * 7, 1 << 30])
@pytest.mark.parametrize("kind", [DomainKind.REAL, DomainKind.POSITIVE])
def test_draws_do_not_depend_on_strides(
    kind: DomainKind, waiting: int, thin: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many steps are taken at once, but where some chain stays: then as if each were by itself."""

    def walk() -> Draws:
        # Beyond the edge, which every few iterations some chain meets, there is no number.
        target = FunctionTarget(
            dim=2,
            energy=lambda x: torch.where(x[:, 0] > 1.2, torch.nan, x.square().sum(1) / 2),
            requirements=lambda x: x[:, :0],
        )
        return sample(
            target,
            layout_of(kind, 2),
            build_unadjusted_langevin(),
            chains=6,
            plan=Plan(warmup=20, draws=41, thin=thin),
            starts=torch.full((1, 2), 0.5, dtype=torch.float64),
        )

    taken = []
    original = UnadjustedLangevin.stride

    def count(self, density, state, noises):
        taken.append(original(self, density, state, noises))
        return taken[-1]

    monkeypatch.setattr(collector, "WAITING", waiting)
    monkeypatch.setattr(UnadjustedLangevin, "stride", count)
    found = walk()
    monkeypatch.setattr(UnadjustedLangevin, "stride", lambda *_: None)
    by_steps = walk()

    for field in fields(found.chunk):
        one, other = getattr(by_steps.chunk, field.name), getattr(found.chunk, field.name)
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)
    assert int(found.chunk.diverged.sum()) > 0
    assert any(stride is not None for stride in taken)
    assert any(stride is None for stride in taken)


def test_a_sampler_asked_in_each_iteration_draws_the_same() -> None:
    """One kernel takes all draws where a sampler says that it is always the same."""

    class Hidden:
        """A sampler that does not say so."""

        def __init__(self, plain: Windowed) -> None:
            self.name, self.init, self.adapt = plain.name, plain.init, plain.adapt
            self.freeze, self.step, self.chains = plain.freeze, plain.step, plain.chains
            self.describe = plain.describe

    plain, hidden = draw(build_hmc()), draw(Hidden(build_hmc()))

    assert torch.equal(plain.points, hidden.points)
    assert torch.equal(plain.chunk.gradients, hidden.chunk.gradients)


CHAINS = 3


def chains():
    point = torch.ones(CHAINS, 2)
    zero = torch.zeros(CHAINS)
    here = Evaluation(
        point=point, energy=zero, log_jacobian=zero, reference=zero, gradient=torch.zeros(CHAINS, 2)
    )
    return ChainState(position=point, evaluation=here, momentum=point, level=zero.double())


def info(branch=None):
    yes = torch.tensor([True, False, True])
    return Info(
        acceptance=torch.full((CHAINS,), 0.5).double(),
        faithful=torch.full((CHAINS,), 0.5).double(),
        accepted=yes,
        diverged=yes,
        infeasible=~yes,
        gradients=torch.full((CHAINS,), 4),
        hamiltonian=torch.zeros(CHAINS).double(),
        branch=branch,
    )


def test_a_branch_is_told_of_the_draw_that_has_one_and_of_no_other():
    gathered = Collector(0, 2, chains())
    for one in (info(), info(branch=torch.tensor([1, 2, 3]))):
        gathered.note(chains(), one)
        gathered.add(chains())

    assert gathered.chunk().branch.tolist() == [[0, 1], [0, 2], [0, 3]]
