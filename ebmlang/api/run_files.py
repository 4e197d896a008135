"""Runs from files: the draws that `ebm sample --out` wrote, or the designs of `ebm solve --out`."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebmlang.api.data_files import make_array, read_data
from ebmlang.source import Diagnostic, EbmError
from ebmlang.source.files import read_bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """Points of a run.

    Attributes:
        kind: `draws` or `designs`.
        values: By path, `[chain, draw, ...]`; designs are one chain.
    """

    kind: str
    values: Mapping[str, NDArray[Any]]
    """Any: float64, int64 or bool."""

    @property
    def count(self) -> int:
        """How many points there are."""
        return next((v.shape[0] * v.shape[1] for v in self.values.values()), 0)


def read_run(path: str | os.PathLike[str], variables: Mapping[str, tuple[int, ...]]) -> Run:
    """Return the points of a run in a file, by its ending `.nc`, `.npz` or `.json`.

    Args:
        path: What `ebm sample --out` or `ebm solve --out` wrote.
        variables: The path and shape of every variable of the spec.

    Raises:
        EbmError: E0801-E0803 for the file, E0710 where it holds no points of this spec.
    """
    place = Path(path)
    match place.suffix.lower():
        case ".nc":
            run = Run(kind="draws", values=_read_netcdf(place))
        case ".json":
            run = _read_json(place)
        case _:
            run = Run(kind="draws", values=read_data(place))
    return Run(kind=run.kind, values=_pick(run, variables, str(place)))


def _read_json(place: Path) -> Run:
    try:
        content = json.loads(read_bytes(place))
    except (ValueError, RecursionError):
        raise _refuse("E0803", f"`{place}` is not JSON") from None
    listed = content.get("designs") if isinstance(content, dict) else None
    if isinstance(listed, list):
        points = [design.get("variables", {}) for design in listed if isinstance(design, dict)]
        paths = points[0] if points else {}
        stacked = {path: [[point.get(path) for point in points]] for path in paths}
        return Run(kind="designs", values=_arrays(stacked, place))
    drawn = content.get("variables") if isinstance(content, dict) else None
    if not (isinstance(drawn, dict) and "energies" in content):
        raise _refuse(
            "E0710",
            f"`{place}` is neither a run of `sample` nor a result of `solve`",
            "write one with `ebm sample --out run.nc` or `ebm solve --out found.json`",
        )
    return Run(kind="draws", values=_arrays(drawn, place))


def _arrays(values: Mapping[str, object], place: Path) -> dict[str, NDArray[Any]]:
    return {path: make_array(value, path, f"`{place}`") for path, value in values.items()}


def _read_netcdf(place: Path) -> dict[str, NDArray[Any]]:
    # Says that the file is not there in the same words as for all others.
    read_bytes(place)
    import xarray

    try:
        with xarray.open_dataset(place, group="posterior", engine="h5netcdf") as group:
            loaded = group.load()
    except (OSError, KeyError, ValueError):
        raise _refuse(
            "E0803",
            f"`{place}` is not a run of `sample`",
            "write one with `ebm sample --out run.nc`",
        ) from None
    return {
        str(name): np.asarray(array.transpose("chain", "draw", ...).values)
        for name, array in loaded.data_vars.items()
        if {"chain", "draw"} <= set(array.dims)
    }


def _pick(run: Run, variables: Mapping[str, tuple[int, ...]], name: str) -> dict[str, NDArray[Any]]:
    """Return the values of the variables, all of their shapes and of one number of points."""
    if run.kind == "designs" and not run.values:
        raise _refuse(
            "E0710",
            f"`{name}` has no designs",
            "its nearest point can be explained alone, with `--at`",
        )
    problems, picked = [], {}
    for path, shape in variables.items():
        found = run.values.get(path)
        if found is None:
            problems.append(f"the run in `{name}` has no values of `{path}`")
        elif found.ndim < 2 or found.shape[2:] != shape:
            problems.append(
                f"`{path}` of the run in `{name}` has shape {list(found.shape)}, and should have "
                f"{['chain', 'draw', *shape]}".replace("'", "")
            )
        else:
            picked[path] = found
    if len({array.shape[:2] for array in picked.values()}) > 1:
        problems.append(f"the variables of the run in `{name}` differ in their number of points")
    elif any(0 in array.shape[:2] for array in picked.values()):
        problems.append(f"the run in `{name}` has no draws")
    if problems:
        raise EbmError(*(Diagnostic(code="E0710", headline=problem) for problem in problems))
    return picked


def _refuse(code: str, headline: str, *helps: str) -> EbmError:
    return EbmError(Diagnostic(code=code, headline=headline, helps=helps))
