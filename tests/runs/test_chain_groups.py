import numpy as np

from ebmlang.runs.chain_groups import find_groups

NONE = np.empty(0)


def scatter(*centers: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=(len(centers), 200))
    return np.array(centers)[:, None] + noise


def test_chains_that_overlap_are_one_group() -> None:
    assert find_groups("x", scatter(0, 1, 2, 0.5), NONE) is None


def test_chains_that_overlap_by_way_of_others_are_one_group() -> None:
    assert find_groups("x", scatter(0, 2, 4, 6), NONE) is None


def test_chains_apart_are_counted_with_their_energies() -> None:
    found = find_groups("x", scatter(0, 20, 0, 0, 20), np.array([1.0, 9.0, 1.0, 4.0, 7.0]))

    assert found is not None
    assert found.sizes == (3, 2)
    assert found.energies == (2.0, 8.0)


def test_many_groups_are_summed_up() -> None:
    found = find_groups("x", scatter(*range(0, 140, 20)), NONE)

    assert found is not None
    assert found.show() == "the chains sit in 7 groups apart in `x`, of 1 to 1 chains"
