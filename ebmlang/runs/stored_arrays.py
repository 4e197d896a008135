"""Arrays of draws that stay on the disk until they are asked for."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ebmlang.runs.archive import Entry


@final
class StoredArrays(Mapping[str, NDArray[Any]]):
    """Arrays of a run by name, `[chain, draw, ...]`, joined from its chunks.

    Each is read when it is asked for, and not kept. Any: of any dtype.
    """

    def __init__(self, chunks: tuple[dict[str, Entry], ...], group: str) -> None:
        """Take the arrays of one group.

        Args:
            chunks: Where the arrays of each chunk stand.
            group: What their names begin with.
        """
        self._chunks, self._group = chunks, group

    def __getitem__(self, name: str) -> NDArray[Any]:
        parts = [entry.map() for entry in self._entries(name)]
        # What is in one piece is not even read, but mapped.
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def __iter__(self) -> Iterator[str]:
        prefix = f"{self._group}/"
        names = self._chunks[0] if self._chunks else {}
        return (name.removeprefix(prefix) for name in names if name.startswith(prefix))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def find_shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an array without reading it."""
        entries = self._entries(name)
        chains, _, *rest = entries[0].shape
        return (chains, sum(entry.shape[1] for entry in entries), *rest)

    def read_scalar(self, name: str, place: int) -> NDArray[Any]:
        """Return one scalar of an array, by its place in C order, `[chain, draw]`."""
        return np.concatenate(
            [
                entry.map().reshape(*entry.shape[:2], math.prod(entry.shape[2:]))[:, :, place]
                for entry in self._entries(name)
            ],
            axis=1,
        )

    def _entries(self, name: str) -> list[Entry]:
        found = [index[f"{self._group}/{name}"] for index in self._chunks]
        if not found:
            raise KeyError(name)
        return found
