"""Draws as they are put together."""

import torch

from ebmlang.sample.collector import Collector
from ebmlang.sample.density import Evaluation
from ebmlang.sample.state import ChainState, Info

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


def test_what_is_said_of_a_draw_sums_up_its_iterations():
    collector = Collector(0, 2, chains())
    collector.add(chains(), [info(), info()])

    chunk = collector.chunk()

    assert chunk.diverged.tolist() == [[2], [0], [2]]
    assert chunk.infeasible.tolist() == [[0], [2], [0]]
    assert chunk.gradients.tolist() == [[8]] * CHAINS
    assert chunk.moved.tolist() == [[1.0], [0.0], [1.0]]
    assert chunk.acceptance.tolist() == [[0.5]] * CHAINS


def test_a_branch_is_told_of_the_draw_that_has_one_and_of_no_other():
    collector = Collector(0, 2, chains())
    collector.add(chains(), [info()])
    collector.add(chains(), [info(branch=torch.tensor([1, 2, 3]))])

    assert collector.chunk().branch.tolist() == [[0, 1], [0, 2], [0, 3]]
