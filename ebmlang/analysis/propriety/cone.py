"""Whether a cone {d : row . d <= 0 for all rows} holds more than the point 0.

First by hand: a row about a single coordinate gives its sign, and a row of terms that cannot be
negative makes each of them 0. What is left falls into independent parts; in each, the rank says
whether the cone holds a line, and one linear program whether it holds a ray.

Sources: Rockafellar, Convex Analysis, section 8 (recession cones); Stiemke (1915), Über positive
Lösungen homogener linearer Gleichungen: a pointed cone is {0} exactly where a positive combination
of its rows vanishes, which is the dual of the linear program.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ebmlang.analysis.affine import Row, TooLargeError

Vector: TypeAlias = dict[int, float]
"""A direction: coordinate to rate; what is missing is 0."""

Matrix: TypeAlias = NDArray[np.float64]

FULL = 1e-9
"""A singular value above this, relative to the largest, counts as not 0."""

NULL = 1e-13
"""One below this counts as 0; between the two nothing is said."""

PART = 1_200
"""Most coordinates in one part that has to be taken as a matrix; bounds time and memory."""

ENTRIES = 20_000_000
"""Most entries of such a matrix."""


class UnclearError(Exception):
    """Rounding makes it impossible to say: the rows are nearly dependent."""


@dataclass(slots=True)
class _Signs:
    """What is known of the sign of each coordinate of a direction."""

    no_more: set[int] = field(default_factory=set)
    """Those that are at most 0."""
    no_less: set[int] = field(default_factory=set)

    def fixed(self, j: int) -> bool:
        """Return whether a coordinate is 0."""
        return j in self.no_more and j in self.no_less


def find_direction(rows: Iterable[Row], coordinates: Iterable[int]) -> Vector | None:
    """Return a direction other than 0 with row . d <= 0 for all rows; None if there is none.

    Args:
        rows: About any coordinates; those that are not among `coordinates` count as 0.
        coordinates: Those that a direction may move.

    Raises:
        UnclearError: The rows are so nearly dependent that rounding decides.
        TooLargeError: A part is too large to be taken as a matrix.
    """
    allowed = set(coordinates)
    cut = [{j: c for j, c in row.items() if j in allowed} for row in rows]
    signs = _propagate(cut)
    free = sorted(j for j in allowed if not signs.fixed(j))
    if not free:
        return None
    left = _reduced(cut, signs)
    parts = independent_parts(left, free)
    pending: list[tuple[list[int], Matrix]] = []
    for part in parts:
        members, own = part
        if not own:
            return {members[0]: -1.0 if members[0] in signs.no_more else 1.0}
        matrix = _matrix(own, members, signs)
        null = null_vector(matrix)
        if null is not None:
            return _as_vector(null, members)
        if not _is_symmetric(matrix):
            pending.append((members, matrix))
    return _find_ray(pending) if pending else None


def find_descent(rows: Iterable[Row], target: Row, coordinates: Iterable[int]) -> Vector | None:
    """Return a direction with row . d <= 0 for all rows and target . d < 0; None if there is none.

    By Farkas' lemma there is none exactly where minus the target is a nonnegative combination of
    the rows.

    Raises:
        TooLargeError: The part that the target is in is too large to be taken as a matrix.
    """
    allowed = set(coordinates)
    cut = [{j: c for j, c in row.items() if j in allowed} for row in rows]
    signs = _propagate(cut)
    goal = {j: c for j, c in target.items() if j in allowed and not signs.fixed(j)}
    if not goal:
        return None
    if all(j in (signs.no_less if c > 0 else signs.no_more) for j, c in goal.items()):
        return None
    free = sorted(j for j in allowed if not signs.fixed(j))
    parts = independent_parts([*_reduced(cut, signs), goal], free)
    members, own = next(part for part in parts if any(row is goal for row in part[1]))
    others = [row for row in own if row is not goal]
    matrix = _matrix(others, members, signs)
    place = {j: k for k, j in enumerate(members)}
    objective = np.zeros(len(members))
    for j, c in goal.items():
        objective[place[j]] = c
    objective /= np.linalg.norm(objective)
    found = _minimize(objective, matrix)
    return None if found is None else _as_vector(found, members)


# --- by hand -------------------------------------------------------------------------


def _propagate(rows: Sequence[Row]) -> _Signs:
    signs = _Signs()
    of: dict[int, list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        for j in row:
            of[j].append(number)
    queue = deque(range(len(rows)))
    queued = set(queue)
    while queue:
        number = queue.popleft()
        queued.discard(number)
        row = {j: c for j, c in rows[number].items() if not signs.fixed(j)}
        # Terms c * d_j that may be negative: with none, all are 0; with one, that is not positive.
        loose = [j for j, c in row.items() if j not in (signs.no_less if c > 0 else signs.no_more)]
        if not loose:
            changed = [j for j in row if _note(signs, j, 0.0)]
        elif len(loose) == 1:
            # c_k d_k <= -(the others) <= 0.
            changed = [j for j in loose if _note(signs, j, row[j])]
        else:
            changed = []
        for j in changed:
            for other in of[j]:
                if other not in queued:
                    queued.add(other)
                    queue.append(other)
    return signs


def _note(signs: _Signs, j: int, coefficient: float) -> bool:
    """Note that coefficient * d_j <= 0, or d_j = 0 for a coefficient of 0; whether it is news."""
    before = (j in signs.no_more, j in signs.no_less)
    if coefficient >= 0:
        signs.no_more.add(j)
    if coefficient <= 0:
        signs.no_less.add(j)
    return before != (j in signs.no_more, j in signs.no_less)


def _reduced(rows: Sequence[Row], signs: _Signs) -> list[Row]:
    """Return the rows without coordinates that are 0; those about a single one are in the signs."""
    left = [{j: c for j, c in row.items() if not signs.fixed(j)} for row in rows]
    return [row for row in left if len(row) > 1]


def independent_parts(
    rows: Sequence[Row], free: Sequence[int]
) -> list[tuple[list[int], list[Row]]]:
    """Return the independent parts: their coordinates, and the rows about them."""
    parent = {j: j for j in free}

    def find(j: int) -> int:
        while parent[j] != j:
            parent[j] = parent[parent[j]]
            j = parent[j]
        return j

    for row in rows:
        first, *others = row
        for j in others:
            parent[find(j)] = find(first)
    members: dict[int, list[int]] = defaultdict(list)
    own: dict[int, list[Row]] = defaultdict(list)
    for j in free:
        members[find(j)].append(j)
    for row in rows:
        own[find(next(iter(row)))].append(row)
    return [(members[j], own[j]) for j in members]


# --- as matrices ---------------------------------------------------------------------


def _matrix(rows: Sequence[Row], members: Sequence[int], signs: _Signs) -> Matrix:
    """Return rows, the known signs among them, as a matrix of rows of length 1, each once."""
    if len(members) > PART or len(members) * len(rows) > ENTRIES:
        raise TooLargeError
    place = {j: k for k, j in enumerate(members)}
    signed = [
        *({j: 1.0} for j in members if j in signs.no_more),
        *({j: -1.0} for j in members if j in signs.no_less),
    ]
    matrix = np.zeros((len(rows) + len(signed), len(members)))
    for number, row in enumerate([*rows, *signed]):
        for j, c in row.items():
            matrix[number, place[j]] = c
    if len(matrix):
        matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
        matrix = np.unique(np.round(matrix, 14), axis=0)
    return matrix


def _is_symmetric(matrix: Matrix) -> bool:
    """Return whether minus each row is a row too, so that all of them are equations."""
    mirrored = np.unique(np.round(-matrix, 14) + 0.0, axis=0)
    return matrix.shape == mirrored.shape and bool(np.all(matrix + 0.0 == mirrored))


def null_vector(matrix: Matrix) -> Matrix | None:
    """Return a vector that a matrix maps to 0, in few and whole numbers; None if it has full rank.

    Raises:
        UnclearError: It is too near to a matrix of lower rank.
    """
    size = matrix.shape[1]
    sigma = np.linalg.svd(matrix, compute_uv=False)
    top = float(sigma[0]) if len(sigma) else 0.0
    if top == 0:
        return np.asarray(np.eye(size)[0])
    if np.any((sigma > NULL * top) & (sigma < FULL * top)):
        raise UnclearError
    rank = int(np.sum(sigma >= FULL * top))
    if rank == size:
        return None
    return null_basis(matrix, rank)[0]


def null_basis(matrix: Matrix, rank: int) -> list[Matrix]:
    """Return vectors that span the null space, by reduction to row echelon form."""
    work, pivots = matrix.copy(), []
    row = 0
    for column in range(work.shape[1]):
        if row == min(rank, len(work)):
            break
        best = row + int(np.argmax(np.abs(work[row:, column])))
        if abs(work[best, column]) < FULL:
            continue
        work[[row, best]] = work[[best, row]]
        work[row] /= work[row, column]
        for other in range(len(work)):
            if other != row:
                work[other] -= work[other, column] * work[row]
        pivots.append(column)
        row += 1
    basis: list[Matrix] = []
    for column in range(work.shape[1]):
        if column not in pivots:
            vector = np.zeros(work.shape[1])
            vector[column] = 1.0
            for number, pivot in enumerate(pivots):
                vector[pivot] = -work[number, column]
            basis.append(vector)
    return sorted(basis, key=np.count_nonzero)


def _find_ray(parts: list[tuple[list[int], Matrix]]) -> Vector | None:
    """Return a ray of the product of pointed cones: one linear program for all of them.

    It maximizes the sum of slacks s = -row . d, each at most 1. Of a cone, either all are 0, or
    some reach 1: there is nothing between.
    """
    from scipy.optimize import linprog
    from scipy.sparse import block_diag, eye_array, hstack

    rows = sum(len(matrix) for _, matrix in parts)
    columns = sum(len(members) for members, _ in parts)
    blocks = block_diag([matrix for _, matrix in parts], format="csr")
    result = linprog(
        np.concatenate([np.zeros(columns), -np.ones(rows)]),
        A_eq=hstack([blocks, eye_array(rows)], format="csr"),
        b_eq=np.zeros(rows),
        bounds=[(None, None)] * columns + [(0.0, 1.0)] * rows,
        method="highs",
    )
    if result.status != 0:
        raise UnclearError
    if -result.fun < 0.5:
        return None
    members = [j for part, _ in parts for j in part]
    return _as_vector(result.x[:columns], members)


def _minimize(objective: Matrix, matrix: Matrix) -> Matrix | None:
    """Return a d with matrix @ d <= 0 and objective @ d <= -1, in which it is least; or None."""
    if (np.count_nonzero(matrix, axis=1) <= 1).all():
        return _minimize_by_signs(objective, matrix)
    from scipy.optimize import linprog

    size = len(objective)
    result = linprog(
        np.concatenate([np.zeros(size), [-1.0]]),
        A_ub=np.hstack([matrix, np.zeros((len(matrix), 1))]) if len(matrix) else None,
        b_ub=np.zeros(len(matrix)) if len(matrix) else None,
        A_eq=np.concatenate([objective, [1.0]])[None, :],
        b_eq=[0.0],
        bounds=[(None, None)] * size + [(0.0, 1.0)],
        method="highs",
    )
    if result.status != 0:
        raise UnclearError
    return np.asarray(result.x[:size]) if -result.fun > 0.5 else None


def _minimize_by_signs(objective: Matrix, matrix: Matrix) -> Matrix | None:
    """Return such a d where each row asks for the sign of one coordinate: one moves, or none may.

    Most specs ask for no more, and to import linear programs takes half a second.
    """
    up, down = (matrix <= 0).all(0), (matrix >= 0).all(0)
    falls = np.where(((objective < 0) & up) | ((objective > 0) & down), np.abs(objective), 0.0)
    steepest = int(np.argmax(falls))
    if falls[steepest] == 0:
        return None
    found = np.zeros(len(objective))
    found[steepest] = -1 / objective[steepest]
    return found


def _as_vector(values: Matrix, members: Sequence[int]) -> Vector:
    """Return a direction in readable numbers: the largest is 1, and what is nearly 0 is."""
    top = float(np.max(np.abs(values)))
    scaled = values / top
    near = np.round(scaled * _WHOLE) / _WHOLE
    clean = np.where(np.abs(scaled - near) < 1e-9, near, scaled)
    return {j: float(v) for j, v in zip(members, clean, strict=True) if v != 0}


_WHOLE = 5040
"""Rates are read as fractions with this denominator where they are that near to one: 7!."""
