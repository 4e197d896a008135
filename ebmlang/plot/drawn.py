"""Draws of a run for pictures: scalars one at a time, and some draws whole, from memory or disk."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebmlang.plot.numbers import tame
from ebmlang.plot.shapes import may_have_shape
from ebmlang.runs.directory import RunDirectory
from ebmlang.runs.samples import Samples
from ebmlang.runs.stored_arrays import StoredArrays
from ebmlang.runs.values import ENERGY, LARGEST_WHOLE

Floats = NDArray[np.float64]

MOST_WHOLE = 2000
"""Draws that are drawn whole, evenly spaced over the run."""

LIMIT = 1.01
"""R-hat up to which no quantity is worse than another (Vehtari and others 2021, section 4)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SampledRun:
    """What a picture of draws needs.

    Attributes:
        status: How the run ended, in words.
        variables, reports: By path, `[chain, draw, ...]`. Any: of any dtype.
        energies: `[chain, draw]` [nats].
        health: By the name of a scalar quantity, R-hat and bulk effective sample size; empty
            where nothing has judged the run.
    """

    status: str
    variables: Mapping[str, NDArray[Any]]
    reports: Mapping[str, NDArray[Any]]
    energies: NDArray[Any]
    health: Mapping[str, tuple[float, float]]

    @property
    def scalars(self) -> dict[str, tuple[str, int | None]]:
        """Every scalar by its name, with the quantity that it is of and its place in it."""
        found: dict[str, tuple[str, int | None]] = {ENERGY: (ENERGY, None)}
        for path in [*self.variables, *self.reports]:
            shape = self._shape(path)[2:]
            for place, index in enumerate(np.ndindex(*shape)):
                name = f"{path}[{', '.join(map(str, index))}]" if shape else path
                found[name] = (path, place)
        return found

    def read(self, name: str) -> Floats:
        """Return a scalar at all draws, `[chain, draw]`."""
        path, place = self.scalars[name]
        if place is None:
            return tame(self.energies)
        source = self.variables if path in self.variables else self.reports
        if isinstance(source, StoredArrays):
            # The others stay on the disk.
            return tame(source.read_scalar(path, place))
        values = source[path]
        return tame(values.reshape(*values.shape[:2], -1)[:, :, place])

    def pick(self, source: Mapping[str, NDArray[Any]]) -> dict[str, Floats]:
        """Return some draws of what may be drawn whole, evenly spaced, `[point, ...]`.

        Args:
            source: The variables, or the reports.
        """
        chains, draws = self.energies.shape
        rows = np.linspace(0, chains * draws - 1, min(chains * draws, MOST_WHOLE)).astype(int)
        # By draw and then by chain, so that all chains are seen, and all of the run.
        return {
            path: tame(source[path][rows % chains, rows // chains])
            for path in source
            if may_have_shape(path, self._shape(path)[2:])
            and math.prod(self._shape(path)) <= LARGEST_WHOLE
        }

    def rank(self, names: Sequence[str]) -> list[str]:
        """Return names of scalars, those first whose draws are worst."""

        def badness(name: str) -> tuple[float, float]:
            rhat, size = self.health.get(name, (np.nan, np.nan))
            excess = max(LIMIT, rhat) if rhat == rhat else LIMIT
            return -excess, size if size == size else np.inf

        return sorted(names, key=badness)

    def _shape(self, path: str) -> tuple[int, ...]:
        source = self.variables if path in self.variables else self.reports
        return source.find_shape(path) if isinstance(source, StoredArrays) else source[path].shape


def take_samples(samples: Samples) -> SampledRun:
    """Return draws of this process."""
    return SampledRun(
        status=samples.status.value,
        variables=samples.draws,
        reports=samples.reports,
        energies=samples.energies,
        health={row.name: (row.agreement, row.ess_bulk) for row in samples.summary},
    )


def take_run(run: RunDirectory) -> SampledRun:
    """Return draws from the folder of a run, ended or not.

    Raises:
        EbmError: E0806 where it cannot be read.
    """
    verdict = run.read_verdict()
    values = run.values
    return SampledRun(
        status="unfinished" if verdict is None else str(verdict["status"]),
        variables=values.variables,
        reports=values.reports,
        energies=values.stats[ENERGY] if run.draws else np.empty((0, 0)),
        health=_read_health([] if verdict is None else verdict["summary"]),
    )


# Any: what JSON holds.
def read_drawn(described: Mapping[str, Any]) -> SampledRun | None:
    """Return what `ebm sample --out NAME.json` has written; None where it is something else."""
    variables, energies = described.get("variables"), described.get("energies")
    if not isinstance(variables, Mapping) or not isinstance(energies, list):
        return None
    reports = described.get("report_values")
    try:
        return SampledRun(
            status=str(described.get("status", "")),
            variables={path: np.asarray(v, dtype=np.float64) for path, v in variables.items()},
            reports={
                path: np.asarray(v, dtype=np.float64)
                for path, v in (reports if isinstance(reports, Mapping) else {}).items()
            },
            energies=np.asarray(energies, dtype=np.float64),
            health=_read_health(described.get("summary", [])),
        )
    except (ValueError, TypeError, KeyError):
        return None


def _read_health(rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[float, float]]:
    """Return R-hat, nested where there is one, and the effective size; null is no number."""
    found = {}
    for row in rows:
        rhat = row.get("nested_rhat")
        rhat = row.get("rhat") if rhat is None else rhat
        size = row.get("ess_bulk")
        found[str(row["name"])] = (
            np.nan if rhat is None else float(rhat),
            np.nan if size is None else float(size),
        )
    return found
