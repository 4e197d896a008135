"""Energies: of designs, and of the terms that they are the sum of."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ebmlang.plot.canvas import shade, show_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

LEAST_SPAN = 1e-3
"""Of the axis, relative to the energies where these are above 1: less is no difference [nats]."""

MOST_TERMS = 7
"""Terms that get a shade of their own; more cannot be told apart. The smallest share one."""

MOST_BARS = 40
"""Designs that get a bar; of more, the best."""

HATCHES = ("", "////", "", "....", "", "xxxx", "")
"""Beside the shade, for print: every other term has one."""


def draw_energies(axes: "Axes", energies: Floats, terms: Mapping[str, Floats]) -> None:
    """Draw a bar for each design, stacked from its terms.

    What terms take off is stacked below zero, so that a bar's two ends are not E where terms
    differ in sign: E is marked itself.

    Args:
        axes: Where.
        energies: One per design [nats].
        terms: By path, one per design [nats].
    """
    count = min(len(energies), MOST_BARS)
    numbers = np.arange(1, count + 1)
    stacked = _merge(terms, count)
    if len(stacked) > 1:
        above, below = np.zeros(count), np.zeros(count)
        for place, (name, values) in enumerate(stacked.items()):
            base = np.where(values >= 0, above, below)
            axes.bar(
                numbers,
                values,
                bottom=base,
                color=shade(len(stacked) - 1 - place, len(stacked)),
                hatch=HATCHES[place % len(HATCHES)],
                edgecolor="white",
                linewidth=0.4,
                label=show_name(name),
            )
            above, below = above + np.maximum(values, 0), below + np.minimum(values, 0)
        axes.plot(numbers, energies[:count], "D", color="black", markersize=4, label="energy")
        axes.axhline(0, color="0.6", linewidth=0.6)
        axes.legend(loc="upper left", ncols=2 if len(stacked) > 3 else 1)
        axes.margins(y=0.25)
    else:
        # A single term is the energy; where it is far from zero, a bar would hide what differs.
        axes.plot(numbers, energies[:count], "D", color="black", markersize=4)
        axes.margins(y=0.15)
        _widen(axes)
    axes.set_xlim(0.4, count + 0.6)
    axes.locator_params(axis="x", integer=True, min_n_ticks=1)
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.set_xlabel("design")
    axes.set_ylabel("energy [nats]")
    more = f", best {count} of {len(energies)}" if count < len(energies) else ""
    axes.set_title(f"energy, by term{more}" if len(stacked) > 1 else f"energy{more}")


def _widen(axes: "Axes") -> None:
    """Keep differences that mean nothing from filling the panel."""
    low, high = axes.get_ylim()
    least = LEAST_SPAN * max(1.0, abs(low), abs(high))
    if high - low < least:
        middle = (low + high) / 2
        axes.set_ylim(middle - least / 2, middle + least / 2)


def _merge(terms: Mapping[str, Floats], count: int) -> dict[str, Floats]:
    """Return the terms that add something, those with the largest shares first."""
    known = {name: np.nan_to_num(values[:count]) for name, values in terms.items()}
    acting = {name: values for name, values in known.items() if (values != 0).any()}
    order = sorted(acting, key=lambda name: -float(np.abs(acting[name]).sum()))
    if len(order) <= MOST_TERMS:
        return {name: acting[name] for name in order}
    shown, rest = order[: MOST_TERMS - 1], order[MOST_TERMS - 1 :]
    others = np.sum([acting[name] for name in rest], axis=0)
    return {**{name: acting[name] for name in shown}, f"{len(rest)} others": others}
