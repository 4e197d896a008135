"""How the chains move through one quantity, and whether they agree on it."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ebmlang.plot.canvas import shade, show_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

MOST_TRACES = 6
"""Chains that get a line; of more, some evenly spaced, the first and last among them."""

MOST_PLACES = 2000
"""Draws along a line; of more, some evenly spaced: a screen has no more pixels."""

BINS = 20
"""Of the ranks."""

MOST_CHAINS = 64
"""Rows of ranks; of more chains, some follow each other in one row."""


def draw_trace(axes: "Axes", name: str, values: Floats) -> None:
    """Draw the way of some chains through a quantity.

    Args:
        axes: Where.
        name: Of the quantity.
        values: `[chain, draw]`.
    """
    chains, draws = values.shape
    rows = np.unique(np.linspace(0, chains - 1, min(chains, MOST_TRACES)).astype(int))
    places = np.unique(np.linspace(0, draws - 1, min(draws, MOST_PLACES)).astype(int))
    for place, row in enumerate(rows):
        color = shade(place, len(rows))
        axes.plot(places + 1, values[row, places], color=color, linewidth=0.6, alpha=0.8)
    some = f", {len(rows)} of {chains} chains" if len(rows) < chains else f", {chains} chains"
    axes.set_title(f"{show_name(name)}{some}")
    axes.set_xlabel("draw")
    axes.margins(x=0.01)


def draw_ranks(axes: "Axes", name: str, values: Floats) -> None:
    """Draw the share of each chain's draws that fall among each twentieth of all draws.

    Where chains agree, all shares are 1 but for chance; a chain that stays in its own part of
    space has a dark patch.

    Args:
        axes: Where.
        name: Of the quantity.
        values: `[chain, draw]`.

    Source: rank plots, Vehtari, Gelman, Simpson, Carpenter and Buerkner (2021), Bayesian Analysis
    16, section 4.4.
    """
    shares = count_ranks(values)
    image = axes.imshow(
        shares,
        cmap="Greys",
        vmin=0,
        vmax=max(2.0, float(shares.max())),
        aspect="auto",
        interpolation="nearest",
        extent=(0, 100, len(shares) + 0.5, 0.5),
    )
    axes.set_title(f"ranks of {show_name(name)}")
    axes.set_xlabel("rank among all draws [%]")
    axes.set_ylabel("chain" if len(shares) == len(values) else "group of chains")
    axes.locator_params(axis="y", integer=True, min_n_ticks=1)
    figure = axes.get_figure()
    assert figure is not None
    bar = figure.colorbar(image, ax=axes, fraction=0.05)
    bar.set_label("share of draws; 1 where chains agree")


def count_ranks(values: Floats) -> Floats:
    """Return the density of each chain's ranks among all draws, in bins; 1 where it is even.

    Args:
        values: `[chain, draw]`.

    >>> count_ranks(np.array([np.zeros(20), np.arange(20.0) + 1]))[:, [0, -1]]
    array([[2., 0.],
           [0., 2.]])
    """
    chains, draws = values.shape
    rows = min(chains, MOST_CHAINS)
    # Equal values would all fall to the first chain, were they not spread by a fixed shuffle.
    shuffled = np.random.default_rng(0).permutation(values.size)
    order = shuffled[np.argsort(values.ravel()[shuffled], kind="stable")]
    ranks = np.empty(values.size, dtype=np.int64)
    ranks[order] = np.arange(values.size)
    bins = ranks * BINS // values.size
    owner = np.repeat(np.arange(chains) * rows // chains, draws)
    counts = np.zeros((rows, BINS))
    np.add.at(counts, (owner, bins), 1)
    return np.asarray(counts * BINS / counts.sum(axis=1, keepdims=True))
