"""Which quantities of a spec have a shape that can be drawn, and as what.

A quantity whose name ends in `_path` is a curve, through points in the plane, `[..., n, 2]`, or
over its own places, `[n]`. Any other of shape `[n, 2]` or `[n, 3]` is n points. Where the first
coordinates of a curve are an axis, the same at all designs and always growing, it is the graph of
a function.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
"""Any: floats, or counts."""

PATH = "path"
"""What the name of a curve ends in, after an underscore or as a whole."""

EVEN = 1e-6
"""How far steps along an axis may differ, relative to their mean, for one curve to be a graph."""


class Form(Enum):
    """How a quantity is drawn."""

    GRAPH = "graph"
    """Second coordinate over the first; the two have units of their own."""
    CURVE = "curve"
    """A line in the plane."""
    POINTS = "points"
    """Points in the plane."""
    SPACE = "space"
    """Points in space."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shape:
    """A quantity that can be drawn.

    Attributes:
        name: Of the quantity.
        form: How it is drawn.
        lines: `[point, line, n, 2]`, of points in space `[point, 1, n, 3]`: at each design or draw,
            one or several lines.
    """

    name: str
    form: Form
    lines: NDArray[np.float64]


def is_path(name: str) -> bool:
    """Whether the name of a quantity says that it is a curve.

    >>> is_path("hand_path"), is_path("arm.path"), is_path("pathos")
    (True, True, False)
    """
    last = name.rpartition(".")[2]
    return last == PATH or last.endswith(f"_{PATH}")


def find_shapes(
    variables: Mapping[str, Array], reports: Mapping[str, Array], wanted: Iterable[str] = ()
) -> tuple[Shape, ...]:
    """Return what can be drawn, in the order of the spec.

    Variables are drawn where no report is, or where they are asked for: they are what is searched,
    and reports what a spec has to say of it.

    Args:
        variables: By path, `[point, ...]`.
        reports: Likewise.
        wanted: Names of those to draw; all that have a shape if there are none.

    >>> lamp = np.zeros((5, 2))
    >>> [shape.form.value for shape in find_shapes({"lamp": lamp}, {})]
    ['points']
    """
    names = set(wanted)
    if names:
        both = {**variables, **reports}
        chosen = {name: values for name, values in both.items() if name in names}
        return tuple(_read_shapes(chosen))
    found = tuple(_read_shapes(reports))
    single = {name: values for name, values in variables.items() if values.shape[1:] == (2,)}
    return found or tuple(_read_shapes({**variables, **_as_points(single)}))


def _as_points(pairs: Mapping[str, Array]) -> dict[str, Array]:
    """Return pairs of numbers as single points: among unknowns that is what most pairs are."""
    return {name: values[:, None] for name, values in pairs.items()}


def may_have_shape(name: str, shape: tuple[int, ...]) -> bool:
    """Whether a quantity of this name and shape may be drawn, whatever its values are."""
    pair = shape == (2,)
    return is_path(name) or pair or (len(shape) == 2 and shape[-1] in (2, 3))


def _read_shapes(quantities: Mapping[str, Array]) -> Iterable[Shape]:
    for name, values in quantities.items():
        shape = _read_shape(name, np.asarray(values, dtype=np.float64))
        # What is nowhere finite leaves no trace.
        if shape is not None and np.isfinite(shape.lines).any():
            yield shape


def _read_shape(name: str, values: NDArray[np.float64]) -> Shape | None:
    if values.size == 0 or values.ndim < 2:
        return None
    count, *shape = values.shape
    if is_path(name):
        if len(shape) == 1 and shape[0] > 1:
            places = np.broadcast_to(np.arange(shape[0], dtype=np.float64), values.shape)
            lines = np.stack([places, values], axis=-1)[:, None]
            return Shape(name=name, form=Form.GRAPH, lines=lines)
        if len(shape) >= 2 and shape[-1] == 2 and shape[-2] > 1:
            lines = values.reshape(count, -1, shape[-2], 2)
            form = Form.GRAPH if _has_axis(lines) else Form.CURVE
            return Shape(name=name, form=form, lines=lines)
        return None
    if len(shape) == 2 and shape[-1] in (2, 3):
        form = Form.POINTS if shape[-1] == 2 else Form.SPACE
        return Shape(name=name, form=form, lines=values[:, None])
    return None


def _has_axis(lines: NDArray[np.float64]) -> bool:
    """Whether the first coordinates are an axis: growing, and the same for all lines.

    A single line in the plane may grow by chance, but not in even steps.
    """
    first = lines[..., 0].reshape(-1, lines.shape[2])
    steps = np.diff(first[0])
    if not (steps > 0).all() or not (first == first[0]).all():
        return False
    return len(first) > 1 or bool(np.ptp(steps) <= EVEN * steps.mean())
