"""What a window remembers: all finite draws while they are few, evenly spread ones after that."""

import torch

from ebmlang.sample.adaptation.trail import (
    DRAWS_PER_DIMENSION,
    MOST_DRAWS,
    begin_trail,
    extend_trail,
)

DIM = 3


def follow(iterations: int, chains: int) -> torch.Tensor:
    """Return the kept positions of chains that stand at the number of the iteration."""
    trail = begin_trail(torch.zeros(chains, DIM).double())
    for iteration in range(iterations):
        position = torch.full((chains, DIM), float(iteration)).double()
        trail = extend_trail(trail, position, -position, torch.ones(chains).bool())
    kept, gradient = trail.read()
    assert torch.equal(gradient, -kept)
    return kept


def test_a_short_window_is_kept_whole() -> None:
    kept = follow(50, 4)

    assert torch.equal(kept[:, 0], torch.arange(50.0).double().repeat_interleave(4))


def test_a_long_window_is_thinned_evenly_for_all_chains() -> None:
    most = max(MOST_DRAWS, DRAWS_PER_DIMENSION * DIM)

    kept = follow(most, 4)

    assert most / 2 <= len(kept) <= most
    seen = kept[:, 0].view(-1, 4)
    assert bool((seen == seen[:, :1]).all())
    assert len(set(seen[:, 0].diff().tolist())) == 1
    assert float(seen[-1, 0]) >= most - 8


def test_many_chains_keep_two_iterations_at_least() -> None:
    assert len(follow(9, 3000)) == 2 * 3000


def test_a_chain_that_is_not_finite_is_left_out() -> None:
    position = torch.tensor([[1.0] * DIM, [torch.nan] * DIM]).double()

    trail = extend_trail(begin_trail(position), position, position, torch.tensor([True, False]))

    assert trail.read()[0].tolist() == [[1.0] * DIM]
