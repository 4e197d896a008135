"""QuickXplain on sets that are known: the smallest conflict, with few questions."""

import math
from itertools import combinations

import pytest

from ebmlang.solve.contradiction.conflict import find_minimal


@pytest.mark.parametrize("planted", [c for n in (1, 2, 3) for c in combinations(range(6), n)])
def test_the_only_conflict_is_found(planted):
    assert find_minimal(range(6), lambda some: set(planted) <= set(some)) == list(planted)


def test_of_several_conflicts_one_is_found_that_is_smallest():
    conflicts = [{0, 1}, {1, 2, 3}, {4}]

    found = find_minimal(range(5), lambda some: any(c <= set(some) for c in conflicts))

    assert set(found) in conflicts


def test_the_questions_are_few():
    """Junker (2004), theorem 2: at most 2k log2(n/k) + 2k for a conflict of k among n."""
    asked = []

    def conflicts(some):
        asked.append(some)
        return {3, 700} <= set(some)

    assert find_minimal(range(1024), conflicts) == [3, 700]
    assert len(asked) <= 2 * 2 * math.log2(1024 / 2) + 2 * 2
