"""Where the searches of many rows begin: at the points where each row alone would begin."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ebmlang.runtime import RowTarget, derive_seed
from ebmlang.solve.objective import differentiate
from ebmlang.solve.search.starts import CANDIDATES, REDRAWS, measure_merit
from ebmlang.spaces import Layout, SolvingChart, draw_starts


def draw_for_rows(
    target: RowTarget, layout: Layout, chart: SolvingChart, *, rows: int, count: int, seed: int
) -> tuple[Float[Tensor, "row start dim"], Bool[Tensor, " row"]]:
    """Draw starts for each row; those where the energy is not finite are drawn again.

    Args:
        target: The energy, with one point per row.
        layout: Where points live, whatever the row.
        chart: The solver's coordinates.
        rows: How many rows there are.
        count: How many starts each row has.
        seed: Chooses them; all rows look at the same points.

    Returns:
        Starts in the solver's coordinates, and the rows of which any has a finite energy.
    """
    y = _screen(target, layout, chart, rows, count, seed)
    finite = _is_finite(target, chart, y)
    for attempt in range(REDRAWS):
        left = torch.nonzero(~finite.all(1))[:, 0]
        if not len(left):
            break
        here = target.take(left)
        again = derive_seed(seed, f"redraw {attempt}")
        drawn = _screen(here, layout, chart, len(left), count, again)
        y[left] = torch.where(finite[left][:, :, None], y[left], drawn)
        finite[left] = _is_finite(here, chart, y[left])
    return y, finite.any(1)


def _screen(
    target: RowTarget, layout: Layout, chart: SolvingChart, rows: int, count: int, seed: int
) -> Float[Tensor, "row start dim"]:
    """Return the first points of a spread sequence, then those of the others best for each row."""
    x = draw_starts(layout, CANDIDATES * count, seed=seed, dtype=target.dtype, device=target.device)
    y = chart.from_written(x)
    spread = count - count // 2
    first = y[:spread].expand(rows, -1, -1)
    if spread == count:
        return first.clone()
    with torch.no_grad():
        merits = [measure_merit(target, chart, at.expand(rows, -1)) for at in y[spread:]]
    best = torch.argsort(torch.stack(merits, 1), dim=1, stable=True)[:, : count // 2] + spread
    return torch.cat([first, y[best]], 1)


def _is_finite(
    target: RowTarget, chart: SolvingChart, y: Float[Tensor, "row start dim"]
) -> Bool[Tensor, "row start"]:
    rows, count, _ = y.shape
    several = repeat_rows(target, rows, count)
    return torch.isfinite(differentiate(chart, y.flatten(0, 1), several.energy).value).view(
        rows, count
    )


def repeat_rows(target: RowTarget, rows: int, count: int) -> RowTarget:
    """Return the energy of `count` points for each row, those of a row side by side."""
    index = torch.arange(rows, device=target.device)
    return target.take(index.repeat_interleave(count))
