"""Designs as lines over an axis for each number: where they agree and where they differ."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ebmlang.plot.canvas import shade, show_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

MOST_AXES = 20
"""Numbers that get an axis; of more, the first."""

MOST_LINES = 100
"""Designs that get a line; of more, the best."""


def list_numbers(quantities: Mapping[str, Floats]) -> Iterator[tuple[str, Floats]]:
    """Yield every scalar with its name, such as `x[3, 0]`, and its values, one per design.

    >>> [name for name, _ in list_numbers({"x": np.zeros((5, 2)), "y": np.zeros(5)})]
    ['x[0]', 'x[1]', 'y']
    """
    for path, values in quantities.items():
        for index in np.ndindex(*values.shape[1:]):
            place = f"[{', '.join(map(str, index))}]" if index else ""
            yield f"{path}{place}", values[(slice(None), *index)]


def draw_parallel(axes: "Axes", quantities: Mapping[str, Floats]) -> None:
    """Draw a line for each design over an axis for each number, from its least to its greatest.

    Args:
        axes: Where.
        quantities: By path, `[design, ...]`.
    """
    numbers = list(list_numbers(quantities))
    shown = numbers[:MOST_AXES]
    count = min(MOST_LINES, len(shown[0][1]))
    heights = []
    for place, (_, values) in enumerate(shown):
        known = values[:count][np.isfinite(values[:count])]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
        span = high - low
        # What is the same in all designs crosses its axis in the middle.
        heights.append((values[:count] - low) / span if span > 0 else np.full(count, 0.5))
        axes.axvline(place, color="0.8", linewidth=0.8, zorder=0)
        if span > 0:
            axes.text(place, 1.03, f"{high:.4g}", ha="center", va="bottom", fontsize=7)
            axes.text(place, -0.03, f"{low:.4g}", ha="center", va="top", fontsize=7)
        else:
            axes.text(place, 0.53, f"{low:.4g}", ha="center", va="bottom", fontsize=7)
    lines = np.stack(heights)
    for row in reversed(range(count)):
        label = {0: "design 1, the best", count - 1: f"design {count}"}.get(row)
        color = shade(row, count)
        axes.plot(lines[:, row], "-o", color=color, markersize=3, linewidth=1.2, label=label)
    axes.set_xticks(range(len(shown)), [show_name(name) for name, _ in shown])
    if len(shown) > 6:
        axes.tick_params(axis="x", labelrotation=30)
        for label_text in axes.get_xticklabels():
            label_text.set_horizontalalignment("right")
    axes.tick_params(axis="x", length=0, pad=12)
    axes.set_yticks([])
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlim(-0.4, len(shown) - 0.6)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if count > 1:
        handles, labels = axes.get_legend_handles_labels()
        axes.legend(
            handles[::-1],
            labels[::-1],
            loc="upper left",
            bbox_to_anchor=(1.0, 1.0),
            borderaxespad=0,
        )
    more = f", first {len(shown)} of {len(numbers)} numbers" if len(shown) < len(numbers) else ""
    axes.set_title(f"designs, each axis from its least to its greatest{more}", pad=18)
