"""Logarithms against dimensions: when the inverse of a product of powers is integrable.

exp(-k log g) is g^-k. At infinity the integral of a product of such powers of linear functions is
finite exactly where for every subspace L that is a meet of kernels, the sum of the exponents of
those that do not vanish on L exceeds the dimension of L.

Source: Weinberg (1960), High-energy behavior in quantum field theory, Physical Review 118, 838,
the power counting theorem.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ebmlang.analysis.affine import Row, TooLargeError
from ebmlang.analysis.propriety.cone import (
    FULL,
    Vector,
    find_descent,
    find_direction,
    independent_parts,
)
from ebmlang.analysis.propriety.lower_bound import Atom, opposite

KERNELS = 12
"""Most different kernels of which all meets are looked at."""

ROWS = 400
"""Most rows that are asked one by one whether they are 0 on a cone."""

Matrix: TypeAlias = NDArray[np.float64]


def find_heavy_direction(
    rows: Sequence[Row],
    logs: Sequence[Atom],
    coordinates: frozenset[int],
    lifted: Iterable[int],
) -> Vector | None:
    """Return a direction of a subspace that has too many dimensions for its logarithms, or None.

    Args:
        rows: What holds directions that grow faster: row . d <= 0.
        logs: The logarithms; those with a negative factor fall.
        coordinates: Those that count.
        lifted: These, and those that `rows` have besides.

    Raises:
        TooLargeError: There are too many subspaces to look at.
    """
    allowed = set(lifted)
    cut = [_within(row, allowed) for row in rows]
    counted = [
        replace(atom, rows=tuple(row for r in atom.rows if (row := _within(r, allowed))))
        for atom in logs
    ]
    joined = [*cut, *({j: 1.0 for row in atom.rows for j in row} for atom in counted)]
    for members, _ in independent_parts([row for row in joined if row], sorted(allowed)):
        inside = set(members)
        heavy = _find_in_part(
            [row for row in cut if not inside.isdisjoint(row)],
            [atom for atom in counted if any(not inside.isdisjoint(row) for row in atom.rows)],
            [j for j in members if j in coordinates],
            inside,
        )
        if heavy is not None:
            return heavy
    return None


def _within(row: Row, coordinates: set[int]) -> Row:
    return {j: c for j, c in row.items() if j in coordinates}


def _find_in_part(
    rows: Sequence[Row], logs: Sequence[Atom], members: Sequence[int], lifted: set[int]
) -> Vector | None:
    if find_direction(rows, lifted) is None:
        return None
    span = _span(rows, members, lifted)
    place = {j: k for k, j in enumerate(members)}
    groups: list[tuple[Matrix, float]] = []
    for atom in logs:
        kept = [row for row in atom.rows if _counts(row, atom, rows, lifted)]
        if kept:
            groups.append((_stack(kept, place) @ span.T, atom.growth.factor))
    if len(groups) > KERNELS:
        groups = _merged(groups)
    if len(groups) > KERNELS:
        raise TooLargeError
    for count in range(len(groups) + 1):
        for chosen in combinations(range(len(groups)), count):
            stacked = np.vstack([np.zeros((1, len(span))), *(groups[k][0] for k in chosen)])
            basis = _kernel(stacked)
            total = sum(
                factor
                for matrix, factor in groups
                if np.max(np.abs(matrix @ basis.T), initial=0.0) > FULL
            )
            if len(basis) and total <= len(basis) * (1 + FULL):
                vector = basis[0] @ span
                vector = vector / np.max(np.abs(vector))
                return {j: float(vector[k]) for j, k in place.items() if abs(vector[k]) > FULL}
    return None


def _counts(row: Row, atom: Atom, rows: Sequence[Row], lifted: set[int]) -> bool:
    """Return whether a logarithm grows with a row whichever way it goes; one that falls counts."""
    return (
        atom.growth.factor < 0
        or any(_is_multiple(opposite(row), other) for other in atom.rows)
        or find_descent(rows, row, lifted) is None
    )


def _stack(rows: Sequence[Row], place: dict[int, int]) -> Matrix:
    matrix = np.zeros((len(rows), len(place)))
    for number, row in enumerate(rows):
        for j, c in row.items():
            if j in place:
                matrix[number, place[j]] = c
    return matrix


def _span(rows: Sequence[Row], members: Sequence[int], lifted: set[int]) -> Matrix:
    """Return an orthonormal basis of a space that holds the cone {d : row . d <= 0}.

    A row that no direction of the cone makes negative is 0 on all of it.
    """
    inside = set(members)
    own = [row for row in rows if row.keys() <= inside]
    if len(own) > ROWS:
        raise TooLargeError
    flat = [row for row in own if find_descent(rows, row, lifted) is None]
    return _kernel(np.vstack([np.zeros((1, len(members))), *_stack(flat, _places(members))]))


def _places(members: Sequence[int]) -> dict[int, int]:
    return {j: k for k, j in enumerate(members)}


def _merged(groups: list[tuple[Matrix, float]]) -> list[tuple[Matrix, float]]:
    """Return the groups with those of one kernel taken together."""
    found: list[tuple[Matrix, float]] = []
    for matrix, factor in groups:
        for number, (other, total) in enumerate(found):
            joint = np.linalg.matrix_rank(np.vstack([matrix, other]), tol=FULL)
            if (
                joint
                == np.linalg.matrix_rank(matrix, tol=FULL)
                == np.linalg.matrix_rank(other, tol=FULL)
            ):
                found[number] = (other, total + factor)
                break
        else:
            found.append((matrix, factor))
    return found


def _kernel(matrix: Matrix) -> Matrix:
    _, sigma, rows = np.linalg.svd(matrix)
    rank = int(np.sum(sigma > FULL * max(float(sigma[0]), 1.0))) if len(sigma) else 0
    return np.asarray(rows[rank:])


def _is_multiple(a: Row, b: Row) -> bool:
    if a.keys() != b.keys():
        return False
    ratios = [b[j] / a[j] for j in a]
    return min(ratios) > 0 and max(ratios) - min(ratios) <= FULL * max(ratios)
