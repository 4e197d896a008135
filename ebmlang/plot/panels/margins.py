"""Margins: by how much each constraint holds at each design."""

from collections.abc import Container, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ebmlang.plot.canvas import shade, show_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 14
"""Constraints that are shown; of more, those with the least margins."""


def draw_margins(
    axes: "Axes", margins: Mapping[str, NDArray[np.float64]], soft: Container[str]
) -> None:
    """Draw a row for each constraint, with a mark for each design: left of zero it is violated.

    Args:
        axes: Where.
        margins: By path, one per design [tolerances].
        soft: The paths of those that are wishes; the others are required.
    """
    known = {path: values for path, values in margins.items() if np.isfinite(values).any()}
    order = sorted(known, key=lambda path: float(np.nanmin(known[path])))[:MOST_ROWS]
    reach = 1.0
    for row, path in enumerate(order):
        values = known[path]
        for place in reversed(range(len(values))):
            if not np.isfinite(values[place]):
                continue
            axes.plot(
                values[place],
                row,
                marker="o" if path in soft else "s",
                color=shade(place, len(values)),
                markeredgecolor="white",
                markeredgewidth=0.4,
                markersize=6,
            )
            reach = max(reach, abs(float(values[place])))
    axes.set_xscale("symlog", linthresh=1.0)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlim(-min(reach, _depth(known)) * 1.6 - 0.4, reach * 1.6)
    axes.axvspan(axes.get_xlim()[0], 0, color="0.9", linewidth=0)
    axes.axvline(0, color="0.3", linewidth=0.8)
    axes.set_yticks(range(len(order)), [show_name(path) for path in order])
    axes.set_ylim(len(order) - 0.4, -0.6)
    axes.set_xlabel("margin [tolerances]; violated where shaded")
    more = f", worst {len(order)} of {len(known)}" if len(order) < len(known) else ""
    marks = {"s": any(p not in soft for p in order), "o": any(p in soft for p in order)}
    words = {"s": "squares: required", "o": "circles: preferred"}
    axes.set_title(f"margins{more} ({', '.join(words[m] for m, there in marks.items() if there)})")


def _depth(known: Mapping[str, NDArray[np.float64]]) -> float:
    """Return how far the worst margin lies below zero."""
    return max(0.0, -min(float(np.nanmin(values)) for values in known.values()))
