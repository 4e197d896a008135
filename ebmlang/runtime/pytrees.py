"""Dataclasses of tensors, which may hold other such dataclasses: pytrees, as JAX calls them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, is_dataclass
from typing import TypeVar

import torch
from jaxtyping import Int
from torch import Tensor

Tree = TypeVar("Tree")


def map_fields(function: Callable[..., object], *trees: Tree) -> Tree:
    """Return the last of some trees of one kind, each field made of that field of all."""
    last = trees[-1]
    assert is_dataclass(last)
    assert not isinstance(last, type)
    names = [field.name for field in fields(last)]
    made = {name: function(*(getattr(tree, name) for tree in trees)) for name in names}
    return type(last)(**made)


def map_tensors(function: Callable[..., Tensor], *trees: Tree) -> Tree:
    """Return the last of some trees of one kind, each tensor made of those in its place in all.

    What is no tensor is kept as it is.
    """

    def put(*values: object) -> object:
        if isinstance(values[-1], Tensor):
            return function(*values)
        return map_tensors(function, *values) if is_dataclass(values[-1]) else values[-1]

    return map_fields(put, *trees)


def take_rows(tree: Tree, rows: Int[Tensor, " kept"]) -> Tree:
    """Return some rows of every tensor; one may be taken several times."""
    return map_tensors(lambda values: values[rows], tree)


def concatenate(trees: Sequence[Tree]) -> Tree:
    """Return trees as one, their tensors one below the other."""
    return map_tensors(lambda *tensors: torch.cat(tensors), *trees)


def list_tensors(tree: object) -> list[Tensor]:
    """Return the tensors of a tree, in the order of its fields."""
    assert is_dataclass(tree)
    found: list[Tensor] = []
    for field in fields(tree):
        value = getattr(tree, field.name)
        if isinstance(value, Tensor):
            found.append(value)
        elif is_dataclass(value):
            found += list_tensors(value)
    return found


def with_tensors(tree: Tree, tensors: Iterable[Tensor]) -> Tree:
    """Return the tree with other tensors, in the order of `list_tensors`."""
    given = iter(tensors)
    return map_tensors(lambda _: next(given), tree)
