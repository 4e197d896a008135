"""Sums of squares of which some are subtracted: whether they can fall, and where they grow."""

from collections.abc import Sequence

import numpy as np

from ebmlang.analysis.affine import Row, TooLargeError
from ebmlang.analysis.propriety.cone import FULL, NULL, PART, UnclearError, Vector


def range_rows(
    squares: Sequence[tuple[Row, float]], coordinates: frozenset[int]
) -> tuple[list[Row], Vector | None]:
    """Return rows of which the sum of factor * (row . x)^2 is a sum of squares, if it is one.

    Args:
        squares: Rows and factors.
        coordinates: Those that count.

    Returns:
        The rows, and a direction in which the sum falls, in which case there are none.

    Raises:
        UnclearError: An eigenvalue is neither surely 0 nor surely not.
        TooLargeError: There are too many coordinates.
    """
    members = sorted({j for row, _ in squares for j in row if j in coordinates})
    if len(members) > PART:
        raise TooLargeError
    place = {j: k for k, j in enumerate(members)}
    rows = np.zeros((len(squares), len(members)))
    for number, (row, _) in enumerate(squares):
        for j, c in row.items():
            if j in place:
                rows[number, place[j]] = c
    factors = np.array([factor for _, factor in squares])
    form = rows.T @ (factors[:, None] * rows)
    size = float(np.max(np.abs(rows.T) @ (np.abs(factors)[:, None] * np.abs(rows)), initial=0.0))
    values, vectors = np.linalg.eigh(form)
    if np.any((np.abs(values) > NULL * size * len(members)) & (np.abs(values) < FULL * size)):
        raise UnclearError
    if len(values) and values[0] < -FULL * size:
        lowest = vectors[:, 0] / np.max(np.abs(vectors[:, 0]))
        return [], {j: float(v) for j, v in zip(members, lowest, strict=True) if abs(v) > FULL}
    found = [vectors[:, k] for k in range(len(values)) if values[k] > FULL * size]
    return [
        {j: float(v) for j, v in zip(members, vector, strict=True) if abs(v) > NULL}
        for vector in found
    ], None
