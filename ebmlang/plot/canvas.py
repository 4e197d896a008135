"""Figures: rows of panels, in shades that can be told apart in grey, written without a window."""

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ebmlang.runs.store import write_atomically
from ebmlang.source import Diagnostic, EbmError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 11.0
"""Of a figure [inches]."""

RESOLUTION = 150
"""Of a picture made of pixels [per inch]."""

LONGEST_NAME = 34
"""Characters of a name that are shown; of a longer one, its end, which tells it from others."""

FORMATS = (".png", ".svg", ".pdf")
"""What the names of pictures end in."""

FIXED = {
    ".png": {"Software": None},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None, "Producer": None},
}
"""What would make two pictures of the same run differ, left out."""

# Any: what matplotlib calls a style.
SETTINGS: dict[str, Any] = {
    "font.size": 9.0,
    "axes.titlesize": 9.0,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "hatch.linewidth": 0.6,
    "svg.hashsalt": "ebmlang",
    "svg.fonttype": "none",
}
"""Of all figures, whatever the user's own settings are."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """A part of a figure.

    Attributes:
        draw: Draws it.
        width: Relative to those beside it.
    """

    draw: "Callable[[Axes], None]"
    width: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Row:
    """Panels beside each other.

    Attributes:
        panels: From left to right.
        height: Of the row [inches].
    """

    panels: Sequence[Panel]
    height: float = 2.6


def require_matplotlib() -> None:
    """Raise unless matplotlib is there.

    Raises:
        EbmError: E0808.
    """
    if find_spec("matplotlib") is None:
        raise EbmError(
            Diagnostic(
                code="E0808",
                headline="pictures need the package `matplotlib`, which is not installed",
                helps=("`pip install 'ebmlang[plot]'` installs it",),
            )
        )


def compose_figure(title: str, rows: Sequence[Row]) -> "Figure":
    """Return a figure of rows of panels.

    Args:
        title: What it shows.
        rows: From top to bottom.

    Raises:
        EbmError: E0808 without matplotlib.
    """
    require_matplotlib()
    # Matplotlib takes half a second to import, and most commands do not need it.
    from matplotlib import style
    from matplotlib.figure import Figure

    # Not `pyplot`, which keeps figures for windows.
    with style.context(["default", SETTINGS]):
        heights = [row.height for row in rows]
        figure = Figure(figsize=(WIDTH, sum(heights) + 0.4), layout="constrained")
        figure.suptitle(title, fontsize=10, x=0.01, ha="left")
        grid = figure.add_gridspec(len(rows), 1, height_ratios=heights)
        for place, row in enumerate(rows):
            widths = [panel.width for panel in row.panels]
            cells = grid[place].subgridspec(1, len(widths), width_ratios=widths)
            for column, panel in enumerate(row.panels):
                panel.draw(figure.add_subplot(cells[column]))
    return figure


def require_format(path: Path) -> None:
    """Raise unless a picture can be written in the format that the ending names.

    Raises:
        EbmError: E0804.
    """
    if path.suffix.lower() not in FORMATS:
        known = ", ".join(f"`{suffix}`" for suffix in FORMATS)
        raise EbmError(
            Diagnostic(
                code="E0804",
                headline=f"a picture cannot be written as `{path.suffix or path.name}`",
                helps=(f"the endings known are {known}",),
            )
        )


def write_figure(figure: "Figure", path: str | os.PathLike[str]) -> None:
    """Write a figure in the format that the ending of its name says.

    Raises:
        EbmError: E0804 where it cannot be written there, or not in that format.
    """
    picture = Path(path)
    require_format(picture)
    from matplotlib import style

    suffix = picture.suffix.lower()

    def write(place: Path) -> None:
        with style.context(["default", SETTINGS]), warnings.catch_warnings():
            # A name may be of letters that the font lacks: they are boxes then.
            warnings.filterwarnings("ignore", message="Glyph .* missing from")
            figure.savefig(
                place, format=suffix.removeprefix("."), dpi=RESOLUTION, metadata=FIXED[suffix]
            )

    write_atomically(picture, write)


def shade(place: int, count: int) -> tuple[float, float, float, float]:
    """Return the color of one of some things in order, the first the darkest.

    Lightness grows with the place, so that the order stays in grey and for all eyes.
    """
    from matplotlib import colormaps

    # The lightest fifth of the map is too light for a thin line on white.
    red, green, blue, alpha = colormaps["cividis"](0.8 * place / max(1, count - 1))
    return red, green, blue, alpha


def show_name(name: str) -> str:
    r"""Return a name as the text of a label: short, in one line, and never read as mathematics.

    >>> show_name("a" * 40), show_name("cost_in_$")
    ('…aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'cost_in_\\$')
    """
    line = "".join(letter if letter.isprintable() else " " for letter in name)
    short = line if len(line) <= LONGEST_NAME else "…" + line[1 - LONGEST_NAME :]
    # Matplotlib keeps what begins with an underscore out of legends.
    return (" " if short.startswith("_") else "") + short.replace("$", r"\$")
