"""Runs from disk: the draws that `ebm sample --out` wrote, or the designs of `ebm solve --out`."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ebmlang.api.data_files import make_array, read_data
from ebmlang.runs import Design, Designs, Samples
from ebmlang.runs.directory import is_run, open_run
from ebmlang.runs.values import ENERGY
from ebmlang.source import Diagnostic, EbmError
from ebmlang.source.files import read_bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """Points of a run.

    Attributes:
        kind: `draws` or `designs`.
        values: By path, `[chain, draw, ...]`; designs are one chain.
        energies: What the run itself says of E, `[chain, draw]` [nats]; None where it does not.
    """

    kind: str
    values: Mapping[str, NDArray[Any]]
    """Any: float64, int64 or bool."""
    energies: NDArray[np.floating] | None = None

    @property
    def count(self) -> int:
        """How many points there are."""
        return next((v.shape[0] * v.shape[1] for v in self.values.values()), 0)


RunLike: TypeAlias = Run | Samples | Designs | Design | str | os.PathLike[str]
"""A run, as it was returned or written."""


def take_run(source: RunLike, variables: Mapping[str, tuple[int, ...]]) -> Run:
    """Return the points of a run, whatever it comes as.

    Args:
        source: The run, or the name of its file.
        variables: The path and shape of every variable of the spec.

    Raises:
        EbmError: E0801-E0803 for a file, E0710 where it holds no points of this spec.
    """
    match source:
        case Run():
            return source
        case Samples():
            run = Run(kind="draws", values=source.draws, energies=source.energies)
        case Design():
            run = _stack([source])
        case Designs():
            run = _stack(source.designs)
        case _:
            return read_run(source, variables)
    return replace(run, values=_pick(run, variables, "the run"))


def _stack(designs: Sequence[Design]) -> Run:
    paths = designs[0].variables if designs else {}
    return Run(
        kind="designs",
        values={path: np.stack([one.variables[path] for one in designs])[None] for path in paths},
        energies=np.array([[one.energy for one in designs]]),
    )


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
        case _ if is_run(place):
            stored = open_run(place).values
            run = Run(kind="draws", values=stored.variables, energies=stored.stats[ENERGY])
        case ".nc":
            run = _read_netcdf(place)
        case ".json":
            run = _read_json(place)
        case _:
            read = dict(_read_arrays(place))
            energies = None if "energy" in variables else read.get("energy")
            run = Run(kind="draws", values=read, energies=energies)
    return replace(run, values=_pick(run, variables, f"the run in `{place}`"))


def _read_arrays(place: Path) -> Mapping[str, NDArray[Any]]:
    # A file that is not there is said to be missing, whatever its ending.
    if not place.exists():
        read_bytes(place)
    return read_data(place)


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
        energies = [design.get("energy") for design in listed if isinstance(design, dict)]
        return Run(
            kind="designs", values=_arrays(stacked, place), energies=_energies([energies], place)
        )
    drawn = content.get("variables") if isinstance(content, dict) else None
    if not (isinstance(drawn, dict) and "energies" in content):
        raise _refuse(
            "E0710",
            f"`{place}` is neither a run of `sample` nor a result of `solve`",
            "write one with `ebm sample --out run.nc` or `ebm solve --out found.json`",
        )
    return Run(
        kind="draws",
        values=_arrays(drawn, place),
        energies=_energies(content["energies"], place),
    )


def _energies(rows: object, place: Path) -> NDArray[np.floating] | None:
    """Return the energies of a run; JSON has null for those that are not finite."""
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        return None
    known = [[math.nan if value is None else value for value in row] for row in rows]
    return make_array(known, "energies", f"`{place}`")


def _arrays(values: Mapping[str, object], place: Path) -> dict[str, NDArray[Any]]:
    return {path: make_array(value, path, f"`{place}`") for path, value in values.items()}


def _read_netcdf(place: Path) -> Run:
    # Says that the file is not there in the same words as for all others.
    read_bytes(place)
    import xarray

    try:
        with xarray.open_dataset(place, group="posterior", engine="h5netcdf") as group:
            loaded = group.load()
        energies = _read_energies(place)
    except (OSError, KeyError, ValueError):
        raise _refuse(
            "E0803",
            f"`{place}` is not a run of `sample`",
            "write one with `ebm sample --out run.nc`",
        ) from None
    values = {
        str(name): np.asarray(array.transpose("chain", "draw", ...).values)
        for name, array in loaded.data_vars.items()
        if {"chain", "draw"} <= set(array.dims)
    }
    return Run(kind="draws", values=values, energies=energies)


def _read_energies(place: Path) -> NDArray[Any] | None:
    import xarray

    with xarray.open_datatree(place, engine="h5netcdf") as tree:
        stats = tree.children.get("sample_stats")
        if stats is None or "energy" not in stats.data_vars:
            return None
        return np.asarray(stats["energy"].transpose("chain", "draw").values)


def _pick(run: Run, variables: Mapping[str, tuple[int, ...]], name: str) -> dict[str, NDArray[Any]]:
    """Return the values of the variables, all of their shapes and of one number of points."""
    if run.kind == "designs" and not run.values:
        raise _refuse(
            "E0710",
            f"{name} has no designs",
            "its nearest point can be explained alone, with `--at`",
        )
    problems, picked = [], {}
    for path, shape in variables.items():
        found = run.values.get(path)
        if found is None:
            problems.append(f"{name} has no values of `{path}`")
        elif found.ndim < 2 or found.shape[2:] != shape:
            problems.append(
                f"`{path}` of {name} has shape {list(found.shape)}, and should have "
                f"{['chain', 'draw', *shape]}".replace("'", "")
            )
        else:
            picked[path] = found
    if len({array.shape[:2] for array in picked.values()}) > 1:
        problems.append(f"the variables of {name} differ in their number of points")
    elif any(0 in array.shape[:2] for array in picked.values()):
        problems.append(f"{name} has no draws")
    if problems:
        raise EbmError(*(Diagnostic(code="E0710", headline=problem) for problem in problems))
    return picked


def _refuse(code: str, headline: str, *helps: str) -> EbmError:
    return EbmError(Diagnostic(code=code, headline=headline, helps=helps))
