"""Pictures of runs and of terms; matplotlib is imported when a figure is made, and not before."""

from ebmlang.plot.canvas import write_figure
from ebmlang.plot.designs import plot_designs
from ebmlang.plot.run import choose_picture, plot_run
from ebmlang.plot.samples import plot_samples
from ebmlang.plot.svg import draw_tree
from ebmlang.plot.term_tree import build_bare_tree, build_tree

__all__ = [
    "build_bare_tree",
    "build_tree",
    "choose_picture",
    "draw_tree",
    "plot_designs",
    "plot_run",
    "plot_samples",
    "write_figure",
]
