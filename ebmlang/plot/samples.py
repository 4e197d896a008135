"""The picture of draws: the spec's geometry, marginals, and how chains move through the worst."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ebmlang.plot.canvas import Panel, Row, compose_figure
from ebmlang.plot.drawn import SampledRun, take_run, take_samples
from ebmlang.plot.panels.chains import draw_ranks, draw_trace
from ebmlang.plot.panels.marginal import draw_marginal
from ebmlang.plot.panels.plane import draw_cloud
from ebmlang.plot.refusals import refuse_nothing, require_known
from ebmlang.plot.shapes import Form, Shape, find_shapes, is_path
from ebmlang.runs.directory import RunDirectory
from ebmlang.runs.samples import Samples

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BESIDE = 4
"""Marginals beside each other."""

MOST_MARGINALS = 12
"""Scalar quantities whose law is drawn; of more, those whose draws are worst."""

MOST_CLOUDS = 4
"""Quantities with a shape that are drawn."""


def plot_samples(
    found: Samples | RunDirectory | SampledRun, *, name: str = "", quantities: Iterable[str] = ()
) -> "Figure":
    """Return the picture of a sampling run.

    Args:
        found: What `Model.sample` has returned, or a run that was opened from its folder.
        name: What it is called in the title.
        quantities: What to draw: variables, reports, or scalars of them such as `theta[3]`; where
            there are none, those that have a shape, and the scalars whose draws are worst.

    Raises:
        EbmError: E0820 where there is nothing to draw, E0920 for a quantity that there is not,
            E0806 where the run cannot be read, E0808 without matplotlib.
    """
    run = _take(found)
    if not run.energies.size:
        raise refuse_nothing(name or "the run", "there are no draws yet")
    wanted = tuple(quantities)
    scalars = run.scalars
    require_known(wanted, dict.fromkeys([*run.variables, *run.reports, *scalars]))
    shapes = _find_clouds(run, wanted)
    rows = _draw_clouds(shapes)
    chosen = _choose(run, wanted, {shape.name for shape in shapes})
    for first in range(0, len(chosen), BESIDE):
        beside = [
            Panel(draw=partial(draw_marginal, name=one, values=run.read(one)))
            for one in chosen[first : first + BESIDE]
        ]
        rows.append(Row(panels=beside, height=1.9))
    worst = run.rank(chosen or list(scalars))[0]
    values = run.read(worst)
    if values.shape[1] > 1:
        panels = [
            Panel(draw=partial(draw_trace, name=worst, values=values), width=1.4),
            Panel(draw=partial(draw_ranks, name=worst, values=values)),
        ]
        rows.append(Row(panels=panels, height=2.6))
    chains, draws = run.energies.shape
    lead = f"{name}: " if name else ""
    more = (
        f"; the worst {len(chosen)} quantities" if not wanted and len(chosen) < _count(run) else ""
    )
    return compose_figure(f"{lead}{chains} chains of {draws} draws, {run.status}{more}", rows)


def _take(found: Samples | RunDirectory | SampledRun) -> SampledRun:
    match found:
        case Samples():
            return take_samples(found)
        case RunDirectory():
            return take_run(found)
        case SampledRun():
            return found


def _count(run: SampledRun) -> int:
    return len([name for name, (path, _) in run.scalars.items() if not is_path(path)])


def _find_clouds(run: SampledRun, wanted: Sequence[str]) -> list[Shape]:
    """Return the quantities with a shape at some draws."""
    found = find_shapes(run.pick(run.variables), run.pick(run.reports), wanted)
    return [shape for shape in found if shape.form is not Form.SPACE][:MOST_CLOUDS]


def _draw_clouds(shapes: Sequence[Shape]) -> list[Row]:
    if not shapes:
        return []
    panels = [Panel(draw=partial(draw_cloud, shape=shape)) for shape in shapes]
    return [Row(panels=panels, height=3.4)]


def _choose(run: SampledRun, wanted: Sequence[str], drawn: set[str]) -> list[str]:
    """Return the names of the scalars whose law is drawn, in the order of the spec."""
    scalars = run.scalars
    if wanted:
        asked = [n for n, (path, _) in scalars.items() if n in wanted or path in wanted]
        return [n for n in asked if n in wanted or scalars[n][0] not in drawn][:MOST_MARGINALS]
    # The numbers that a curve is made of mean nothing one by one.
    plain = [name for name, (path, _) in scalars.items() if not is_path(path)]
    worst = set(run.rank(plain)[:MOST_MARGINALS])
    return [name for name in plain if name in worst]
