"""Runs as ArviZ and xarray have them: one tree of labeled arrays, for every plot and statistic.

- `posterior`: variables and reports, by path.
- `sample_stats`: E as `energy`, -E as `lp`; `diverging`, `acceptance_rate` and `n_steps` as ArviZ
  names them; and what else the sampler says of each draw.
- `term_energies`: the share of E of each soft term.
- `constant_data`: the data, where the run has kept it.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ebmlang.runs.directory import RunDirectory, open_run
from ebmlang.runs.manifest import Manifest
from ebmlang.runs.values import ENERGY, DrawValues
from ebmlang.source import Diagnostic, EbmError

if TYPE_CHECKING:
    from xarray import DataTree

NAMES = {"acceptance": "acceptance_rate", "gradients": "n_steps"}
"""What ArviZ calls a statistic, where we call it something else."""


def to_arviz(run: RunDirectory | str | Path) -> "DataTree":
    """Return a run from its folder as ArviZ takes it, finished or not.

    Raises:
        EbmError: E0806 where there is no run that can be read.
    """
    opened = run if isinstance(run, RunDirectory) else open_run(Path(run))
    verdict = opened.read_verdict()
    status = "running" if verdict is None else str(verdict["status"])
    return to_tree(opened.values, opened.manifest, status=status, data=opened.read_data())


def to_tree(
    values: DrawValues,
    manifest: Manifest,
    *,
    status: str,
    data: Mapping[str, NDArray[Any]] | None = None,
) -> "DataTree":
    """Return draws as ArviZ takes them.

    Args:
        values: The draws.
        manifest: What they are draws of.
        status: How the run ended.
        data: What was bound. Any: numbers or truth values.
    """
    # ArviZ takes a second to import, and most commands do not need it.
    from arviz_base import from_dict

    groups: dict[str, dict[str, NDArray[Any]]] = {
        "posterior": {**values.variables, **values.reports},
        "sample_stats": _show_stats(values),
    }
    if values.terms:
        groups["term_energies"] = dict(values.terms)
    if data:
        groups["constant_data"] = dict(data)
    settings = manifest.settings
    attributes = {
        "spec": manifest.name,
        "spec_hash": manifest.spec_hash,
        "data_hash": manifest.data_hash,
        "seed": settings.seed,
        "warmup": settings.warmup,
        "thin": settings.thin,
        "method": settings.method,
        "status": status,
        **manifest.versions,
    }
    tree: DataTree = from_dict(groups, attrs={"/": attributes})
    return tree


def require_zarr() -> None:
    """Raise unless zarr is there.

    Raises:
        EbmError: E0808.
    """
    if find_spec("zarr") is None:
        raise EbmError(
            Diagnostic(
                code="E0808",
                headline="the ending `.zarr` needs the package `zarr`, which is not installed",
                helps=("`pip install 'ebmlang[zarr]'` installs it; `.nc` needs nothing more",),
            )
        )


def _show_stats(values: DrawValues) -> dict[str, NDArray[Any]]:
    stats = {NAMES.get(name, name): array for name, array in values.stats.items()}
    diverged = stats.pop("diverged")
    return {**stats, "lp": -stats[ENERGY], "diverging": np.asarray(diverged > 0)}
