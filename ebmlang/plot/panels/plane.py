"""The spec's own geometry: curves and points in the plane, and graphs of functions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ebmlang.plot.canvas import shade, show_name
from ebmlang.plot.shapes import Form, Shape

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

STYLES = ("-", "--", "-.", ":")
"""Of curves, by quantity."""

MARKS = ("o", "s", "^", "D", "v", "P", "X")
"""Of points, by quantity."""

MANY_LINES = 3
"""Lines of one quantity above which they are faint but for the last: they show how it came."""

MOST_NAMED = 6
"""Quantities that are named in a legend."""

MOST_LINES = 200
"""Draws of a curve that are drawn."""

FAINT = 0.25
"""Opacity of lines that are one of many, at least."""


Limits = tuple[tuple[float, float], tuple[float, float]]
"""Of the first coordinate and of the second."""

SAME = 1e-9
"""Spread, relative to the coordinates, below which points are one."""

BORDER = 0.06
"""Around what is drawn, relative to its larger side."""


def find_limits(shapes: Sequence[Shape], count: int) -> Limits:
    """Return the limits of a plane that has room for some designs, the first ones.

    >>> lines = np.array([[[[0.0, 0.0], [100.0, 50.0]]]])
    >>> find_limits([Shape(name="leg", form=Form.CURVE, lines=lines)], 1)
    ((-6.0, 106.0), (-6.0, 56.0))
    """
    points = np.concatenate([shape.lines[:count].reshape(-1, 2) for shape in shapes])
    known = points[np.isfinite(points).all(axis=1)]
    if not len(known):
        # Later designs may be somewhere; these are nowhere.
        return (-1.0, 1.0), (-1.0, 1.0)
    low, high = known.min(axis=0), known.max(axis=0)
    size, span = float(np.abs(known).max()), float((high - low).max())
    # A single point has no size of its own: it is seen in that of its coordinates.
    border = BORDER * (span if span > SAME * size else max(size, 1.0))
    (left, bottom), (right, top) = (low - border).tolist(), (high + border).tolist()
    return (left, right), (bottom, top)


def draw_plane(
    axes: "Axes", shapes: Sequence[Shape], point: int, limits: Limits, title: str, *, named: bool
) -> None:
    """Draw the curves and points of one design in one plane.

    Args:
        axes: Where.
        shapes: What to draw.
        point: Which design.
        limits: Of the plane.
        title: Its name.
        named: Whether the quantities are named beside it.
    """
    for place, shape in enumerate(shapes):
        lines = shape.lines[point]
        color = shade(place, len(shapes))
        name = show_name(shape.name) if place < MOST_NAMED else None
        if shape.form is Form.POINTS:
            points = lines.reshape(-1, 2)
            mark = MARKS[place % len(MARKS)]
            axes.plot(points[:, 0], points[:, 1], mark, color=color, markersize=5, label=name)
            continue
        style = STYLES[place % len(STYLES)]
        for number, line in enumerate(lines):
            last = number == len(lines) - 1
            faint = len(lines) > MANY_LINES and not last
            axes.plot(
                line[:, 0],
                line[:, 1],
                # Short curves are made of links, whose ends are worth seeing.
                marker="." if line.shape[0] <= 12 and not faint else "",
                linestyle="-" if faint else style,
                color=color,
                linewidth=0.7 if faint else 1.5,
                alpha=FAINT + 0.3 * number / len(lines) if faint else 1.0,
                label=name if last else None,
            )
    axes.set_aspect("equal")
    axes.set(xlim=limits[0], ylim=limits[1], title=title)
    if named:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0)


def draw_graph(axes: "Axes", shape: Shape, names: Sequence[str]) -> None:
    """Draw the graphs of a function, one for each of a few designs.

    Args:
        axes: Where.
        shape: The quantity.
        names: Of the designs to draw, the best first.
    """
    count = len(names)
    for point in reversed(range(count)):
        for number, line in enumerate(shape.lines[point]):
            axes.plot(
                line[:, 0],
                line[:, 1],
                color=shade(point, count),
                linestyle=STYLES[point % len(STYLES)],
                linewidth=1.6 if point == 0 else 1.0,
                label=names[point] if number == 0 else None,
            )
    axes.margins(x=0)
    axes.set_xlabel(_axis_name(shape, 0))
    axes.set_ylabel(_axis_name(shape, 1))
    axes.set_title(show_name(shape.name))
    axes.grid(color="0.92")
    if count > 1:
        handles, labels = axes.get_legend_handles_labels()
        axes.legend(
            handles[::-1],
            labels[::-1],
            loc="upper left",
            bbox_to_anchor=(1.0, 1.0),
            borderaxespad=0,
        )


def _axis_name(shape: Shape, axis: int) -> str:
    return f"{show_name(shape.name)}[…, {axis}]"


def draw_cloud(axes: "Axes", shape: Shape) -> None:
    """Draw a quantity at many draws, each faint; of the graph of a function also the median.

    Args:
        axes: Where.
        shape: The quantity, at the draws to show.
    """
    count = len(shape.lines)
    alpha = float(np.clip(600 / count, 0.1, 0.6))
    if shape.form is Form.POINTS:
        parts = shape.lines.shape[2]
        for part in range(parts):
            points = shape.lines[:, 0, part]
            axes.plot(
                points[:, 0],
                points[:, 1],
                ".",
                color=shade(part, parts),
                markersize=3,
                markeredgewidth=0,
                alpha=alpha,
            )
    else:
        rows = np.linspace(0, count - 1, min(count, MOST_LINES)).astype(int)
        for lines in shape.lines[rows]:
            for line in lines:
                axes.plot(line[:, 0], line[:, 1], color="0.35", linewidth=0.7, alpha=0.1)
        count = len(rows)
    if shape.form is Form.GRAPH:
        known = np.isfinite(shape.lines).any(axis=0)
        middle = np.full(known.shape, np.nan)
        middle[known] = np.nanmedian(shape.lines[:, known], axis=0)
        for number, line in enumerate(middle):
            name = "median" if number == 0 else None
            axes.plot(line[:, 0], line[:, 1], color="black", linewidth=1.5, label=name)
        axes.set_xlabel(_axis_name(shape, 0))
        axes.set_ylabel(_axis_name(shape, 1))
        axes.legend(loc="upper right")
    else:
        axes.set_aspect("equal")
    axes.set_title(f"{show_name(shape.name)}, {count} draws")
