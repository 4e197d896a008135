"""Whether walls leave any point: an alternative that no point can take is none."""

import math

import numpy as np

from ebmlang.analysis.growth import WALL
from ebmlang.analysis.propriety.cone import ENTRIES
from ebmlang.analysis.propriety.lower_bound import Conjunction

ROOM = 1e-6
"""By how much walls have to miss each other, relative to their numbers: more than rounding."""


def is_empty(part: Conjunction) -> bool:
    """Return whether no point lies inside the straight walls of a conjunction.

    By a linear program for the least t with row . x + offset <= t for all walls.
    """
    walls = [
        (atom.rows[0], atom.least)
        for atom in part.atoms
        if atom.growth == WALL and len(atom.rows) == 1 and math.isfinite(atom.least)
    ]
    members = sorted({j for row, _ in walls for j in row})
    if not walls or len(walls) * len(members) > ENTRIES:
        return False
    from scipy.optimize import linprog

    place = {j: k for k, j in enumerate(members)}
    matrix = np.zeros((len(walls), len(members) + 1))
    for number, (row, _) in enumerate(walls):
        length = math.sqrt(sum(c * c for c in row.values()))
        for j, c in row.items():
            matrix[number, place[j]] = c / length
        matrix[number, -1] = -1.0
    offsets = np.array(
        [least / math.sqrt(sum(c * c for c in row.values())) for row, least in walls]
    )
    result = linprog(
        np.array([0.0] * len(members) + [1.0]),
        A_ub=matrix,
        b_ub=-offsets,
        bounds=[(None, None)] * len(members) + [(0.0, None)],
        method="highs",
    )
    room = ROOM * (1 + float(np.max(np.abs(offsets))))
    return bool(result.status == 0 and result.fun > room)
