"""Lennard-Jones clusters, whose lowest energies are known."""

from collections.abc import Mapping
from types import MappingProxyType

import torch
from jaxtyping import Float
from numpy.typing import ArrayLike
from torch import Tensor

LOWEST_ENERGIES: Mapping[int, float] = MappingProxyType(
    {7: -16.505384, 13: -44.326801, 19: -72.659782, 38: -173.928427}
)
"""Energy of the best cluster known of so many atoms, with depth and diameter 1.

Source: Wales and Doye, Global optimization by basin-hopping, 1997, table 1.
"""


def lennard_jones(x: ArrayLike | Float[Tensor, "*chain atom 3"]) -> Float[Tensor, "*chain"]:
    """Return the energy of clusters of atoms: the sum of 4 (r^-12 - r^-6) over all pairs.

    Args:
        x: Where the atoms are: a tensor, or what `torch.as_tensor` takes.

    Returns:
        An energy for each cluster; `inf` where two atoms are at one place.

    Raises:
        ValueError: The last axis is not one of 3 coordinates.

    >>> pair = torch.tensor([[[0.0, 0, 0], [2 ** (1 / 6), 0, 0]]], dtype=torch.float64)
    >>> round(lennard_jones(pair).item(), 12)
    -1.0
    """
    atoms = torch.as_tensor(x)
    if atoms.ndim < 2 or atoms.shape[-1] != 3:
        raise ValueError(f"atoms are an array of shape (..., atom, 3), not {tuple(atoms.shape)}")
    if not atoms.is_floating_point():
        atoms = atoms.double()
    count = atoms.shape[-2]
    i, j = torch.triu_indices(count, count, offset=1)
    inverse_sixth = (atoms[..., i, :] - atoms[..., j, :]).square().sum(-1) ** -3
    # As a product, for `inf - inf` is no number.
    return 4 * (inverse_sixth * (inverse_sixth - 1)).sum(-1)
