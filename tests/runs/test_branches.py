"""Branches of a run, judged one by one."""

import numpy as np
import pytest
import torch

from ebmlang.runs.branches import LEAST_JUDGED, judge_branches
from ebmlang.runs.concerns import Sign
from ebmlang.runs.convergence import judge, read_facts
from ebmlang.runs.values import DrawValues
from ebmlang.sample.draws import PER_DRAW, Chunk, Draws

CHAINS = 8


def build_run(branch, x, moved=None):
    """Return a run of these draws, of which all else is as it should be."""
    shape = (CHAINS, len(branch))
    filled = {name: torch.full(shape, 0.9, dtype=torch.float64) for name in PER_DRAW}
    filled["branch"] = torch.from_numpy(np.broadcast_to(branch, shape).copy())
    filled["energies"] = torch.from_numpy(x**2)
    filled["points"] = torch.from_numpy(x[..., None])
    filled["hamiltonian"] = torch.full(shape, torch.nan, dtype=torch.float64)
    filled |= {name: torch.zeros(shape) for name in ("diverged", "infeasible", "gradients")}
    if moved is not None:
        filled["moved"] = torch.from_numpy(moved)
    found = Draws(
        chunk=Chunk(first=0, divergence_points=torch.empty(0, 1), **filled),
        method="branches",
        adaptation={"place[0]": {}, "place[1]": {}},
        warmup=0,
        warmup_gradients=torch.zeros(CHAINS),
        thin=1,
        interrupted=False,
    )
    values = DrawValues(
        variables={"x": x},
        reports={},
        terms={},
        stats={"energy": x**2, "branch": filled["branch"].numpy()},
        divergences=np.empty((0, 1)),
    )
    return found, values


def concerns(found, values):
    whole = judge(values.quantities, read_facts(found))
    return list(judge_branches(found, values, whole))


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def test_nothing_speaks_against_sound_branches(rng):
    branch = np.arange(1000) % 2
    x = rng.normal(size=(CHAINS, 1000)) + 10 * branch

    assert concerns(*build_run(branch, x)) == []


def test_chains_that_disagree_in_one_branch_are_told_with_its_name(rng):
    branch = (np.arange(5 * LEAST_JUDGED) % 5 == 0).astype(int)
    apart = np.arange(CHAINS)[:, None] / CHAINS
    x = rng.normal(size=(CHAINS, len(branch))) * np.where(branch, 0.1, 10) + apart * branch

    (found,) = concerns(*build_run(branch, x))

    assert found.sign is Sign.R_HAT
    assert found.reason.startswith("in the branch `place[1]`: the chains disagree")


def test_few_draws_of_a_branch_do_not_speak_against_it(rng):
    branch = (np.arange(1000) % 100 == 0).astype(int)
    apart = np.arange(CHAINS)[:, None] / CHAINS
    x = rng.normal(size=(CHAINS, len(branch))) * np.where(branch, 0.1, 10) + apart * branch

    assert concerns(*build_run(branch, x)) == []


def test_chains_that_stand_still_in_one_branch_are_told_of_the_smallest_one(rng):
    branch = (np.arange(1000) % 100 == 0).astype(int)
    x = rng.normal(size=(CHAINS, 1000))
    moved = np.broadcast_to(1.0 - branch, x.shape).copy()

    (found,) = concerns(*build_run(branch, x, moved))

    assert found.sign is Sign.STILL


def test_a_run_of_one_piece_has_no_branches_to_judge(rng):
    x = rng.normal(size=(CHAINS, 1000))
    moved = np.zeros_like(x)

    assert concerns(*build_run(np.zeros(1000, dtype=int), x, moved)) == []
