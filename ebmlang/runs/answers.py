"""What `solve_each` found: the best design of every row of a table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray


class RowStatus(IntEnum):
    """How the search for one row ended; the order is from good to bad."""

    SOLVED = 0
    """Its design holds every requirement, and is at rest."""
    UNFINISHED = 1
    """Its search did not come to rest: a longer one might find a better design, or a feasible one
    where it was cut short."""
    INFEASIBLE = 2
    """No point was found that holds every requirement; the nearest is shown."""
    NOT_FINITE = 3
    """The energy is not finite at any starting point."""
    BAD_DATA = 4
    """Its data cannot be used."""
    NOT_REACHED = 5
    """The run ended before it."""

    @property
    def word(self) -> str:
        """The outcome in words."""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """One design per row, as columns; rows count from 0.

    A row without a point has `nan` in every column. One that is infeasible has the point of least
    violation that was found.

    Attributes:
        first: The number of the first row.
        status: A `RowStatus` for each.
        energy: The sum of the soft terms [nats].
        feasible: Whether every requirement holds, exactly.
        converged: Whether the search came to rest.
        variables: The designs, by path, each `[row, ...]`.
        reports: The quantities that the spec derives, likewise.
        reason: Why the run ended, in words.
        interrupted: Whether the user stopped it.
        seed: What the starts were drawn with.
        starts: How many there were of each row.
        versions: The programs it was made with.
    """

    first: int = 0
    status: NDArray[np.uint8]
    energy: NDArray[np.float64]
    feasible: NDArray[np.bool_]
    converged: NDArray[np.bool_]
    variables: Mapping[str, NDArray[np.float64]]
    reports: Mapping[str, NDArray[np.float64]]
    reason: str
    interrupted: bool
    seed: int
    starts: int
    versions: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.status)

    def count(self, outcome: RowStatus) -> int:
        """Return how many rows ended so."""
        return int((self.status == outcome).sum())

    def find(self, outcome: RowStatus) -> NDArray[np.intp]:
        """Return the numbers of the rows that ended so."""
        return np.flatnonzero(self.status == outcome) + self.first

    @property
    def words(self) -> NDArray[np.str_]:
        """How each row ended, in words."""
        return np.asarray([row.word for row in RowStatus])[self.status]

    @property
    def has_all(self) -> bool:
        """Whether every row has a design that holds every requirement."""
        return bool(self.feasible.all())

    def columns(self) -> Iterator[tuple[str, NDArray[np.generic]]]:
        """Yield the columns of the table, arrays taken apart: `y[0]`, `y[1]`, ..."""
        yield "row", np.arange(self.first, self.first + len(self))
        yield "status", self.words
        yield "energy", self.energy
        yield "feasible", self.feasible
        yield "converged", self.converged
        for path, values in {**self.variables, **self.reports}.items():
            for index in np.ndindex(values.shape[1:]):
                name = f"{path}[{','.join(map(str, index))}]" if index else path
                yield name, values[(slice(None), *index)]

    def describe(self) -> dict[str, Any]:
        """Return the whole as a dictionary, for JSON. Any: arrays and numbers."""
        return {
            "rows": len(self),
            "outcomes": {row.word: self.count(row) for row in RowStatus if self.count(row)},
            "reason": self.reason,
            "seed": self.seed,
            "starts": self.starts,
            "versions": dict(self.versions),
            "columns": dict(self.columns()),
        }
