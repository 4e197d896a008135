import numpy as np
import torch
from scipy.stats import ks_2samp
from torch.testing import assert_close

from ebmlang.sample.tempering.swaps import count_trips, find_barrier, spread_ladder, swap
from tests.sample.laws import normal, uniform

CHAINS = 20_000
LEVEL = 1e-4
"""Of each test by Kolmogorov and Smirnov."""

LADDER = torch.tensor([0.0, 0.2, 0.5, 1.0]).double()
WIDE = 3.0
"""Standard deviation of the reference; that of the target is 1."""


def replicas(seed: int) -> torch.Tensor:
    """Draw exactly: precisions of Gaussians add up along the ladder."""
    precision = LADDER + (1 - LADDER) / WIDE**2
    drawn = normal(len(LADDER), CHAINS, torch.Generator().manual_seed(seed))
    return drawn / precision.sqrt()[:, None]


def rise_of(x: torch.Tensor) -> torch.Tensor:
    return (x.square() - (x / WIDE).square()) / 2


def uniforms(seed: int) -> torch.Tensor:
    """Draw others than those that made the replicas."""
    return uniform(len(LADDER) - 1, CHAINS, torch.Generator().manual_seed(100 + seed))


def test_swaps_leave_the_law_of_every_temperature_as_it_is() -> None:
    x = replicas(0)

    for iteration in range(10):
        source, _ = swap(LADDER, rise_of(x), uniforms(iteration), iteration % 2)
        x = x.gather(0, source)

    for rung, exact in enumerate(replicas(1)):
        assert ks_2samp(x[rung].numpy(), exact.numpy()).pvalue > LEVEL


def test_a_swap_takes_place_with_the_probability_that_is_said() -> None:
    x = replicas(0)

    source, probability = swap(LADDER, rise_of(x), uniforms(0), 0)

    happened = (source[:-1] > torch.arange(len(LADDER) - 1)[:, None]).double().mean(1)
    expected = probability.mean(1)
    assert happened[1] == 0
    error = (expected * (1 - expected) / CHAINS).sqrt()
    assert ((happened - expected)[[0, 2]].abs() < 4 * error[[0, 2]]).all()
    assert ((expected > 0.05) & (expected < 0.95)).all()


def test_neighbors_change_places_and_nobody_is_lost() -> None:
    for parity in (0, 1):
        source, _ = swap(LADDER, rise_of(replicas(0)), uniforms(0), parity)

        rungs = torch.arange(len(LADDER))[:, None]
        assert torch.equal(source.sort(0).values, rungs.expand_as(source))
        assert torch.equal(source.gather(0, source), rungs.expand_as(source))
        assert (source - rungs).abs().max() == 1


def test_a_better_state_always_moves_towards_the_target() -> None:
    rise = torch.tensor([[-5.0], [0.0], [0.0], [0.0]]).double()

    source, _ = swap(LADDER, rise, torch.full((3, 1), 1 - 1e-9, dtype=torch.float64), 0)

    assert source[:2, 0].tolist() == [1, 0]


def test_a_constant_in_the_energy_does_not_matter() -> None:
    rise = rise_of(replicas(0))

    plain, _ = swap(LADDER, rise, uniforms(0), 1)

    moved, _ = swap(LADDER, rise + 1e6, uniforms(0), 1)
    assert torch.equal(plain, moved)


def test_a_respread_ladder_has_equal_shares_of_the_barrier() -> None:
    rejection = torch.tensor([0.6, 0.1, 0.2]).double()

    ladder = spread_ladder(LADDER, rejection)

    least = 0.05 * rejection.mean()
    barrier = find_barrier(rejection + least)
    shares = torch.from_numpy(np.interp(ladder.numpy(), LADDER.numpy(), barrier.numpy())).diff()
    assert_close(shares, shares.mean().expand_as(shares))
    assert ladder[0] == 0
    assert ladder[-1] == 1


def test_a_ladder_without_rejections_stays_a_ladder() -> None:
    ladder = spread_ladder(LADDER, torch.zeros(3).double())

    assert (ladder.diff() > 0).all()


def test_a_round_trip_goes_from_the_reference_to_the_target_and_back() -> None:
    heading = torch.zeros(3, 1).long()
    trips = 0
    for order in ([0, 1, 2], [1, 0, 2], [0, 2, 1], [0, 2, 1], [1, 0, 2]):
        heading = heading[order]
        heading, returned = count_trips(heading)
        trips += int(returned)

    # The first replica climbs to the top and comes down again: once around.
    assert trips == 1
