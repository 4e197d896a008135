"""A few designs that lie far from each other, out of many that are good enough.

Begins with the best and takes, again and again, the design farthest from all taken so far. The
least distance among the chosen is at least half of the best possible.

Source: Gonzalez, Clustering to minimize the maximum intercluster distance (1985), theorem 2.2.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

BAND = 0.5
"""How much worse than the best a design may be, where the caller does not say [nats]: what one
constraint costs that is violated by one tolerance. A difference, since energies are known up to a
constant only, and so have no meaningful ratio."""

STARTS_PER_DESIGN = 8
"""Starts for each design that is wanted: of so many basins of equal size, a search misses one in
exp(8) = 3000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diversity:
    """What a diverse set is chosen from.

    Attributes:
        band: How much worse than the best a design may be [nats].
    """

    band: float = BAND


def select_spread(
    points: Float[Tensor, "design dim"], scale: Float[Tensor, " dim"], most: int
) -> Int[Tensor, " chosen"]:
    """Return rows of points that are far from each other, the first point first.

    Distances are Euclidean, in units of the scale; a coordinate without bounds, whose unit says
    nothing, is measured in the range of the points.

    Args:
        points: The best first; of equal distance, the earlier one is taken.
        scale: The natural length of each coordinate; 1 where there is none.
        most: How many to take at most.

    >>> line = torch.tensor([[0.0], [0.1], [1.0], [0.5]])
    >>> select_spread(line, torch.ones(1), 3)
    tensor([0, 2, 3])
    """
    span = points.amax(0) - points.amin(0)
    unit = torch.where((scale == 1) & (span > 0), span, scale)
    scaled = points / unit
    chosen = [0]
    distance = (scaled - scaled[0]).norm(dim=1)
    while len(chosen) < min(most, len(points)):
        farthest = int(distance.argmax())
        chosen.append(farthest)
        distance = torch.minimum(distance, (scaled - scaled[farthest]).norm(dim=1))
        # Equal points are at distance 0 of each other, and are taken once.
        distance[chosen] = -1
    return torch.tensor(chosen, device=points.device)
