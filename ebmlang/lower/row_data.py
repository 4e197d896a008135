"""Data by row as the user gives it, checked against what the graph declares.

What is wrong with a whole column is said at once; what is wrong with single rows is left to who
solves them, since a bad row must not stop the others. Nothing here imports torch.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebmlang.graph import EnergyGraph, GivenInfo, Kind
from ebmlang.graph.node import RootKind
from ebmlang.lower.binding import check_data
from ebmlang.source import Diagnostic, EbmError, Label

_DTYPES = {Kind.REAL: np.float64, Kind.INT: np.int64, Kind.BOOL: np.bool_}


def check_columns(graph: EnergyGraph, data: Mapping[str, NDArray[Any]]) -> None:
    """Raise unless every given by row has data that can be read, whatever its numbers.

    Args:
        graph: Whose givens by row are meant.
        data: Their values, with the rows in front. Any: numbers or truth values.

    Raises:
        EbmError: One has another shape (E0702) or is of another kind (E0803).
    """
    alone = replace(graph, givens=tuple(replace(g, by_row=False) for g in _by_row(graph)))
    # Zero is finite, whole and a truth value: only shape and kind are left to be wrong.
    check_data(alone, {path: np.zeros(v.shape[1:], v.dtype) for path, v in data.items()})


def find_unreadable(
    graph: EnergyGraph, data: Mapping[str, NDArray[Any]], rows: int
) -> NDArray[np.bool_]:
    """Return which rows hold a number that is not finite, or not of the kind that is declared."""
    wrong = np.zeros(rows, dtype=np.bool_)
    for given in _by_row(graph):
        values = data[given.path].reshape(rows, math.prod(given.shape))
        if values.dtype.kind == "f":
            wrong |= ~np.isfinite(values).all(1)
            if given.kind is not Kind.REAL:
                wrong |= (values != np.floor(values)).any(1)
        if given.kind is Kind.BOOL and values.dtype.kind != "b":
            wrong |= ((values != 0) & (values != 1)).any(1)
    return wrong


def convert_columns(
    graph: EnergyGraph, data: Mapping[str, NDArray[Any]], rows: NDArray[np.intp]
) -> tuple[NDArray[np.generic], ...]:
    """Return readable rows of every given by row, in the graph's order, in its own kind."""
    return tuple(data[g.path][rows].astype(_DTYPES[g.kind]) for g in _by_row(graph))


def require_variable(graph: EnergyGraph) -> None:
    """Raise where data by row is used for what must be the same for all rows.

    Args:
        graph: As analyses read it, with roots that a run does not need.

    Raises:
        EbmError: It is an index, or what `normalize` adds depends on it (E0721).
    """
    numbers = {
        number: node.option("path")
        for number, node in enumerate(graph.nodes)
        if node.operator == "given"
    }
    rows = {given.path: given for given in graph.givens if given.by_row}
    problems: dict[tuple[str, RootKind], Diagnostic] = {}
    for kind, word in ((RootKind.INDEX, "an index"), (RootKind.INTEGRAND, "a `normalize`")):
        for _, number in graph.roots_of(kind):
            needed = {numbers[i] for i in (*graph.ancestors(number), number) if i in numbers}
            for path in sorted(needed & rows.keys()):
                span = graph.nodes[number].origin.span
                problem = _cannot_vary(rows[path], word, Label(span, "here") if span else None)
                problems.setdefault((path, kind), problem)
    if problems:
        raise EbmError(*problems.values())


def _by_row(graph: EnergyGraph) -> tuple[GivenInfo, ...]:
    return tuple(given for given in graph.givens if given.by_row)


def _cannot_vary(given: GivenInfo, word: str, here: Label | None) -> Diagnostic:
    return Diagnostic(
        code="E0721",
        headline=f"`{given.path}` differs from row to row, and {word} depends on it",
        primary=here,
        notes=("all rows are solved as one batch, by the same steps",),
        helps=(f"give one value of `{given.path}` for all rows, and solve each value by itself",),
    )
