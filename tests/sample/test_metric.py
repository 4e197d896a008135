"""Each metric is the linear map that it says, for every group of chains."""

import pytest
import torch

from ebmlang.lang import DomainKind
from ebmlang.sample.metric import Dense, Diagonal, LowRank, trim
from ebmlang.spaces import ConcreteDomain, build_layout, build_sampling_chart

DIM, GROUPS, CHAINS = 5, 2, 7


def random(*shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def low_rank():
    directions = torch.linalg.qr(random(GROUPS, DIM, 2)).Q
    return LowRank(
        scale=random(GROUPS, DIM).exp(), directions=directions, stretch=random(GROUPS, 2).exp()
    )


METRICS = {
    "diagonal": (Diagonal(scale=random(GROUPS, DIM).exp()), lambda m, i: m.scale[i].diag()),
    "dense": (Dense(factor=random(GROUPS, DIM, DIM)), lambda m, i: m.factor[i]),
    "low rank": (
        low_rank(),
        lambda m, i: (
            m.scale[i].diag()
            @ (
                torch.eye(DIM, dtype=torch.float64)
                + m.directions[i] @ (m.stretch[i] - 1).diag() @ m.directions[i].T
            )
        ),
    ),
}


def rows(metric, build, *, transposed, mask=None):
    """Return L z, or L^T z, by the matrices themselves; the first group has one chain more."""
    z = random(CHAINS, DIM)
    expected = []
    for chain in range(CHAINS):
        matrix = build(metric, 0 if chain < 4 else 1)
        if mask is not None:
            matrix = mask.double().diag() @ matrix
        expected.append((matrix.T if transposed else matrix) @ z[chain])
    return z, torch.stack(expected)


@pytest.mark.parametrize("name", METRICS)
def test_spread_and_gather_are_a_map_and_its_transpose(name):
    metric, build = METRICS[name]
    z, spread = rows(metric, build, transposed=False)
    _, gathered = rows(metric, build, transposed=True)

    torch.testing.assert_close(metric.spread(z), spread)
    torch.testing.assert_close(metric.gather(z), gathered)


@pytest.mark.parametrize("name", METRICS)
def test_deviations_are_those_of_what_is_spread(name):
    metric, build = METRICS[name]
    expected = [(build(metric, i) @ build(metric, i).T).diagonal().sqrt() for i in range(GROUPS)]

    torch.testing.assert_close(metric.deviations(), torch.stack(expected))


@pytest.mark.parametrize("name", METRICS)
def test_trimming_takes_away_nothing_that_moves(name):
    metric, _ = METRICS[name]
    mask = torch.tensor([True, False, True, False, True])
    z = random(CHAINS, DIM)

    torch.testing.assert_close(trim(metric, z), z)
    masked = metric.masked(mask)
    torch.testing.assert_close(masked.spread(trim(masked, z)), masked.spread(z))


def test_a_diagonal_metric_trims_what_it_holds_still():
    mask = torch.tensor([True, False, True, False, True])
    metric, _ = METRICS["diagonal"]

    assert bool((trim(metric.masked(mask), random(CHAINS, DIM))[:, ~mask] == 0).all())


@pytest.mark.parametrize("name", METRICS)
def test_a_masked_metric_moves_the_chosen_coordinates_only(name):
    metric, build = METRICS[name]
    mask = torch.tensor([True, False, True, False, True])
    z, spread = rows(metric, build, transposed=False, mask=mask)
    _, gathered = rows(metric, build, transposed=True, mask=mask)
    masked = metric.masked(mask)

    torch.testing.assert_close(masked.spread(z), spread)
    torch.testing.assert_close(masked.gather(z), gathered)
    assert bool((masked.spread(z)[:, ~mask] == 0).all())


@pytest.mark.parametrize("name", METRICS)
def test_a_drift_follows_the_velocity_and_keeps_momenta_in_flat_space(name):
    metric, _ = METRICS[name]
    layout = build_layout({"x": ConcreteDomain(kind=DomainKind.REAL, shape=(DIM,))})
    chart = build_sampling_chart(layout, dtype=torch.float64, device=torch.device("cpu"))
    q, z = random(CHAINS, DIM), random(CHAINS, DIM)
    time = torch.full((CHAINS, 1), 0.3, dtype=torch.float64)

    end, after = metric.paced(time, CHAINS).drift(chart, q, z)

    torch.testing.assert_close(end, q + 0.3 * metric.spread(z))
    assert torch.equal(after, z)
