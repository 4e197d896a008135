"""Logarithms against dimensions: the powers whose integrals every calculus course has."""

import pytest

from ebmlang.analysis.propriety.counting import find_heavy_direction
from ebmlang.analysis.propriety.lower_bound import Atom
from ebmlang.lang.facts import Growth, Rate

PLANE = frozenset({0, 1})


def logarithm(factor, *rows):
    both = [*rows, *({j: -c for j, c in row.items()} for row in rows)]
    return Atom(tuple(both), Growth(Rate.LOG, factor), (0, 0))


X, Y, SUM = {0: 1.0}, {1: 1.0}, {0: 1.0, 1: 1.0}


@pytest.mark.parametrize(
    ("logs", "finite"),
    [
        # |x|^-k over the line: finite for k > 1.
        ([logarithm(1.1, X), logarithm(1.1, Y)], True),
        ([logarithm(1.0, X), logarithm(3.0, Y)], False),
        # (|x| + |y|)^-k over the plane: finite for k > 2.
        ([logarithm(2.1, X, Y)], True),
        ([logarithm(2.0, X, Y)], False),
        # |x|^-a |y|^-b |x + y|^-c: on the line x = 0 the factors of y and of x + y count.
        ([logarithm(0.7, X), logarithm(0.7, Y), logarithm(0.7, SUM)], True),
        ([logarithm(0.6, X), logarithm(0.6, Y), logarithm(0.6, SUM)], False),
        ([logarithm(2.0, X), logarithm(0.5, Y), logarithm(0.5, SUM)], False),
        # A factor that grows takes away from one that falls.
        ([logarithm(3.0, X), logarithm(2.5, Y), logarithm(-1.0, Y)], True),
        ([logarithm(3.0, X), logarithm(2.0, Y), logarithm(-1.0, Y)], False),
    ],
)
def test_an_integral_of_powers_is_finite_as_calculus_says(logs, finite):
    found = find_heavy_direction([], logs, PLANE, PLANE)

    assert (found is None) == finite


def test_a_one_sided_logarithm_holds_a_coordinate_that_has_an_end():
    one_sided = Atom((X,), Growth(Rate.LOG, 1.5), (0, 0))
    line = frozenset({0})

    assert find_heavy_direction([{0: -1.0}], [one_sided], line, line) is None
    assert find_heavy_direction([], [one_sided], line, line) is not None


def test_independent_parts_are_counted_apart():
    many = frozenset(range(40))
    logs = [logarithm(1.5, {j: 1.0}) for j in many]

    assert find_heavy_direction([], logs, many, many) is None
    weak = [*logs[1:], logarithm(0.9, X)]
    found = find_heavy_direction([], weak, many, many)
    assert found is not None
    assert set(found) == {0}
