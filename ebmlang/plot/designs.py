"""The picture of designs: geometry, or numbers side by side; energies, margins, starts."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ebmlang.plot.canvas import WIDTH, Panel, Row, compose_figure
from ebmlang.plot.panels.ends import draw_ends
from ebmlang.plot.panels.energies import draw_energies
from ebmlang.plot.panels.margins import draw_margins
from ebmlang.plot.panels.parallel import draw_parallel
from ebmlang.plot.panels.plane import draw_graph, draw_plane, find_limits
from ebmlang.plot.panels.space import draw_space
from ebmlang.plot.refusals import refuse_nothing, require_known
from ebmlang.plot.shapes import Form, Shape, find_shapes
from ebmlang.plot.solved import SolvedRun, take_designs
from ebmlang.runs.design import Designs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_PLANES = 5
"""Designs whose geometry is drawn, each in a plane of its own: five fit beside each other."""

FLAT = 0.6
"""Height of a plane, relative to its width, below which three fill a row, and there are two."""

MOST_GRAPHS = 6
"""Designs whose graphs are drawn over each other."""


def plot_designs(
    found: Designs | SolvedRun, *, name: str = "", quantities: Iterable[str] = ()
) -> "Figure":
    """Return the picture of what a search has found.

    Args:
        found: What `Model.solve` has returned, or what was read of its file.
        name: What it is called in the title.
        quantities: Variables and reports to draw; where there are none, those that have a shape.

    Raises:
        EbmError: E0820 where there is nothing to draw, E0920 for a quantity that there is not,
            E0808 without matplotlib.
    """
    run = found if isinstance(found, SolvedRun) else take_designs(found)
    if not run.count:
        raise refuse_nothing(name or "the result", "the search has found no point at all")
    wanted = tuple(quantities)
    known = {**run.variables, **run.reports}
    require_known(wanted, known)
    rows = [*_draw_shapes(run, wanted)]
    numbers = {path: known[path] for path in wanted if path not in _drawn(run, wanted)}
    if not wanted and not rows:
        numbers = known
    numbers = {path: values for path, values in numbers.items() if values.size}
    if numbers:
        rows.append(
            Row(panels=[Panel(draw=partial(draw_parallel, quantities=numbers))], height=3.0)
        )
    judged = []
    if (run.energies == run.energies).any():
        judged.append(Panel(draw=partial(draw_energies, energies=run.energies, terms=run.terms)))
    if any((values == values).any() for values in run.margins.values()):
        judged.append(Panel(draw=partial(draw_margins, margins=run.margins, soft=run.terms)))
    if len(run.end_energies):
        ends = partial(draw_ends, energies=run.end_energies, feasible=run.end_feasible)
        judged.append(Panel(draw=ends))
    if judged:
        rows.append(Row(panels=judged, height=3.2))
    if not rows:
        raise refuse_nothing(name or "the result", "it has neither energies nor values")
    return compose_figure(_title(run, name), rows)


def _title(run: SolvedRun, name: str) -> str:
    lead = f"{name}: " if name else ""
    if run.nearest:
        return f"{lead}no design; the point nearest to one"
    return f"{lead}{run.count} {'design' if run.count == 1 else 'designs'}, {run.status}"


def _drawn(run: SolvedRun, wanted: tuple[str, ...]) -> set[str]:
    return {shape.name for shape in find_shapes(run.variables, run.reports, wanted)}


def _draw_shapes(run: SolvedRun, wanted: tuple[str, ...]) -> Iterable[Row]:
    """Yield the rows of the spec's own geometry."""
    shapes = find_shapes(run.variables, run.reports, wanted)
    graphs = [shape for shape in shapes if shape.form is Form.GRAPH]
    labels = ["nearest point" if run.nearest else f"design {i + 1}" for i in range(run.count)]
    if graphs:
        names = labels[:MOST_GRAPHS]
        # Two graphs beside each other are still read with ease.
        for first in range(0, len(graphs), 2):
            pair = graphs[first : first + 2]
            yield Row(
                panels=[Panel(draw=partial(draw_graph, shape=one, names=names)) for one in pair],
                height=3.0,
            )
    planar = [shape for shape in shapes if shape.form in (Form.CURVE, Form.POINTS)]
    if planar:
        yield from _draw_planes(planar, _caption(run, labels), run.count)
    for shape in shapes:
        if shape.form is Form.SPACE:
            draws = [
                partial(draw_space, shape=shape, point=i, title=title)
                for i, title in enumerate(_caption(run, labels)[:MOST_PLANES])
            ]
            yield Row(panels=[Panel(draw=draw) for draw in draws], height=2.4)


def _caption(run: SolvedRun, labels: Sequence[str]) -> list[str]:
    return [f"{labels[i]}, energy {energy:.4g}" for i, energy in enumerate(run.energies)]


def _draw_planes(planar: Sequence[Shape], titles: Sequence[str], designs: int) -> Iterable[Row]:
    limits = find_limits(planar, min(designs, MOST_PLANES))
    (left, right), (bottom, top) = limits
    ratio = (top - bottom) / (right - left)
    beside = 3 if ratio < FLAT else MOST_PLANES
    count = min(designs, 2 * beside if ratio < FLAT else beside)
    limits = find_limits(planar, count)
    for first in range(0, count, beside):
        here = range(first, min(first + beside, count))
        panels = [
            Panel(
                draw=partial(
                    draw_plane,
                    shapes=planar,
                    point=point,
                    limits=limits,
                    title=titles[point],
                    named=point == here[-1] and not first,
                )
            )
            for point in here
        ]
        height = ratio * WIDTH / (beside + 1)
        yield Row(panels=panels, height=min(4.0, max(1.2, height) + 0.6))
