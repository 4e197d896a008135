"""The picture of a run on the disk, whatever wrote it."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ebmlang.plot.canvas import require_format, require_matplotlib
from ebmlang.plot.designs import plot_designs
from ebmlang.plot.drawn import read_drawn
from ebmlang.plot.refusals import refuse_nothing
from ebmlang.plot.samples import plot_samples
from ebmlang.plot.solved import read_designs
from ebmlang.runs.directory import is_run, open_run
from ebmlang.runs.store import require_writable
from ebmlang.source.files import read_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_run(path: str | os.PathLike[str], *, quantities: Iterable[str] = ()) -> "Figure":
    """Return the picture of a run: the folder of a sampling run, or a file of `solve` or `sample`.

    Args:
        path: What `ebm sample --out NAME.run`, or `--out NAME.json` of `sample` or `solve`, wrote.
        quantities: What to draw; what has a shape, and what tells most, if there are none.

    Raises:
        EbmError: E0801 or E0802 where it cannot be read, E0806 for a run that cannot be, E0820
            where it holds nothing to draw, E0920 for a quantity that it does not have, E0808
            without matplotlib.
    """
    require_matplotlib()
    place = Path(path)
    if is_run(place) and not place.is_file():
        return plot_samples(open_run(place), name=place.name, quantities=quantities)
    try:
        content = json.loads(read_bytes(place))
    except (ValueError, RecursionError):
        raise refuse_nothing(place.name, "it is neither JSON nor the folder of a run") from None
    if isinstance(content, dict):
        solved = read_designs(content)
        if solved is not None:
            return plot_designs(solved, name=place.name, quantities=quantities)
        drawn = read_drawn(content)
        if drawn is not None:
            return plot_samples(drawn, name=place.name, quantities=quantities)
    raise refuse_nothing(place.name, "it is neither a run of `sample` nor a result of `solve`")


def choose_picture(run: str | os.PathLike[str], out: str | None) -> Path:
    """Return where the picture of a run goes: where it is told to, else beside the run.

    Raises:
        EbmError: E0804 where no picture can be written there.
    """
    picture = Path(run).with_suffix(".png") if out is None else Path(out)
    require_format(picture)
    require_writable(picture)
    return picture
