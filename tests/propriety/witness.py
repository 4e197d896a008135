"""Whether a direction shows what it is said to show, by the values of E along it."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ebmlang.analysis.verdict import Direction, Question
from ebmlang.api.model import Model
from ebmlang.lower.reference import evaluate
from tests.propriety.formulas import Array
from tests.propriety.fragment import Unknown

Point = Mapping[str, Array]
EnergyAt = Callable[[Point], float]
"""E of a point: inf outside the domains, or where something required does not hold."""

REACHES = ((3.0, 8.0), (0.5, 2.0))
"""Between which powers of 10 a direction is followed; by the second where exp(t) is beyond what
floats hold. What happens before shows nothing."""

SAMPLES, MIDDLE = 43, 18
"""How many points on the way; and after how many of them it is far out."""

SLACK = 0.1
"""How much more E may be far out than nearer by, but for what it swings [nats]."""

TRIES, NEIGHBOURS, WIDTH = 64, 6, 1e-3
"""Points beside the direction; of those tried, some lie in the domain even at a corner of it."""


def require_witness(question: Question, direction: Direction | None, energy_at: EnergyAt) -> None:
    """Fail where E along a direction is not as an improper verdict claims."""
    assert direction is not None, "improper without a direction"
    assert any(np.any(rates != 0) for rates in direction.rates.values()), "nothing moves"
    for reach in REACHES:
        times = _times(direction, reach)
        values = [energy_at(point) for point in _points(direction, times)]
        if not any(math.isnan(value) or value == math.inf for value in values):
            break
    _require_level(values, times, direction, "along the direction")
    if question is not Question.INTEGRABLE:
        falls = _is_far_below(values[-1], min(values[0] - 1, values[MIDDLE] - SLACK))
        assert falls or question is Question.HAS_MINIMIZER, f"E does not fall for ever: {values}"
        rises = [b > a + 1e-9 * (1 + abs(b)) for a, b in pairwise(values)]
        assert falls or not any(rises), f"E rises: {values}"
        return
    rate, volume = direction.log_rate, direction.dimensions
    if math.isfinite(rate):
        assert rate >= volume if direction.towards_zero else rate <= volume, (rate, volume)
    beside = 0
    for shift in _shifts(direction):
        near = [energy_at(point) for point in _points(direction, times, shift)]
        if near[0] < math.inf:
            beside += 1
            _require_level(near, times, direction, "beside the direction")
        if beside == NEIGHBOURS:
            return
    assert beside, "no neighbourhood of the direction lies in the domain"


def _require_level(
    values: list[float], times: list[float], direction: Direction, place: str
) -> None:
    """Fail where E - log_rate * log(t) does not stay bounded above."""
    assert not any(math.isnan(value) or value == math.inf for value in values), (place, values)
    if not math.isfinite(direction.log_rate):
        assert _is_far_below(values[-1], values[0] - 1), f"{place} E does not fall: {values}"
        return
    levels = [v - direction.log_rate * math.log(t) for v, t in zip(values, times, strict=True)]
    near, far = levels[:MIDDLE], levels[MIDDLE:]
    assert max(far) <= 2 * max(near) - min(near) + SLACK, f"{place} E grows: {values}"


def _is_far_below(value: float, level: float) -> bool:
    return value == -math.inf or value < level


def _times(direction: Direction, reach: tuple[float, float]) -> list[float]:
    exponents = np.linspace(*reach, SAMPLES)
    return [float(10.0**k) for k in (-exponents if direction.towards_zero else exponents)]


def _points(
    direction: Direction, times: list[float], shift: Point | None = None
) -> Iterator[Point]:
    for t in times:
        yield {
            path: start
            + t * np.asarray(direction.rates.get(path, 0.0))
            + (0.0 if shift is None else _reach(direction, path, t) * shift[path])
            for path, start in direction.start.items()
        }


def _reach(direction: Direction, path: str, t: float) -> Array:
    """Return how wide the neighbourhood is at t: of a cone to a point, in proportion to t.

    Where only one dimension belongs to that cone, what does not move keeps its room.
    """
    rates = np.asarray(direction.rates.get(path, 0.0))
    if not direction.towards_zero:
        return np.ones_like(rates)
    narrow = np.full_like(rates, t)
    return narrow if direction.dimensions > 1 else np.where(rates != 0, narrow, 1.0)


def _shifts(direction: Direction) -> Iterator[Point]:
    rng = np.random.default_rng(3)
    for _ in range(TRIES):
        yield {
            path: rng.uniform(-WIDTH, WIDTH, np.shape(start))
            for path, start in direction.start.items()
        }


# --- energies ------------------------------------------------------------------------


def energy_of_columns(energy: Callable[[Array], Array], unknowns: tuple[Unknown, ...]) -> EnergyAt:
    """Return E of a point by path, from one of columns; `v[1]` is an element of `v`."""

    def energy_at(point: Point) -> float:
        column = [_element(point, unknown.name) for unknown in unknowns]
        return float(energy(np.asarray(column, dtype=np.float64)[:, None])[0])

    return energy_at


def _element(point: Point, name: str) -> float:
    path, _, place = name.partition("[")
    value = np.asarray(point[path])
    return float(value[int(place.rstrip("]"))] if place else value)


@dataclass(frozen=True, slots=True)
class Oracle:
    """E of a model, by the interpreter of its program, in its domains."""

    model: Model
    data: Mapping[str, Any]
    """Any: whatever NumPy reads as an array."""

    def sizes(self) -> dict[str, int]:
        """Return the sizes that the data binds."""
        return {
            dim: size
            for given in self.model.interface()["inputs"]
            for dim, size in zip(given["shape"], np.shape(self.data[given["path"]]), strict=True)
            if isinstance(dim, str)
        }

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the variables by path."""
        sizes = self.sizes()
        return {
            variable["path"]: tuple(sizes.get(dim, dim) for dim in variable["shape"])
            for variable in self.model.interface()["variables"]
        }

    def __call__(self, point: Point) -> float:
        arrays = {name: np.asarray(value) for name, value in self.data.items()}
        if not all(
            _is_inside(variable, np.asarray(point[variable["path"]]))
            for variable in self.model.interface()["variables"]
        ):
            return math.inf
        found = evaluate(self.model.program, point=point, data=arrays, sizes=self.sizes())
        return found.total if found.feasible else math.inf


def _is_inside(variable: Mapping[str, Any], value: Array) -> bool:
    """Any: the description of a variable in the interface of a model."""
    if variable["domain"] == "positive":
        return bool(np.all(value > 0))
    if variable["domain"] == "ordered":
        return bool(np.all(np.diff(value) > 0))
    assert variable["domain"] == "real", variable
    lower, upper = (variable[side] for side in ("lower", "upper"))
    return (lower is None or bool(np.all(value >= float(lower)))) and (
        upper is None or bool(np.all(value <= float(upper)))
    )
