"""Folds that are written out."""

from hypothesis import given
from hypothesis import strategies as st

from ebmlang.lower.native.text import STRANDS, join_in_strands


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=20))
def test_a_fold_in_strands_takes_every_element_once(numbers):
    joined = join_in_strands("{0} + {1}", [f"({n})" for n in numbers])

    assert eval(joined) == sum(numbers)
    assert joined.count(" + ") == len(numbers) - 1


def test_no_element_waits_for_more_than_its_strand_and_the_joining_of_strands():
    deepest, depth = 0, 0
    for sign in join_in_strands("{0} + {1}", ["x"] * 16):
        depth += (sign == "(") - (sign == ")")
        deepest = max(deepest, depth)

    assert deepest == 16 // STRANDS - 1 + 2
