"""From what a sampler hands on, packed points, to values by name, and what it said of them back."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ebmlang.lower.module import CompiledEnergy
from ebmlang.runs.values import ENERGY, DrawValues
from ebmlang.sample import Chunk
from ebmlang.sample.draws import PER_DRAW

ROWS_AT_ONCE = 10_000
"""Points whose terms and reports are computed in one call; bounds the memory they take."""


def read_values(module: CompiledEnergy, chunk: Chunk) -> DrawValues:
    """Return what the spec says of the draws of a chunk."""
    shape = chunk.points.shape[:2]
    rows = chunk.points.flatten(0, 1)
    parts = [_read_rows(module, part) for part in torch.split(rows, ROWS_AT_ONCE)]
    terms, reports = (
        {path: _by_draw(torch.cat([part[which][path] for part in parts]), shape) for path in names}
        for which, names in enumerate(parts[0])
    )
    stats = {
        ENERGY if name == "energies" else name: getattr(chunk, name).cpu().numpy()
        for name in PER_DRAW
        if name != "points"
    }
    return DrawValues(
        variables={path: _by_draw(value, shape) for path, value in module.unpack(rows).items()},
        reports=reports,
        terms=terms,
        stats=stats,
        divergences=chunk.divergence_points.cpu().numpy(),
    )


def read_stats(values: DrawValues) -> Chunk:
    """Return what the sampler said of draws, as it handed it on, without the points."""
    stats = {name: torch.from_numpy(np.array(array)) for name, array in values.stats.items()}
    energies = stats.pop(ENERGY)
    return Chunk(
        first=0,
        points=energies.new_empty(*energies.shape, 0),
        energies=energies,
        divergence_points=torch.from_numpy(np.array(values.divergences)),
        **stats,
    )


def _read_rows(module: CompiledEnergy, rows: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    with torch.no_grad():
        point = module.unpack(rows)
        return dict(module.terms(point).energies), module.reports(point)


def _by_draw(value: Tensor, shape: torch.Size) -> NDArray[Any]:
    # A report may be a whole number, or true or false; all are quantities with a mean.
    number = value if value.is_floating_point() else value.double()
    return number.reshape(*shape, *value.shape[1:]).cpu().numpy()
