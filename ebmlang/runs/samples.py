"""What `sample` drew, whether to trust it, and how it is handed on."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ebmlang.runs.archive import write_archive
from ebmlang.runs.arviz import require_zarr, to_tree
from ebmlang.runs.convergence import QuantitySummary, Verdict
from ebmlang.runs.directory import SUFFIX
from ebmlang.runs.manifest import Manifest
from ebmlang.runs.plain import show_json
from ebmlang.runs.values import ENERGY, DrawValues
from ebmlang.source import Diagnostic, EbmError

if TYPE_CHECKING:
    from xarray import DataTree

Array = NDArray[np.floating]


class Trust(Enum):
    """How a sampling run ended."""

    TRUSTED = "trusted"
    """Nothing speaks against its draws."""
    UNTRUSTED = "untrusted"
    """Something does; the verdict says what."""
    INTERRUPTED = "interrupted"
    """Stopped by the user; the draws are those finished by then."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Samples:
    """Draws of all chains, with the verdict on them.

    Attributes:
        status: How the run ended.
        values: The draws, by name; those of a run that is written to a folder are read from there
            when they are asked for.
        verdict: Whether to trust the run, why, and every quantity's summary.
        manifest: What it is a run of.
    """

    status: Trust
    values: DrawValues
    verdict: Verdict
    manifest: Manifest

    @property
    def draws(self) -> Mapping[str, Array]:
        """The points, by variable path, `[chain, draw, ...]`."""
        return self.values.variables

    @property
    def reports(self) -> Mapping[str, Array]:
        """The quantities that the spec derives, likewise."""
        return self.values.reports

    @property
    def terms(self) -> Mapping[str, Array]:
        """The share of E of each soft term, `[chain, draw]` [nats]."""
        return self.values.terms

    @property
    def energies(self) -> Array:
        """E of each draw, `[chain, draw]` [nats]."""
        return self.values.stats[ENERGY]

    @property
    def acceptance(self) -> Array:
        """Mean acceptance probability of each chain."""
        return np.asarray(self._per_chain("acceptance") / max(1, self.energies.shape[1]))

    @property
    def divergences(self) -> NDArray[np.integer]:
        """Diverged trajectories of each chain."""
        return self._per_chain("diverged")

    @property
    def seed(self) -> int:
        """What all random numbers were made of."""
        return self.manifest.settings.seed

    def _per_chain(self, stat: str) -> NDArray[Any]:
        """Return the sum of a statistic over the draws of each chain. Any: of its dtype."""
        return np.asarray(self.values.stats[stat].sum(axis=1))

    @property
    def summary(self) -> tuple[QuantitySummary, ...]:
        """Mean, spread, error and convergence of every scalar quantity."""
        return self.verdict.table

    def to_arviz(self) -> "DataTree":
        """Return the draws as ArviZ takes them; see `runs.arviz`."""
        return to_tree(self.values, self.manifest, status=self.status.value)

    def describe(self) -> dict[str, Any]:
        """Return all but the draws as a dictionary, for JSON. Any: numbers and texts."""
        chains, draws = self.energies.shape
        settings = self.manifest.settings
        return {
            "status": self.status.value,
            "reasons": list(self.verdict.reasons),
            "advice": list(self.verdict.advice),
            "signs": [concern.sign.value for concern in self.verdict.concerns],
            "remarks": list(self.verdict.remarks),
            "summary": [asdict(row) for row in self.summary],
            "chains": chains,
            "draws": draws,
            "warmup": settings.warmup,
            "thin": settings.thin,
            "method": settings.method,
            "acceptance": self.acceptance,
            "divergences": self.divergences,
            "gradients": self._per_chain("gradients"),
            "seed": settings.seed,
            "versions": self.manifest.versions,
        }

    def write(self, path: Path) -> None:
        """Write the run in the format that the ending of the path names.

        Raises:
            EbmError: E0804 for another ending.
        """
        require_format(path)
        WRITERS[path.suffix](self, path)

    def write_json(self, path: Path) -> None:
        """Write everything as one JSON object."""
        draws = {"variables": self.draws, "report_values": self.reports, "energies": self.energies}
        path.write_text(show_json(self.describe() | draws) + "\n", encoding="utf-8")

    def write_npz(self, path: Path) -> None:
        """Write the draws as NumPy arrays by path; the energies are `energy`."""
        # A quantity of the spec that is called `energy` takes precedence.
        write_archive(path, {ENERGY: self.energies, **self.draws, **self.reports})

    def write_netcdf(self, path: Path) -> None:
        """Write the run as ArviZ stores it."""
        self.to_arviz().to_netcdf(path)

    def write_zarr(self, path: Path) -> None:
        """Write the run as ArviZ stores it, in a folder of small pieces.

        Raises:
            EbmError: E0808 without the package for it.
        """
        require_zarr()
        # What zarr merges into one file may not be read by other programs.
        self.to_arviz().to_zarr(path, consolidated=False)


WRITERS: Mapping[str, Callable[[Samples, Path], None]] = {
    ".nc": Samples.write_netcdf,
    ".zarr": Samples.write_zarr,
    ".npz": Samples.write_npz,
    ".json": Samples.write_json,
}
"""What writes each format, by the ending of the file."""


def require_format(path: Path) -> None:
    """Raise unless draws can be written in the format that the ending names.

    Raises:
        EbmError: E0804, or E0808 where a package is missing for it.
    """
    if path.suffix == ".zarr":
        require_zarr()
    if path.suffix not in WRITERS:
        known = ", ".join(f"`{suffix}`" for suffix in (SUFFIX, *WRITERS))
        raise EbmError(
            Diagnostic(
                code="E0804",
                headline=f"draws cannot be written as `{path.suffix or path.name}`",
                helps=(f"the endings known are {known}",),
            )
        )
