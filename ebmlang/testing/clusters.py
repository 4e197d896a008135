"""Lennard-Jones clusters, whose lowest energies are known."""

from collections.abc import Mapping
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor

LOWEST_ENERGIES: Mapping[int, float] = MappingProxyType(
    {7: -16.505384, 13: -44.326801, 19: -72.659782, 38: -173.928427}
)
"""Energy of the best cluster known of so many atoms, with depth and diameter 1.

Source: Wales and Doye, Global optimization by basin-hopping, 1997, table 1.
"""


def lennard_jones(x: Float[Tensor, "chain atom 3"]) -> Float[Tensor, " chain"]:
    """Return the energy of clusters of atoms: the sum of 4 (r^-12 - r^-6) over all pairs.

    >>> pair = torch.tensor([[[0.0, 0, 0], [2 ** (1 / 6), 0, 0]]], dtype=torch.float64)
    >>> round(lennard_jones(pair).item(), 12)
    -1.0
    """
    i, j = torch.triu_indices(x.shape[1], x.shape[1], offset=1)
    inverse_sixth = (x[:, i] - x[:, j]).square().sum(2) ** -3
    return 4 * (inverse_sixth.square() - inverse_sixth).sum(1)
