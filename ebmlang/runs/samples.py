"""What `sample` drew, whether to trust it, and how it is handed on."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ebmlang.runs.convergence import QuantitySummary, Verdict
from ebmlang.runs.plain import show_json
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
        draws: By variable path, `[chain, draw, ...]`.
        reports: The quantities that the spec derives, likewise.
        energies: E of each draw, `[chain, draw]` [nats].
        acceptance: Mean acceptance probability of each chain.
        divergences: Diverged trajectories of each chain.
        verdict: Whether to trust the run, why, and every quantity's summary.
        seed: What the run was made with.
        warmup: Iterations of each chain before its draws.
        versions: The programs it was made with.
    """

    status: Trust
    draws: Mapping[str, Array]
    reports: Mapping[str, Array]
    energies: Array
    acceptance: Array
    divergences: NDArray[np.integer]
    verdict: Verdict
    seed: int
    warmup: int
    versions: Mapping[str, str]

    @property
    def summary(self) -> tuple[QuantitySummary, ...]:
        """Mean, spread, error and convergence of every scalar quantity."""
        return self.verdict.table

    def to_arviz(self) -> "DataTree":
        """Return the draws as ArviZ takes them: groups `posterior` and `sample_stats`."""
        from arviz_base import from_dict

        chains, draws = self.energies.shape
        stats = {
            "energy": self.energies,
            "acceptance_rate": np.broadcast_to(self.acceptance[:, None], (chains, draws)),
        }
        return from_dict(
            {"posterior": {**self.draws, **self.reports}, "sample_stats": stats},
            attrs={"/": {"seed": self.seed, "status": self.status.value, **self.versions}},
        )

    def describe(self) -> dict[str, Any]:
        """Return all but the draws as a dictionary, for JSON. Any: numbers and texts."""
        chains, draws = self.energies.shape
        return {
            "status": self.status.value,
            "reasons": list(self.verdict.reasons),
            "advice": list(self.verdict.advice),
            "summary": [asdict(row) for row in self.summary],
            "chains": chains,
            "draws": draws,
            "warmup": self.warmup,
            "acceptance": self.acceptance,
            "divergences": self.divergences,
            "seed": self.seed,
            "versions": dict(self.versions),
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
        arrays = {"energy": self.energies, **self.draws, **self.reports}
        with path.open("wb") as file:
            # savez has a parameter called `file`, and a variable may have that name too.
            _write_archive(file, arrays)

    def write_netcdf(self, path: Path) -> None:
        """Write the run as ArviZ stores it."""
        self.to_arviz().to_netcdf(path)


def _write_archive(file: Any, arrays: Mapping[str, Array]) -> None:
    """Write an archive of arrays under any names. Any: a binary file."""
    import zipfile

    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.ascontiguousarray(array))


WRITERS: Mapping[str, Callable[[Samples, Path], None]] = {
    ".nc": Samples.write_netcdf,
    ".npz": Samples.write_npz,
    ".json": Samples.write_json,
}
"""What writes each format, by the ending of the file."""


def require_format(path: Path) -> None:
    """Raise unless draws can be written in the format that the ending names.

    Raises:
        EbmError: E0804.
    """
    if path.suffix not in WRITERS:
        known = ", ".join(f"`{suffix}`" for suffix in WRITERS)
        raise EbmError(
            Diagnostic(
                code="E0804",
                headline=f"draws cannot be written as `{path.suffix or path.name}`",
                helps=(f"the endings known are {known}",),
            )
        )
