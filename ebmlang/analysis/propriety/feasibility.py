"""Whether walls leave any point: an alternative that no point can take is none."""

import math

import numpy as np

from ebmlang.analysis.affine import AffineForms
from ebmlang.analysis.propriety.cone import ENTRIES
from ebmlang.analysis.propriety.lower_bound import Conjunction

ROOM = 1e-6
"""By how much walls have to miss each other, relative to their numbers: more than rounding."""


def is_empty(part: Conjunction, forms: AffineForms) -> bool:
    """Return whether no point of the domain lies inside the straight walls of a conjunction.

    By a linear program for the least t with row . x + least <= t for all walls.
    """
    walls = [
        atom.inside
        for atom in part.atoms
        if atom.inside is not None and atom.inside.row and math.isfinite(atom.inside.low)
    ]
    members = sorted({j for wall in walls for j in wall.row})
    if not walls or len(walls) * len(members) > ENTRIES:
        return False
    # Most specs hold where nothing is asked of a coordinate but its bounds, and that is seen
    # without a linear program, whose import takes half a second.
    near = {
        j: min(max(0.0, forms.coordinates[j].lower), forms.coordinates[j].upper) for j in members
    }
    if all(wall.low + sum(c * near[j] for j, c in wall.row.items()) <= 0 for wall in walls):
        return False
    from scipy.optimize import linprog

    place = {j: k for k, j in enumerate(members)}
    matrix = np.zeros((len(walls), len(members) + 1))
    offsets = np.zeros(len(walls))
    for number, wall in enumerate(walls):
        length = math.sqrt(sum(c * c for c in wall.row.values()))
        for j, c in wall.row.items():
            matrix[number, place[j]] = c / length
        matrix[number, -1] = -1.0
        offsets[number] = wall.low / length
    ends = [(forms.coordinates[j].lower, forms.coordinates[j].upper) for j in members]
    bounds = [tuple(end if math.isfinite(end) else None for end in pair) for pair in ends]
    result = linprog(
        np.array([0.0] * len(members) + [1.0]),
        A_ub=matrix,
        b_ub=-offsets,
        bounds=[*bounds, (0.0, None)],
        method="highs",
    )
    room = ROOM * (1 + float(np.max(np.abs(offsets))))
    return bool(result.status == 0 and result.fun > room)
