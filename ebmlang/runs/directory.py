"""The folder of a run: what is in it, and how it is read.

    desk.run/
        run.json                what it is a run of: spec, hashes, weights, settings, versions
        data.npz                the data that was bound
        draws-000000001.npz     draws of all chains from the first on, and what is said of each
        draws-000000201.npz     those from the 201st on
        state-000000700.npz     where the sampler was after so many iterations
        verdict.json            the verdict, once the run has come to an end

Each file is written beside its place and moved there when the disk has all of it, so a file that
is there is whole. A chunk of draws names the arrays in it `variables/x`, `reports/gap`,
`terms/reach` and `stats/energy`, each `[chain, draw, ...]`.

The chunks are those that follow each other without a gap. The last of them may be younger than
the last state: a run that goes on makes it again, the same.
"""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ebmlang.runs.archive import Entry, index_archive, map_archive
from ebmlang.runs.manifest import NAME, Manifest, read_manifest, refuse_run
from ebmlang.runs.store import refuse_to_write, show_reason
from ebmlang.runs.stored_arrays import StoredArrays
from ebmlang.runs.values import ENERGY, DrawValues
from ebmlang.source import Diagnostic, EbmError

SUFFIX = ".run"
"""What the name of a run ends in."""

DATA, VERDICT = "data.npz", "verdict.json"

CHUNK_NAME = re.compile(r"draws-(\d{9,})\.npz")
STATE_NAME = re.compile(r"state-(\d{9,})\.npz")

GROUPS = ("variables", "reports", "terms", "stats")
DIVERGENCES = "divergences"


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class RunDirectory:
    """A run on the disk, as it was when it was first looked at.

    Attributes:
        path: Its folder.
        manifest: What it is a run of.
    """

    path: Path
    manifest: Manifest

    @cached_property
    def chunks(self) -> "tuple[dict[str, Entry], ...]":
        """Where the arrays of each chunk stand, in order."""
        found, following = [], 1
        for first, file in _numbered(self.path, CHUNK_NAME):
            if first == following:
                try:
                    index = index_archive(file)
                except ValueError as error:
                    raise refuse_run(self.path, f"`{file.name}`: {error}") from None
                found.append(index)
                following += index[f"stats/{ENERGY}"].shape[1]
        return tuple(found)

    @property
    def draws(self) -> int:
        """Draws of each chain that there are."""
        return sum(index[f"stats/{ENERGY}"].shape[1] for index in self.chunks)

    @property
    def is_finished(self) -> bool:
        """Whether all draws that were asked for are there."""
        return self.draws >= self.manifest.settings.draws

    @property
    def values(self) -> DrawValues:
        """All draws, by name; each quantity is read when it is asked for, and not kept."""
        groups = {group: StoredArrays(self.chunks, group) for group in GROUPS}
        divergences = [index[DIVERGENCES].map() for index in self.chunks]
        return DrawValues(
            **groups,
            divergences=np.concatenate(divergences) if divergences else np.empty((0, 0)),
        )

    def read_data(self) -> dict[str, NDArray[Any]]:
        """Return the data that was bound. Any: numbers or truth values.

        Raises:
            EbmError: E0806 where it cannot be read.
        """
        try:
            return map_archive(self.path / DATA)
        except (OSError, ValueError) as error:
            raise refuse_run(self.path, f"`{DATA}` cannot be read: {error}") from None

    def read_verdict(self) -> dict[str, Any] | None:
        """Return the verdict as plain data, hence Any; None where the run has not ended yet.

        Raises:
            EbmError: E0806 where it cannot be read.
        """
        try:
            verdict: dict[str, Any] = json.loads((self.path / VERDICT).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise refuse_run(self.path, f"`{VERDICT}` cannot be read: {error}") from None
        return verdict


def open_run(path: str | Path) -> RunDirectory:
    """Return the run in a folder.

    Raises:
        EbmError: E0806 where there is none that can be read.
    """
    return RunDirectory(path=Path(path), manifest=read_manifest(Path(path)))


def require_new_run(path: Path) -> None:
    """Raise unless a new run can be made in this folder.

    Raises:
        EbmError: E0804.
    """
    if path.exists():
        if (path / NAME).is_file():
            refusal = f"the results cannot be written to `{path}`: there is a run in it already"
            helps = (
                f"`ebm sample --resume {path}` goes on with it; name another folder for a new one",
            )
            raise EbmError(Diagnostic(code="E0804", headline=refusal, helps=helps))
        raise refuse_to_write(path, "it is there already, and is no run")
    if not path.parent.is_dir():
        raise refuse_to_write(path, f"there is no folder `{path.parent}`")
    # Rights alone do not tell: the disk may be full, or read-only.
    trial = path.with_name(f".{path.stem}.trial{SUFFIX}")
    try:
        trial.mkdir()
        trial.rmdir()
    except OSError as error:
        raise refuse_to_write(path, show_reason(error)) from None


def is_run(path: Path) -> bool:
    """Whether a path is meant to be the folder of a run."""
    return path.suffix == SUFFIX or (path / NAME).is_file()


def name_chunk(first: int) -> str:
    """Return the name of the chunk that begins with a draw, counted from 1."""
    return f"draws-{first:09d}.npz"


def name_state(iteration: int) -> str:
    """Return the name of the state after so many iterations."""
    return f"state-{iteration:09d}.npz"


def list_chunks(path: Path) -> list[tuple[int, Path]]:
    """Return the chunks of a run, each with the number of its first draw, in order."""
    return _numbered(path, CHUNK_NAME)


def list_states(path: Path) -> list[tuple[int, Path]]:
    """Return the states of a run, each with its iteration, in order."""
    return _numbered(path, STATE_NAME)


def _numbered(path: Path, pattern: re.Pattern[str]) -> list[tuple[int, Path]]:
    found = [(pattern.fullmatch(file.name), file) for file in path.iterdir()]
    return sorted((int(match[1]), file) for match, file in found if match)
