"""Dataclasses of tensors: what is done to all tensors reaches each, in order, and nothing else."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ebmlang.runtime import concatenate, list_tensors, map_tensors, take_rows, with_tensors


@dataclass(frozen=True, slots=True)
class Inner:
    here: Tensor


@dataclass(frozen=True, slots=True)
class Outer:
    first: Tensor
    name: str
    inner: Inner
    last: Tensor
    none: Tensor | None = None


def tree(start: int) -> Outer:
    numbers = torch.arange(12).reshape(3, 4) + start
    return Outer(numbers, "same", Inner(numbers[:, 0]), 2 * numbers)


def test_tensors_are_listed_and_put_back_in_the_order_of_fields() -> None:
    given = tree(0)

    listed = list_tensors(given)
    changed = with_tensors(given, [tensor + 1 for tensor in listed])

    assert [tuple(tensor.shape) for tensor in listed] == [(3, 4), (3,), (3, 4)]
    assert torch.equal(changed.inner.here, given.inner.here + 1)
    assert torch.equal(changed.last, given.last + 1)
    assert (changed.name, changed.none) == ("same", None)


def test_tensors_of_several_trees_meet_in_their_places() -> None:
    summed = map_tensors(torch.add, tree(0), tree(5))

    for found, one, other in zip(
        list_tensors(summed), list_tensors(tree(0)), list_tensors(tree(5)), strict=True
    ):
        assert torch.equal(found, one + other)


def test_rows_taken_and_joined_again_are_the_tree() -> None:
    given = tree(3)
    parts = [take_rows(given, torch.tensor([place])) for place in range(3)]

    joined = concatenate(parts)

    for found, expected in zip(list_tensors(joined), list_tensors(given), strict=True):
        assert torch.equal(found, expected)
