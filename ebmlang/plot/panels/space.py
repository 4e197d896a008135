"""Points in space, seen from where they spread the most."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ebmlang.plot.shapes import Shape

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZES = (60.0, 160.0)
"""Of the farthest mark and the nearest [square points]."""


def draw_space(axes: "Axes", shape: Shape, point: int, title: str) -> None:
    """Draw the points of one design in space, the nearer the darker and larger.

    They are turned so that the picture shows their two widest directions: designs that differ by
    a rotation alone look alike.

    Args:
        axes: Where.
        shape: The quantity.
        point: Which design.
        title: Its name.
    """
    turned = turn_flat(shape.lines[point, 0])
    depth = np.argsort(turned[:, 2])
    places = np.linspace(0, 1, len(turned))
    axes.scatter(
        turned[depth, 0],
        turned[depth, 1],
        s=SIZES[0] + (SIZES[1] - SIZES[0]) * places,
        color=[str(0.85 - 0.65 * place) for place in places],
        edgecolor="black",
        linewidth=0.5,
    )
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.2)
    axes.set_title(title)
    axes.set_xlabel("widest direction")


def turn_flat(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points about their mean, turned so that their spread falls from axis to axis.

    Those that are nowhere are left out.

    >>> turn_flat(np.array([[0.0, 0.0, -3.0], [0.0, 1.0, 3.0], [0.0, -1.0, 3.0]])).std(axis=0)
    array([2.82842712, 0.81649658, 0.        ])
    """
    known = points[np.isfinite(points).all(axis=1)]
    if not len(known):
        return known
    centered = known - known.mean(axis=0)
    _, _, axes = np.linalg.svd(centered, full_matrices=True)
    return np.asarray(centered @ axes.T)
