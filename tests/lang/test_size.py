"""Dimensions are polynomials: the laws of their ring, and their values."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmlang.lang import Size, evaluate_dim

NAMES = ("K", "M", "N")


def polynomials():
    leaves = st.one_of(st.integers(-5, 5), st.sampled_from(NAMES).map(Size.named))
    return st.recursive(
        leaves,
        lambda inner: st.tuples(st.sampled_from("+-*"), inner, inner).map(combine),
        max_leaves=6,
    )


def combine(parts):
    operator, a, b = parts
    return {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b}[operator]()


SIZES = st.fixed_dictionaries({name: st.integers(0, 20) for name in NAMES})


@given(polynomials(), polynomials(), polynomials())
def test_sizes_are_a_commutative_ring(a, b, c):
    assert a + b == b + a
    assert a * b == b * a
    assert (a + b) + c == a + (b + c)
    assert (a * b) * c == a * (b * c)
    assert a * (b + c) == a * b + a * c
    assert a + 0 == a
    assert a * 1 == a
    assert a * 0 == 0
    assert a - a == 0


@given(polynomials(), polynomials(), SIZES)
def test_values_follow_the_operators(a, b, sizes):
    left, right = evaluate_dim(a, sizes), evaluate_dim(b, sizes)

    assert evaluate_dim(a + b, sizes) == left + right
    assert evaluate_dim(a - b, sizes) == left - right
    assert evaluate_dim(a * b, sizes) == left * right


@given(polynomials(), polynomials())
def test_a_constant_is_an_int_and_nothing_else_is(a, b):
    for dim in (a, b, a + b, a - b, a * b):
        assert isinstance(dim, int) or dim.names


@given(polynomials(), polynomials())
def test_equal_polynomials_are_equal_objects_with_equal_hashes(a, b):
    left, right = (a + b) * (a + b), a * a + 2 * (a * b) + b * b

    assert left == right
    assert hash(left) == hash(right)
    assert str(left) == str(right)


@given(st.integers(0, 1000))
def test_the_number_of_pairs_is_whole_for_every_size(n):
    size = Size.named("N")

    assert evaluate_dim(size * (size - 1) / 2, {"N": n}) == n * (n - 1) // 2


@given(polynomials(), SIZES)
def test_what_is_shown_has_the_value_of_the_size(dim, sizes):
    text = str(dim).replace("^", "**")
    for name in NAMES:
        text = text.replace(name, f"Fraction({sizes[name]})")

    assert eval(text, {"Fraction": Fraction}) == evaluate_dim(dim, sizes)


def test_names_are_those_it_depends_on():
    assert (Size.named("N") * Size.named("M") + 1).names == {"N", "M"}


def test_an_unbound_name_is_a_key_error():
    with pytest.raises(KeyError):
        evaluate_dim(Size.named("N"), {})
