"""Where the starts of a search ended: whether many agree on the best, and how soon it was found."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SAME = 1e-3
"""Energies closer than this are drawn as one: the scale is linear there [nats]."""


def draw_ends(axes: "Axes", energies: NDArray[np.float64], feasible: NDArray[np.bool_]) -> None:
    """Draw the energies of all ends in order, and the best so far as starts were added.

    A step on the left, where many starts end at one energy, speaks for it being the least; a
    slope does not.

    Args:
        axes: Where.
        energies: Of each start's end, in the order of the starts [nats].
        feasible: Whether everything required holds there.

    Source: the waterfall plot of Raue and others, Lessons learned from quantitative dynamical
    modeling in systems biology, PLoS ONE 8 (2013), figure 2.
    """
    usable = np.isfinite(energies) & feasible
    lost = int((~usable).sum())
    if usable.any():
        best = float(energies[usable].min())
        above = np.sort(energies[usable]) - best
        axes.plot(
            np.arange(1, len(above) + 1), above, "o", color="0.25", markersize=3, label="in order"
        )
        sofar = np.minimum.accumulate(np.where(usable, energies, np.inf)) - best
        first = int(np.argmax(np.isfinite(sofar)))
        axes.step(
            np.arange(first + 1, len(energies) + 1),
            sofar[first:],
            where="post",
            color="black",
            linestyle="--",
            linewidth=1,
            label="best so far, as they were made",
        )
        axes.set_yscale("symlog", linthresh=SAME)
        axes.set_ylim(-SAME / 2, max(10 * SAME, 20 * float(above.max())))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.legend(loc="upper left")
    else:
        axes.set_yticks([])
        axes.text(0.5, 0.5, "none ended at a feasible point", ha="center", transform=axes.transAxes)
    axes.set_xlim(0, len(energies) + 1)
    axes.set_xlabel("starts")
    axes.set_ylabel("energy above the best [nats]")
    words = f"; {lost} infeasible" if lost else ""
    axes.set_title(f"where {len(energies)} starts ended{words}")
