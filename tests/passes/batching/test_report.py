"""What people are told of batches."""

from ebmlang.passes.batching import list_batches
from tests.road import optimized

LINES = "\n".join(
    f"prefer near{i}: x[{i}] <= 0.{i} within 0.5\nminimize low{i}: exp(x[{i}] + {i + 1})"
    for i in range(8)
)


def test_terms_of_one_shape_are_told_apart_from_those_of_another():
    batches = list_batches(optimized(f"var x: real[8]\n{LINES}\nminimize other: sin(x[0])"))

    assert {batch.paths for batch in batches} == {
        tuple(f"near{i}" for i in range(8)),
        tuple(f"low{i}" for i in range(8)),
    }


def test_a_spec_of_few_terms_has_no_batches():
    assert list_batches(optimized("var x: real\nprefer a: x <= 1\nprefer b: x >= 2")) == ()
