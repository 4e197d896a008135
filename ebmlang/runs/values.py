"""Draws as values by name, in the words of the spec."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebmlang.runs.stored_arrays import StoredArrays

Arrays = Mapping[str, NDArray[Any]]
"""By name, `[chain, draw, ...]`. Any: floats, or counts."""

LARGEST_WHOLE = 1 << 24
"""Numbers of a stored quantity up to which it is read as a whole; 128 MB in float64."""

ENERGY = "energy"
"""What E is called, among the statistics and among the quantities that are judged."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrawValues:
    """Draws of all chains, by name.

    Attributes:
        variables: The points.
        reports: The quantities that the spec derives.
        terms: The share of E of each soft term [nats].
        stats: What is said of each draw: E, and what the sampler did; see `sample.Chunk`.
        divergences: Some packed points where iterations that diverged began, `[point, packed]`.
    """

    variables: Arrays
    reports: Arrays
    terms: Arrays
    stats: Arrays
    divergences: NDArray[np.floating]

    @property
    def quantities(self) -> "Quantities":
        """What is judged: E, variables and reports."""
        return Quantities(self)


class Quantities(Mapping[str, NDArray[Any]]):
    """E, variables and reports of draws, each taken from them only when asked for.

    A quantity that is stored and too large to be read as a whole is a quantity for each of its
    scalars, such as `x[3, 0]`.
    """

    def __init__(self, values: DrawValues) -> None:
        # A quantity of the spec that is called `energy` takes precedence.
        sources = {
            **dict.fromkeys([ENERGY], values.stats),
            **dict.fromkeys(values.variables, values.variables),
            **dict.fromkeys(values.reports, values.reports),
        }
        self._parts = {
            name: part for path, source in sources.items() for name, part in _split(path, source)
        }

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._parts[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)


def _split(path: str, source: Arrays) -> Iterator[tuple[str, Callable[[], NDArray[Any]]]]:
    """Yield a quantity, or each of its scalars, as what reads it. Any: of any dtype."""
    if isinstance(source, StoredArrays):
        shape = source.find_shape(path)
        if len(shape) > 2 and math.prod(shape) > LARGEST_WHOLE:
            for place, index in enumerate(np.ndindex(*shape[2:])):
                name = f"{path}[{', '.join(map(str, index))}]"
                yield name, partial(source.read_scalar, path, place)
            return
    yield path, partial(source.__getitem__, path)
