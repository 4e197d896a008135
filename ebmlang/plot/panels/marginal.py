"""The law of one scalar quantity, as its draws show it."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ebmlang.plot.canvas import show_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INSIDE = 0.998
"""Share of the draws that the panel has room for: single far ones would hide the others."""

MOST_BINS = 60

MASS = (0.05, 0.5, 0.95)
"""Quantiles that are marked."""


def draw_marginal(axes: "Axes", name: str, values: NDArray[np.float64]) -> None:
    """Draw a histogram of a quantity over all draws, with its median and central 90%.

    Args:
        axes: Where.
        name: Of the quantity.
        values: `[chain, draw]`.
    """
    known = values[np.isfinite(values)]
    axes.set_title(show_name(name))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    if not len(known):
        axes.set_xticks([])
        axes.text(0.5, 0.5, "no finite value", ha="center", transform=axes.transAxes)
        return
    # Outwards to draws, so that of few draws none is left out.
    low = float(np.quantile(known, (1 - INSIDE) / 2, method="lower"))
    high = float(np.quantile(known, (1 + INSIDE) / 2, method="higher"))
    if not high > low:
        axes.axvline(low, color="black")
        axes.set_xlabel("the same in all draws")
        return
    bins = int(np.clip(2 * len(known) ** (1 / 3), 10, MOST_BINS))
    axes.hist(known, bins=np.linspace(low, high, bins + 1).tolist(), color="0.7", density=True)
    left, middle, right = np.quantile(known, MASS).tolist()
    axes.axvline(middle, color="black", linewidth=1.2)
    for edge in (left, right):
        axes.axvline(edge, color="black", linewidth=0.8, linestyle=":")
    axes.set_xlabel(f"median {middle:.4g}, 90% in {left:.4g} … {right:.4g}", fontsize=7)
    axes.locator_params(axis="x", nbins=4)
