"""A cone of rows is searched for a direction; every answer is checked by hand, or by its rows."""

import itertools
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmlang.analysis.propriety.cone import UnclearError, find_descent, find_direction


def product(row, direction):
    return sum(c * direction.get(j, 0.0) for j, c in row.items())


def rows_of(*numbers):
    return [{j: float(c) for j, c in enumerate(row) if c} for row in numbers]


def has_direction(rows: list[tuple[int, ...]], size: int) -> bool:
    """Decide in whole numbers: every extreme ray is where some rows and coordinates vanish."""
    units = [tuple(int(i == j) for j in range(size)) for i in range(size)]
    for chosen in itertools.combinations([*rows, *units], size - 1):
        for candidate in null_space(list(chosen), size):
            for sign in (1, -1):
                if all(
                    sum(sign * c * v for c, v in zip(row, candidate, strict=True)) <= 0
                    for row in rows
                ):
                    return True
    return False


def null_space(rows, size):
    work = [[Fraction(c) for c in row] for row in rows]
    pivots = []
    for column in range(size):
        best = next((r for r in range(len(pivots), len(work)) if work[r][column]), None)
        if best is None:
            continue
        place = len(pivots)
        work[place], work[best] = work[best], work[place]
        work[place] = [c / work[place][column] for c in work[place]]
        for other in range(len(work)):
            if other != place:
                factor, pair = work[other][column], zip(work[other], work[place], strict=True)
                work[other] = [a - factor * b for a, b in pair]
        pivots.append(column)
    for column in range(size):
        if column not in pivots:
            vector = [Fraction(0)] * size
            vector[column] = Fraction(1)
            for place, pivot in enumerate(pivots):
                vector[pivot] = -work[place][column]
            yield vector


@given(st.data())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_a_direction_is_found_exactly_where_there_is_one(data):
    size = data.draw(st.integers(1, 3))
    whole = st.tuples(*[st.integers(-2, 2)] * size)
    rows = [row for row in data.draw(st.lists(whole, max_size=6)) if any(row)]

    found = find_direction(rows_of(*rows), range(size))

    assert (found is not None) == has_direction(rows, size)
    if found is not None:
        assert any(found.values())
        assert all(product(row, found) <= 1e-9 for row in rows_of(*rows))


@given(st.data())
@settings(max_examples=200, deadline=None, derandomize=True)
def test_a_descent_is_found_exactly_where_no_combination_of_rows_forbids_it(data):
    size = data.draw(st.integers(1, 3))
    whole = st.tuples(*[st.integers(-2, 2)] * size)
    rows = [row for row in data.draw(st.lists(whole, max_size=5)) if any(row)]
    target = data.draw(whole)

    found = find_descent(rows_of(*rows), *rows_of(target), range(size))

    # target . d <= -1 has a solution in the cone: a point of the cone cut by a plane, as a cone of
    # one more dimension.
    lifted = [(*row, 0) for row in rows] + [(*target, 1), (*[0] * size, -1)]
    one = [v for v in extreme_rays(lifted, size + 1) if v[-1] > 0]
    assert (found is not None) == bool(one)
    if found is not None:
        assert product(*rows_of(target), found) < 0
        assert all(product(row, found) <= 1e-9 for row in rows_of(*rows))


def extreme_rays(rows, size):
    units = [tuple(int(i == j) for j in range(size)) for i in range(size)]
    for chosen in itertools.combinations([*rows, *units], size - 1):
        for candidate in null_space(list(chosen), size):
            for sign in (1, -1):
                ray = [sign * v for v in candidate]
                if all(sum(c * v for c, v in zip(row, ray, strict=True)) <= 0 for row in rows):
                    yield ray


def test_a_direction_is_given_in_whole_numbers():
    steps = rows_of((1, -1, 0), (-1, 1, 0), (0, 1, -1), (0, -1, 1))

    assert find_direction(steps, range(3)) == {0: 1.0, 1: 1.0, 2: 1.0}


def test_a_coordinate_that_no_row_is_about_is_free():
    assert find_direction([{0: 1.0}, {0: -1.0}], range(2)) == {1: 1.0}


def test_a_long_chain_with_one_end_held_is_held():
    steps = [{j: 1.0, j + 1: -1.0} for j in range(3_000)]
    both = [*steps, *({j: -c for j, c in row.items()} for row in steps)]

    assert find_direction([*both, {0: 1.0}, {0: -1.0}], range(3_001)) is None


def test_rows_that_are_nearly_dependent_decide_nothing():
    nearly = [{0: 1.0, 1: 1.0}, {0: 1.0, 1: 1.0 + 1e-11}]
    both = [*nearly, *({j: -c for j, c in row.items()} for row in nearly)]

    with pytest.raises(UnclearError):
        find_direction(both, range(2))
