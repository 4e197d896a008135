"""Exact invariance: draws that follow the law still follow it after any number of iterations.

The strongest test of a sampler: it does not wait for convergence and sees a wrong acceptance
ratio, a missing Jacobian, a step that depends on the state, a repaired NaN. What it misses, a
chain that never moves, the movement gate catches.
"""

import pytest
import scipy.stats
import torch
from torch import Tensor

from ebmlang.runtime import build_generator
from ebmlang.sample import hmc
from ebmlang.sample.density import Density
from ebmlang.sample.hmc import HmcParameters, Streams
from ebmlang.spaces import build_sampling_chart
from tests.runtime.function_target import FunctionTarget, nothing
from tests.sample.laws import CPU, LAWS, Law, half_normal, normal, uniform

CHAINS = 20_000
CHECKS = (1, 10, 50)
LEAST_P = 6.3e-5
"""Probability of four standard errors, two sides."""


def iterate(
    law: Law, requirements=nothing, start: Tensor | None = None, energy=None, checks=CHECKS
) -> list[tuple[Tensor, float, float]]:
    """Return written points, mean acceptance and mean share moved at each check."""
    target = FunctionTarget(
        dim=law.layout.dim, energy=energy or law.energy, requirements=requirements
    )
    chart = build_sampling_chart(law.layout, dtype=torch.float64, device=CPU)
    density = Density(target=target, chart=chart)
    first = law.draw(CHAINS, build_generator(1, "first", CPU)) if start is None else start
    state = hmc.init(density, chart.from_written(first))
    ones = torch.ones(chart.dim, dtype=torch.float64)
    parameters = HmcParameters(
        step_size=torch.tensor(law.step_size).double(), inverse_mass=ones, most_steps=4
    )
    streams = Streams(
        schedule=build_generator(2, "schedule", CPU), chains=build_generator(2, "chains", CPU)
    )
    seen, acceptance, moved = [], 0.0, 0.0
    for count in range(1, checks[-1] + 1):
        state, info = hmc.step(density, state, parameters, streams)
        acceptance += float(info.acceptance.mean())
        moved += float(info.accepted.double().mean())
        if count in checks:
            seen.append((state.evaluation.point, acceptance / count, moved / count))
    return seen


def least_p(law: Law, points: Tensor, exact: Tensor) -> float:
    """Return the least p-value of two-sample tests of the energy and of each marginal."""
    columns = [(law.energy(points), law.energy(exact))]
    columns += [(points[:, i], exact[:, i]) for i in range(points.shape[1])]
    return min(
        float(scipy.stats.ks_2samp(a.numpy(), b.numpy(), method="asymp").pvalue)
        for a, b in columns
        if float(b.std()) > 1e-9
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", LAWS)
def test_exact_draws_stay_exact(name: str) -> None:
    law = LAWS[name]
    exact = law.draw(CHAINS, build_generator(3, "exact", CPU))

    for points, acceptance, moved in iterate(law):
        assert least_p(law, points, exact) > LEAST_P
        # The movement gate.
        assert 0.05 < acceptance < 0.999
        assert moved > 0.05
        assert len(torch.unique(points, dim=0)) == CHAINS


@pytest.mark.slow
def test_a_missing_jacobian_is_seen() -> None:
    """The test of the test: taking log x from the energy undoes the Jacobian of exp."""
    law = LAWS["gamma"]
    exact = law.draw(CHAINS, build_generator(3, "exact", CPU))

    wrong = iterate(law, energy=lambda x: law.energy(x) + x.log().sum(1))[-1][0]

    assert least_p(law, wrong, exact) < LEAST_P


@pytest.mark.slow
def test_a_large_constant_in_the_energy_changes_no_law() -> None:
    law = LAWS["normal"]
    exact = law.draw(CHAINS, build_generator(3, "exact", CPU))

    points, acceptance, _ = iterate(law, energy=lambda x: law.energy(x) + 1e10)[-1]
    plain = iterate(law)[-1]

    assert least_p(law, points, exact) > LEAST_P
    # An energy near 1e10 is resolved to 2e-6 in float64.
    assert acceptance == pytest.approx(plain[1], abs=1e-5)


@pytest.mark.slow
def test_a_requirement_is_the_exact_indicator() -> None:
    law = LAWS["normal where the energy is a number"]
    whole = Law(
        layout=law.layout,
        energy=lambda x: x.square().sum(1) / 2,
        draw=half_normal,
        step_size=law.step_size,
    )
    exact = half_normal(CHAINS, build_generator(3, "exact", CPU))

    for points, _, _ in iterate(whole, requirements=lambda x: x[:, :1]):
        assert bool((points[:, 0] >= 0).all())
        assert least_p(whole, points, exact) > LEAST_P


@pytest.mark.slow
def test_a_uniform_law_in_a_disc_stays_uniform() -> None:
    """Flat energy, one requirement: only the indicator shapes the law."""
    flat = Law(
        layout=LAWS["normal where the energy is a number"].layout,
        energy=lambda x: 0 * x.sum(1),
        draw=_in_disc,
        step_size=0.4,
    )
    exact = _in_disc(CHAINS, build_generator(3, "exact", CPU))

    points, _, moved = iterate(flat, requirements=lambda x: 1 - x.square().sum(1)[:, None])[-1]

    assert 0.05 < moved < 0.999
    assert bool((points.norm(dim=1) <= 1).all())
    assert least_p(flat, points, exact) > LEAST_P


def test_not_a_number_is_rejected_and_counted() -> None:
    law = LAWS["normal where the energy is a number"]
    chart = build_sampling_chart(law.layout, dtype=torch.float64, device=CPU)
    density = Density(target=law.target, chart=chart)
    state = hmc.init(density, torch.tensor([[1e-3, 0.0]]).double().expand(200, 2))
    parameters = HmcParameters(
        step_size=torch.tensor(0.5).double(), inverse_mass=torch.ones(2).double(), most_steps=1
    )
    streams = Streams(
        schedule=build_generator(2, "schedule", CPU), chains=build_generator(2, "chains", CPU)
    )

    following, info = hmc.step(density, state, parameters, streams)

    assert 0 < int(info.diverged.sum()) < 200
    assert not bool((info.diverged & info.accepted).any())
    assert bool(torch.isfinite(following.position).all())
    assert bool((following.position[:, 0] >= 0).all())


def _in_disc(count: int, rng: torch.Generator) -> Tensor:
    direction = normal(count, 2, rng)
    radius = uniform(count, 1, rng).sqrt()
    return radius * direction / direction.norm(dim=1, keepdim=True)
