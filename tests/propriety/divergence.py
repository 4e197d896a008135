"""Numerical evidence against a claim of propriety, for energies of any kind in few variables.

Looked for along sets whose volume is known: tubes and cones to infinity, cones to points, slabs
to planes, and, in two variables, boxes in the logarithms of the coordinates, which hold curves
such as x * y = 1. Nothing found proves nothing. All are followed over twenty octaves, so that even
a small power of the distance shows.
"""

import math
from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
from scipy.optimize import minimize

from tests.propriety.formulas import Array
from tests.propriety.fragment import Unknown

EnergyOf = Callable[[Array], Array]
"""Of the columns of an array of points."""

OCTAVES = np.arange(10, 31)

LEVEL = -0.01
"""Of a mass per octave, in nats: what falls less does not fall. Powers drawn are multiples of
1/4, which give steps of 0.17."""

NEAR = 0.05
"""The half width of a tube, and of a cone at distance 1."""

RADIUS = 20.0
"""Half the side of the box that is near."""

SAMPLES = 24
"""Points in the cross-section of a tube or cone."""


def find_divergence(energy: EnergyOf, unknowns: tuple[Unknown, ...]) -> str | None:
    """Return where the integral of exp(-E) has no limit, or None where no such set was found."""
    for label, logs in _log_masses(energy, len(unknowns)):
        for where in np.flatnonzero(_stays(logs)):
            return f"{label}, {where}: log masses {logs[where][::5]}"
    return None


def find_fall(energy: EnergyOf, unknowns: tuple[Unknown, ...]) -> str | None:
    """Return where E falls without bound, or None where no such ray was found."""
    for label, values in _ray_values(energy, len(unknowns)):
        kept = np.where(np.isfinite(values).all(1)[:, None], values, 0.0)
        first, second = kept[:, 0] - kept[:, 10], kept[:, 10] - kept[:, -1]
        # As fast as a logarithm, for what tends to a limit slows down; and at each octave, for
        # what swings does not.
        falls = (first > 0.5) & (second > 0.5) & (first < 4 * second)
        for where in np.flatnonzero(falls & (np.diff(kept) < 0).all(1)):
            return f"{label}, {where}: E {values[where][::5]}"
    return None


def find_far_level(energy: EnergyOf, unknowns: tuple[Unknown, ...]) -> float:
    """Return the least of E far from the origin, as far as rays tell."""
    return min(
        float(values.min())
        for label, values in _ray_values(energy, len(unknowns))
        if label.startswith("from")
    )


def is_finite_somewhere(energy: EnergyOf, unknowns: tuple[Unknown, ...]) -> bool:
    """Return whether E is below infinity at some point of a grid around the origin."""
    return bool(_cleared(energy(_grid(len(unknowns)))).min() < np.inf)


def find_lowest_nearby(energy: EnergyOf, unknowns: tuple[Unknown, ...]) -> tuple[float, Array]:
    """Return the least of E around the origin, and where: of a grid over a box, then refined."""
    points = _grid(len(unknowns))
    values = _cleared(energy(points))

    def at(point: Array) -> float:
        return float(_cleared(energy(point[:, None]))[0])

    # Some of the best, for the lowest of a grid may lie in another valley than the lowest of all.
    best = np.argsort(values)[:120:20]
    least, place = float(values[best[0]]), points[:, best[0]]
    for start in points[:, best].T:
        if np.isfinite(least):
            with np.errstate(invalid="ignore"):  # inf - inf, in its test of convergence
                found = minimize(at, start, method="Nelder-Mead", options={"maxfev": 400})
            if found.fun < least:
                least, place = float(found.fun), found.x
    return least, place


def _grid(size: int) -> Array:
    """Return points of a box around the origin, as columns; also 0, where a scale begins."""
    half = {1: 2000, 2: 200, 3: 40}[size]
    beside = [1e-4, 1e-8, 1e-12]
    axis = np.concatenate([RADIUS * np.arange(-half, half + 1) / half, beside])
    return np.stack([a.ravel() for a in np.meshgrid(*[axis] * size, indexing="ij")])


def _cleared(values: Array) -> Array:
    return np.where(np.isnan(values), np.inf, values)


def _stays(logs: Array) -> Array:
    """Return which rows of log masses, one for each octave, do not fall."""
    kept = np.isfinite(logs).all(1)
    safe = np.where(kept[:, None], logs, 0.0)
    first, second = (safe[:, 10] - safe[:, 0]) / 10, (safe[:, -1] - safe[:, 10]) / 10
    return kept & (first >= LEVEL) & (second >= LEVEL)


def _log_masses(energy: EnergyOf, size: int) -> Iterator[tuple[str, Array]]:
    """Yield lower bounds for the masses of sets in each octave, as far as samples tell.

    The mass of a piece of a tube or cone is at least its volume times the least of exp(-E) there.
    """
    octave = OCTAVES * math.log(2.0)
    far = 2.0 ** OCTAVES[:, None]
    # Axes: coordinate, direction, octave, sample.
    wobble = np.random.default_rng(size).uniform(-NEAR, NEAR, (size, 1, 1, SAMPLES))
    straight = _directions(size)[:, :, None, None]
    for start in _starts(size):
        origin = start[:, None, None, None]
        yield (
            f"tube from {start}",
            octave - _worst(energy, origin + straight * far + wobble),
        )
        yield (
            f"cone from {start}",
            size * octave - _worst(energy, origin + (straight + wobble) * far),
        )
    for point in _singular_points(size):
        origin = point[:, None, None, None]
        yield (
            f"cone to {point}",
            -size * octave - _worst(energy, origin + (straight + wobble) / far),
        )
        axes = np.concatenate([np.eye(size), -np.eye(size)])[:, :, None, None]
        across = np.where(axes == 0, wobble.transpose(1, 0, 2, 3), (axes + wobble[0] * axes) / far)
        yield f"slab to {point}", -octave - _worst(energy, origin + across.transpose(1, 0, 2, 3))
    if size == 2:
        yield "box of logarithms", _box_masses(energy)


def _worst(energy: EnergyOf, points: Array) -> Array:
    """Return the largest E over the samples, by direction and octave."""
    values = energy(points.reshape(len(points), -1)).reshape(points.shape[1:])
    return _cleared(values).max(axis=-1)


def _box_masses(energy: EnergyOf) -> Array:
    """Return the log masses in boxes of logarithms, for each quadrant: shells of the largest.

    A ridge such as x = y is thinner than the cells. Shifted against each other, grids do not all
    run along it; the least of their masses counts.
    """
    step = 0.25
    axis = np.arange(-OCTAVES[-1] - 1, OCTAVES[-1] + 1, step)
    found = []
    for shift in (0.03, 0.11, 0.19):
        first, second = (a.ravel() for a in np.meshgrid(axis + 0.01, axis + shift, indexing="ij"))
        shell = np.floor(np.maximum(np.abs(first), np.abs(second))).astype(int)
        rows = []
        for signs in product((1.0, -1.0), repeat=2):
            values = energy(np.stack([signs[0] * 2.0**first, signs[1] * 2.0**second]))
            logs = -_cleared(values) + (first + second) * math.log(2.0)
            rows.append([np.logaddexp.reduce(logs[shell == k]) for k in OCTAVES])
        found.append(rows)
    return np.min(np.asarray(found), axis=0)


def _ray_values(energy: EnergyOf, size: int) -> Iterator[tuple[str, Array]]:
    scale = 2.0**OCTAVES
    directions = _directions(size)[:, :, None]
    for start in _starts(size):
        yield f"from {start}", _along(energy, start[:, None, None] + directions * scale)
    for point in _singular_points(size):
        yield f"to {point}", _along(energy, point[:, None, None] + directions / scale)


def _along(energy: EnergyOf, points: Array) -> Array:
    return _cleared(energy(points.reshape(len(points), -1)).reshape(points.shape[1:]))


def _directions(size: int) -> Array:
    """Return whole-number directions, as columns, and a few between them."""
    reach = range(-2, 3) if size < 3 else range(-1, 2)
    whole = [d for d in product(reach, repeat=size) if any(d)]
    between = np.random.default_rng(9).normal(size=(8, size))
    return np.concatenate([np.asarray(whole, dtype=np.float64), between]).T


def _starts(size: int) -> Iterator[Array]:
    """Yield points from which tubes go out."""
    rng = np.random.default_rng(7)
    yield np.full(size, 0.01)
    for _ in range(12):
        yield rng.normal(size=size) * 1.5


def _singular_points(size: int) -> Iterator[Array]:
    """Yield points where E may have a pole: a scale at 0, the rest at a likely place."""
    yield np.zeros(size)
    if size > 1:
        for axis, place in product(range(size), (-2.0, -1.0, 1.0, 2.0)):
            point = np.full(size, place)
            point[axis] = 0.0
            yield point
