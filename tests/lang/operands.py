"""Random operands for every operator: numbers of all sizes, ties, zeros, and matrices of note."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebmlang.lang.interval import Interval, limited
from ebmlang.lang.operator import Family, Operator, Options

Array = NDArray[Any]

GRID = np.array([-3.0, -2.0, -1.0, -0.5, 0.0, 0.0, 0.5, 1.0, 2.0, 3.0])
"""Where functions have corners, poles, zeros and ties."""

TRUTHS: Mapping[str, int] = {"where": 0, "to_int": 0}
"""Operand that is a truth value, by operator."""

ENERGIES = frozenset({"noisy_or"})
"""Operators of numbers that are never negative."""

INDICES: Mapping[str, int] = {"take": 1, "gather": 1, "scatter": 1}
"""Operand that is an index."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Shapes and options for one call of an operator, and which operands are no reals."""

    shapes: tuple[tuple[int, ...], ...]
    options: Options
    truth: int | None = None
    index: int | None = None
    length: int = 0
    """How many elements an index chooses from."""

    def is_real(self, position: int) -> bool:
        return position not in (self.truth, self.index)


def draw_setting(record: Operator, rng: np.random.Generator, *, count: int = 32) -> Setting:
    """Return shapes for an operator; an elementwise one gets `count` elements."""
    truth, index = TRUTHS.get(record.name), INDICES.get(record.name)
    match record.family:
        case Family.ELEMENTWISE:
            shapes: tuple[tuple[int, ...], ...] = ((count,),) * len(record.parameters)
            return Setting(shapes=shapes, options={}, truth=truth)
        case Family.REDUCTION:
            shape = (3, *rng.integers(1, 5, 2).tolist())
            axes = ((-1,), (-2,), (-2, -1))[rng.integers(3)]
            return Setting(shapes=(shape,), options={"axes": axes})
        case Family.CORE:
            assert record.core is not None
            sizes = {name: int(rng.integers(1, 4)) for name in "mnpk"} | {"3": 3}
            shapes = tuple((2, *(sizes[name] for name in own)) for own in record.core.operands)
            return Setting(shapes=shapes, options={})
        case Family.STRUCTURAL:
            shapes, options = _STRUCTURES[record.name](int(rng.integers(1, 4)))
            return Setting(shapes=shapes, options=options, index=index, length=3)


_STRUCTURES: Mapping[str, Callable[[int], tuple[tuple[tuple[int, ...], ...], Options]]] = {
    "reshape": lambda n: (((2, 2, n),), {"rank": 2, "shape": (n, 2)}),
    "expand": lambda n: (((1, n),), {"shape": (3, n)}),
    "stack": lambda n: (((2, n),) * 3, {"axis": -1}),
    "concat": lambda n: (((2, n),) * 3, {"axis": -2}),
    "take": lambda n: (((2, 3, n), (2,)), {"axis": -2}),
    "gather": lambda n: (((2, 3, n), (2,)), {"rank": 1}),
    "moveaxis": lambda n: (((2, 3, n),), {"source": -1, "target": -3}),
    "slice": lambda n: (((2, 3, n),), {"axis": -2, "start": 1, "stop": 3}),
    "scatter": lambda n: (((2, 4, n), (4,)), {"axis": -2, "size": 3}),
}


def draw_numbers(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Return numbers of very different sizes, many of them on the grid."""
    plain = rng.normal(size=shape) * 10.0 ** rng.uniform(-2, 1.5, shape)
    return np.where(rng.random(shape) < 0.35, rng.choice(GRID, shape), plain)


def draw_operands(record: Operator, setting: Setting, rng: np.random.Generator) -> list[Array]:
    """Return operands of a setting."""
    found = []
    for position, shape in enumerate(setting.shapes):
        if position == setting.truth:
            found.append(rng.random(shape) < 0.5)
        elif position == setting.index:
            found.append(rng.integers(0, setting.length, shape))
        elif record.family is Family.CORE:
            found.append(_draw_matrices(rng, shape))
        else:
            found.append(draw_numbers(rng, shape))
    return [np.abs(x) for x in found] if record.name in ENERGIES else found


def _draw_matrices(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Return matrices, often a rotation, definite, or close to singular."""
    plain = draw_numbers(rng, shape) if rng.random() < 0.5 else rng.normal(size=shape)
    if len(shape) < 3 or shape[-1] != shape[-2]:
        return plain
    n = shape[-1]
    match rng.integers(4):
        case 0:
            found = np.eye(n)[rng.permutation(n)] * rng.choice([-1.0, 1.0, 2.0], (n, 1))
        case 1:
            correlation = rng.choice([-1.0, 1.0]) * rng.choice([0.4, 0.999]) / max(n - 1, 1)
            found = np.where(np.eye(n) == 1, 1.0, correlation) * 4.0 ** rng.integers(-2, 3)
        case 2:
            factor = rng.normal(size=(n, n))
            found = factor @ factor.T + 0.1 * np.eye(n)
        case _:
            return plain
    return np.broadcast_to(found, shape).copy()


def evaluate(record: Operator, operands: list[Array], options: Options) -> Array | None:
    """Return an operator's value as float64; None where NumPy refuses (a singular matrix)."""
    with np.errstate(all="ignore"):
        try:
            return np.asarray(record.evaluate(*operands, **options), dtype=np.float64)
        except np.linalg.LinAlgError:
            return None


# --- intervals -----------------------------------------------------------------------


def draw_intervals(
    record: Operator, operands: list[Array], setting: Setting, rng: np.random.Generator
) -> list[Interval]:
    """Return intervals around operands: points, short ones, long ones, some without an end."""
    found = [
        _around(x, rng) if setting.is_real(position) else _discrete(x, setting, position, rng)
        for position, x in enumerate(operands)
    ]
    return [limited(x, 0.0) for x in found] if record.name in ENERGIES else found


def _around(x: Array, rng: np.random.Generator) -> Interval:
    ends = []
    for side in (-1.0, 1.0):
        reach = np.abs(draw_numbers(rng, x.shape)) * (rng.random(x.shape) < 0.7)
        # Ends on whole numbers are where sharp ranges are sharp.
        whole = np.floor if side < 0 else np.ceil
        end = x + side * reach
        end = np.where(rng.random(x.shape) < 0.4, whole(end), end)
        ends.append(np.where(rng.random(x.shape) < 0.08, side * np.inf, end))
    return Interval.make(*ends)


def _discrete(x: Array, setting: Setting, position: int, rng: np.random.Generator) -> Interval:
    if rng.random() < 0.6:
        return Interval.point(x)
    most = 1 if position == setting.truth else setting.length - 1
    return Interval.make(np.zeros(x.shape), np.full(x.shape, float(most)))


def draw_inside(
    intervals: list[Interval], setting: Setting, rng: np.random.Generator
) -> list[Array]:
    """Return operands that lie in intervals, often at their ends."""
    return [
        draw_point(x, rng)
        if setting.is_real(position)
        else _whole_inside(x, truth=position == setting.truth, rng=rng)
        for position, x in enumerate(intervals)
    ]


def draw_point(x: Interval, rng: np.random.Generator) -> Array:
    """Return finite numbers inside intervals."""
    far = 10.0 ** rng.uniform(-1, 3, x.shape)
    low = np.where(np.isfinite(x.lower), x.lower, np.minimum(x.upper, 0.0) - far)
    low = np.where(np.isfinite(low), low, -far)
    high = np.where(np.isfinite(x.upper), x.upper, np.maximum(low, 0.0) + far)
    share = rng.random(x.shape)
    plain = np.clip(low + share * (high - low), low, high)
    chosen = rng.integers(0, 6, x.shape)
    found = np.select([chosen == 0, chosen == 1], [low, high], plain)
    on_grid = rng.choice(GRID, x.shape)
    inside = (on_grid >= low) & (on_grid <= high) & (chosen == 2)
    return np.where(inside, on_grid, found)


def _whole_inside(x: Interval, *, truth: bool, rng: np.random.Generator) -> Array:
    found = rng.integers(x.lower.astype(np.int64), x.upper.astype(np.int64) + 1)
    return found.astype(np.bool_) if truth else found
