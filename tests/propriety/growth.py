"""How the integral of exp(-E) grows, by numbers alone.

For specs of the exact fragment the energy goes, at a distance from all its kinks, along every
direction either like a line of slope at least about 1/8, or faster, or not at all. So boxes of
moderate size tell, and so do rays.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations

import numpy as np

from tests.propriety.elimination import row
from tests.propriety.formulas import Array, Branch
from tests.propriety.fragment import Sketch

STEP = 1 / 4
"""Of the grid; tolerances and scales are at least 1/2."""

RADIUS = {1: 1024.0, 2: 64.0}
"""Half the side of the largest box, by dimension."""

STARTS = 400
"""How many rays in each direction; some begin where what is required holds."""

FAR = (1e4, 2e4)
"""Where along a ray its growth is looked at: far beyond the kinks."""


def shell_ratio(sketch: Sketch) -> float:
    """Return the mass of exp(-E) in the outermost shell of a box, over that in the next inner.

    Each shell is twice the size of the next. Above 1 where the integral grows with the box: a
    tube along which E is bounded gives 2. Far below 1 where it does not. For one or two variables.
    """
    size = len(sketch.unknowns)
    radius = RADIUS[size]
    axis = np.arange(-radius + STEP / 2, radius, STEP)
    points = np.stack([a.ravel() for a in np.meshgrid(*[axis] * size, indexing="ij")])
    distance = np.abs(points).max(axis=0)
    logs = -sketch.energy(points)
    outer = logs[distance > radius / 2]
    inner = logs[(distance > radius / 4) & (distance <= radius / 2)]
    top = max(outer.max(), inner.max())
    if top == -np.inf:
        return 0.0
    masses = [np.exp(part - top).sum() for part in (outer, inner)]
    return float(masses[0] / masses[1]) if masses[1] else np.inf


def slopes_along_rays(sketch: Sketch, seed: int = 0) -> Array:
    """Return how fast E grows far out, for each direction of the arrangement the least over rays.

    The directions are those in which the kinks of E meet in lines: where E is linear between
    kinks, a direction without growth implies such a one.
    """
    rng = np.random.default_rng(seed)
    size = len(sketch.unknowns)
    starts = rng.normal(size=(size, STARTS)) * rng.choice([1.0, 4.0, 16.0], STARTS)
    found = []
    for direction in sorted(set(_directions(sketch.branches(), size))):
        d = np.asarray(direction, dtype=np.float64)[:, None]
        near, far = (sketch.energy(starts + t * d) for t in FAR)
        # Where E is inf, the ray leaves the domain, or never was in it.
        inside = np.isfinite(near) & np.isfinite(far)
        slopes = (far[inside] - near[inside]) / (FAR[1] - FAR[0])
        found.append(slopes.min(initial=np.inf))
    return np.asarray(found)


def _directions(branches: list[Branch], size: int) -> Iterator[tuple[int, ...]]:
    normals = {atom.argument.slopes for branch in branches for atom in branch}
    normals |= {tuple(int(i == j) for j in range(size)) for i in range(size)}
    flats = {row(normal).slopes for normal in normals if any(normal)}
    # A plane and its mirror image are one.
    flats = {max(flat, tuple(-s for s in flat)) for flat in flats}
    for chosen in combinations(sorted(flats), size - 1):
        null = _null_vector(chosen, size)
        if null is not None:
            yield null
            yield tuple(-number for number in null)


def _null_vector(rows: tuple[tuple[int, ...], ...], size: int) -> tuple[int, ...] | None:
    """Return what spans the null space of size - 1 rows, by minors; None where that is larger."""
    minors = []
    for i in range(size):
        rest = [[Fraction(r[j]) for j in range(size) if j != i] for r in rows]
        minors.append((-1) ** i * _determinant(rest))
    return row(minors).slopes if any(minors) else None


def _determinant(matrix: list[list[Fraction]]) -> Fraction:
    if not matrix:
        return Fraction(1)
    return sum(
        (
            (-1) ** j * first * _determinant([[*r[:j], *r[j + 1 :]] for r in matrix[1:]])
            for j, first in enumerate(matrix[0])
            if first
        ),
        Fraction(0),
    )
