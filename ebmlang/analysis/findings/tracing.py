"""Which elements of the variables reach a result: needs, passed from results to what they read.

An operator that only moves elements says by an example where each comes from: it is run on their
numbers.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ebmlang.analysis.facts import GraphFacts
from ebmlang.graph import EnergyGraph, Node
from ebmlang.lang.operator import Family
from ebmlang.lang.table import OPERATORS

Mask: TypeAlias = NDArray[np.bool_] | Literal[True]
"""Which elements of an array are needed; True for all of them."""

TRACED_ELEMENTS = 100_000
"""Largest array whose elements are told apart; of a larger one, all count as needed [elements]."""

_SELECTING = ("take", "gather", "slice")
"""Operators that may leave elements out; the other structural ones keep each."""


def trace_needs(facts: GraphFacts, roots: Iterable[int]) -> Mapping[str, Mask]:
    """Return for each variable that the roots depend on which of its elements they need.

    An element that has one value whatever the variables are needs nothing.
    """
    graph = facts.graph
    needs: dict[int, Mask] = dict.fromkeys(roots, True)
    found: dict[str, Mask] = {}
    for number in range(max(needs, default=-1), -1, -1):
        if number not in needs or not graph.varying[number]:
            continue
        node = graph.nodes[number]
        mask = _moving(facts, number, needs[number])
        if mask is not True and not mask.any():
            continue
        if node.operator == "variable":
            found[node.option("path")] = mask
        for place, i in enumerate(node.inputs):
            wanted = _wanted(graph, node, place, mask)
            before = needs.get(i)
            needs[i] = wanted if before is None else _either(before, wanted)
    return found


def _moving(facts: GraphFacts, number: int, mask: Mask) -> Mask:
    """Leave out the elements that bounds pin to one value."""
    bounds = facts.bounds[number].value
    pinned = np.asarray(bounds.lower == bounds.upper)
    if not pinned.any():
        return mask
    return np.asarray(mask & ~pinned)


def _either(a: Mask, b: Mask) -> Mask:
    return True if a is True or b is True else a | b


def _wanted(graph: EnergyGraph, node: Node, place: int, mask: Mask) -> Mask:
    """Return which elements of one input a node reads for those of its own that are needed."""
    shape = graph.nodes[node.inputs[place]].shape
    record = OPERATORS.get(node.operator)
    largest = max(math.prod(shape), math.prod(node.shape))
    if record is None or largest > TRACED_ELEMENTS:
        return True
    match record.family:
        case Family.ELEMENTWISE:
            return mask if mask is True else _gathered(mask, shape)
        case Family.REDUCTION if mask is not True:
            kept = np.expand_dims(mask, node.option("axes"))
            return np.broadcast_to(kept, shape)
        case Family.STRUCTURAL if mask is not True or node.operator in _SELECTING:
            full = np.broadcast_to(np.asarray(mask), node.shape)
            return _traced(graph, node, place, full)
        case _:
            return True


def _gathered(mask: NDArray[np.bool_], shape: Sequence[int]) -> NDArray[np.bool_]:
    """Return what broadcasting to the mask's shape reads of an operand."""
    lead = mask.ndim - len(shape)
    repeated = tuple(i + lead for i, size in enumerate(shape) if size != mask.shape[i + lead])
    kept = mask.any(axis=(*range(lead), *repeated), keepdims=True)
    return np.asarray(kept).reshape(tuple(shape))


def _traced(graph: EnergyGraph, node: Node, place: int, mask: NDArray[np.bool_]) -> Mask:
    """Run an operator on the numbers of one input's elements, and read off which came through."""
    inputs = [graph.nodes[i] for i in node.inputs]
    arrays: list[NDArray[np.int64]] = []
    for other, source in enumerate(inputs):
        if node.operator in ("take", "gather") and other == 1:
            if place == 1 or source.operator != "constant":
                return True
            arrays.append(source.option("value").array)
        elif other == place:
            arrays.append(np.arange(math.prod(source.shape)).reshape(source.shape))
        else:
            arrays.append(np.full(source.shape, -1))
    came = OPERATORS[node.operator].evaluate(*arrays, **dict(node.options))
    read = np.zeros(math.prod(inputs[place].shape), dtype=np.bool_)
    chosen = np.asarray(came)[mask]
    read[chosen[chosen >= 0]] = True
    return read.reshape(inputs[place].shape)
