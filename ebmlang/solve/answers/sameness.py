"""Whether two ends of a search are one design, judged by the energy between them.

Descents stop a little before their minimum, so ends of one basin differ. How far they may differ
depends on the curvature: in a steep valley minima a ten-thousandth apart are two designs, and in
a flat bowl one minimum is reached at points that lie a tenth apart. So two ends are one where

- they are close, and the energy halfway is not above both: no barrier lies between them; or
- energies and slopes at both fit one convex bowl, and the energy halfway confirms it: they would
  go on to the same point. The cubic through energies and slopes stands for the energy along the
  segment, and is convex where it is so at both ends.

A flat valley, along which nothing changes, is no bowl: its ends are different designs, which
equal energies do not make one.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ebmlang.runtime import Target
from ebmlang.solve.objective import differentiate
from ebmlang.solve.places import Places
from ebmlang.spaces import SolvingChart

CLOSE = 1e-3
"""Points are close where no coordinate differs by more, in half widths of a bounded coordinate,
else relative to the coordinate where it is above 1."""

NOISE_POWER = 1 / 2
"""Power of eps below which a barrier is noise, relative to the energy: a descent stops at
gradients of this size, and sees nothing smaller."""

ROUNDING = 1e3
"""What rounding may leave in a difference of energies, in eps of the energy."""

FIT = 0.1
"""Largest deviation of the energy halfway from a bowl, as a share of how deep the bowl hangs
below the chord there."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ends:
    """Where starts have ended.

    Attributes:
        target: The model.
        chart: The solver's coordinates.
        position: In the solver's coordinates.
        points: The same as written.
        energies: There [nats].
        slopes: The gradient of the energy there, where bowls are to be recognized; None where
            something is required, since an end then rests against it and not in a bowl.
    """

    target: Target
    chart: SolvingChart
    position: Float[Tensor, "start dim"]
    points: Float[Tensor, "start dim"]
    energies: Float[Tensor, " start"]
    slopes: Float[Tensor, "start dim"] | None


def build_ends(target: Target, chart: SolvingChart, places: Places) -> Ends:
    """Return where starts have ended, with slopes where nothing is required."""
    required = places.margins.shape[1] > 0
    slopes = None if required else differentiate(chart, places.position, target.energy).gradient
    return Ends(
        target=target,
        chart=chart,
        position=places.position,
        points=places.points,
        energies=places.energies,
        slopes=slopes,
    )


def find_same(
    ends: Ends, row: Int[Tensor, ""], others: Int[Tensor, " other"]
) -> Bool[Tensor, " other"]:
    """Return which of the others are one design with the end in a row; itself is."""
    spread = ends.chart.spread
    here = ends.points[row]
    scale = torch.maximum(spread, torch.where(spread == 1, here.abs(), 0))
    close = ((ends.points[others] - here).abs() <= CLOSE * scale).all(1)
    depth = _bowl(ends, row, others)
    possible = torch.nonzero(close | (depth > 0))[:, 0]
    halfway = torch.full_like(ends.energies[others], torch.inf)
    middle = ends.chart.retract((ends.position[row] + ends.position[others[possible]]) / 2)
    with torch.no_grad():
        halfway[possible] = ends.target.energy(ends.chart.to_written(middle))
    eps = torch.finfo(halfway.dtype).eps
    first, second = ends.energies[row], ends.energies[others]
    size = torch.maximum(first.abs(), second.abs()).clamp(min=1)
    level = halfway <= torch.maximum(first, second) + eps**NOISE_POWER * size
    expected = _halfway(ends, row, others)
    fits = (halfway - expected).abs() <= FIT * depth + ROUNDING * eps * size
    same: Tensor = (others == row) | (close & level) | ((depth > 0) & fits)
    return same


def _along(
    ends: Ends, row: Int[Tensor, ""], others: Int[Tensor, " other"]
) -> tuple[Float[Tensor, " other"], Float[Tensor, " other"]]:
    """Return the slopes at both ends of the segments from one end to others."""
    assert ends.slopes is not None
    way = ends.position[others] - ends.position[row]
    return (way * ends.slopes[row]).sum(1), (way * ends.slopes[others]).sum(1)


def _bowl(
    ends: Ends, row: Int[Tensor, ""], others: Int[Tensor, " other"]
) -> Float[Tensor, " other"]:
    """Return how deep a convex cubic hangs below each chord halfway; 0 where it is not convex."""
    if ends.slopes is None:
        return torch.zeros_like(ends.energies[others])
    rise = ends.energies[others] - ends.energies[row]
    first, second = _along(ends, row, others)
    # Second derivatives of the cubic at both ends of the segment, which has length 1.
    bent = torch.minimum(6 * rise - 4 * first - 2 * second, 2 * first + 4 * second - 6 * rise)
    noise = ROUNDING * torch.finfo(rise.dtype).eps * ends.energies[row].abs().clamp(min=1)
    return torch.where(bent > noise, bent / 8, 0)


def _halfway(
    ends: Ends, row: Int[Tensor, ""], others: Int[Tensor, " other"]
) -> Float[Tensor, " other"]:
    """Return the cubic's value halfway."""
    mean = (ends.energies[row] + ends.energies[others]) / 2
    if ends.slopes is None:
        return mean
    first, second = _along(ends, row, others)
    return mean + (first - second) / 8
