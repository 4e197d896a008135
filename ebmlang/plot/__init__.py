"""Pictures of runs and of terms; matplotlib is imported when a figure is made, and not before."""

from ebmlang.plot.canvas import write_figure
from ebmlang.plot.designs import plot_designs
from ebmlang.plot.run import choose_picture, plot_run
from ebmlang.plot.samples import plot_samples

__all__ = ["choose_picture", "plot_designs", "plot_run", "plot_samples", "write_figure"]
