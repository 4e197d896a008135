"""Writing a run as it goes: begun once, gone on with as often as it takes."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, final

from ebmlang.lower.module import CompiledEnergy
from ebmlang.runs.archive import write_archive
from ebmlang.runs.directory import (
    DATA,
    DIVERGENCES,
    GROUPS,
    VERDICT,
    RunDirectory,
    list_chunks,
    list_states,
    name_chunk,
    name_state,
    require_new_run,
)
from ebmlang.runs.manifest import NAME, Manifest
from ebmlang.runs.moments import NO_MOMENTS, Moments, add_draws
from ebmlang.runs.plain import show_json
from ebmlang.runs.run_state import RunState
from ebmlang.runs.store import refuse_to_write, show_reason, write_durably
from ebmlang.runs.unpacking import read_values
from ebmlang.runs.values import Arrays, DrawValues
from ebmlang.runtime.checkpoint import flatten
from ebmlang.sample import Chunk, Place
from ebmlang.source import Diagnostic, EbmError

SECONDS_PER_MARK = 1.0
"""Least time between two states that are written during the warm-up [s]."""

STATES_KEPT = 2
"""States that are kept, the latest; the one before serves where a disk loses the last one."""


def create_run(path: Path, manifest: Manifest, data: Arrays) -> RunDirectory:
    """Make the folder of a run, with all that it depends on.

    Raises:
        EbmError: E0804 where it cannot be made.
    """
    require_new_run(path)

    def write(folder: Path) -> None:
        folder.mkdir()
        manifest.write(folder / NAME)
        write_archive(folder / DATA, data)

    try:
        write_durably(path, write)
    except OSError as error:
        raise refuse_to_write(path, show_reason(error)) from None
    return RunDirectory(path=path, manifest=manifest)


def reopen_run(run: RunDirectory, manifest: Manifest, state: RunState | None) -> RunDirectory:
    """Prepare a run to go on: a new manifest, and nothing in the way.

    Draws that are younger than the state stay until the same draws take their place.

    Raises:
        EbmError: E0805 where the folder cannot be written to.
    """
    done, after = (0, -1) if state is None else (state.draws, state.place.iteration)
    read = {entry.path for index in run.chunks for entry in index.values()}
    stale = [file for _, file in list_chunks(run.path) if file not in read]
    # Of states that are later and cannot be read, none may be taken for the latest one.
    stale += [file for iteration, file in list_states(run.path) if iteration > after]
    try:
        for file in [*stale, *run.path.glob(".*"), run.path / VERDICT]:
            file.unlink(missing_ok=True)
        write_durably(run.path / NAME, manifest.write)
    except OSError as error:
        raise _stop(run.path, done, manifest.settings.draws, error) from None
    return RunDirectory(path=run.path, manifest=manifest)


def finish_run(run: RunDirectory, verdict: dict[str, Any]) -> None:
    """Write the verdict; Any: it is plain data.

    Raises:
        EbmError: E0805.
    """

    def write(file: Path) -> None:
        file.write_text(show_json(verdict) + "\n", encoding="utf-8")

    try:
        write_durably(run.path / VERDICT, write)
    except OSError as error:
        raise _stop(run.path, run.draws, run.manifest.settings.draws, error) from None


@final
class DirectorySink:
    """Writes draws into the folder of a run, and where the sampler is after them."""

    def __init__(self, run: RunDirectory, module: CompiledEnergy, state: RunState | None) -> None:
        """Go on after a state, or begin.

        Args:
            run: The folder.
            module: What the draws are drawn from, bound to its data.
            state: Where to go on from; the beginning if None.
        """
        self._run, self._module = run, module
        self._moments: Moments = NO_MOMENTS if state is None else state.moments
        self._draws = 0 if state is None else state.draws
        self._seconds = (0.0, 0.0) if state is None else state.seconds
        self._since = self._marked = time.monotonic()

    @property
    def seconds(self) -> dict[str, float]:
        """Time that the warm-up and the draws took, in all processes together [s]."""
        return dict(zip(("warmup", "draws"), self._seconds, strict=True))

    def warmed(self, place: Place[Any]) -> None:
        """Write where the warm-up is, unless that was written a moment ago and it goes on."""
        self._count_time(drawing=False)
        is_over = place.iteration == self._run.manifest.settings.warmup
        if is_over or self._since - self._marked >= SECONDS_PER_MARK:
            self._marked = self._since
            self._write_state(place)

    def write(self, chunk: Chunk, place: Place[Any]) -> None:
        """Write draws, and then where the sampler is after them."""
        values = read_values(self._module, chunk)
        arrays = {
            f"{group}/{name}": array
            for group in GROUPS
            for name, array in _find_group(values, group).items()
        }
        arrays[DIVERGENCES] = values.divergences
        name = name_chunk(chunk.first + 1)
        self._write(name, lambda file: write_archive(file, arrays))
        self._draws = chunk.first + chunk.points.shape[1]
        self._moments = add_draws(self._moments, values.quantities)
        self._count_time(drawing=True)
        self._write_state(place)

    def _count_time(self, *, drawing: bool) -> None:
        now = time.monotonic()
        warming, draws = self._seconds
        spent = now - self._since
        self._seconds = (warming, draws + spent) if drawing else (warming + spent, draws)
        self._since = now

    def _write_state(self, place: Place[Any]) -> None:
        state = RunState(
            place=place, draws=self._draws, moments=self._moments, seconds=self._seconds
        )
        arrays = flatten(state)
        self._write(name_state(place.iteration), lambda file: write_archive(file, arrays))
        for _, file in list_states(self._run.path)[:-STATES_KEPT]:
            file.unlink(missing_ok=True)

    def _write(self, name: str, write: Callable[[Path], None]) -> None:
        try:
            write_durably(self._run.path / name, write)
        except OSError as error:
            wanted = self._run.manifest.settings.draws
            raise _stop(self._run.path, self._draws, wanted, error) from None


def _find_group(values: DrawValues, group: str) -> Arrays:
    groups = {
        "variables": values.variables,
        "reports": values.reports,
        "terms": values.terms,
        "stats": values.stats,
    }
    return groups[group]


def _stop(path: Path, done: int, wanted: int, error: OSError) -> EbmError:
    return EbmError(
        Diagnostic(
            code="E0805",
            headline=f"the run stopped after {done} of {wanted} draws: `{path}` cannot be written "
            f"to: {show_reason(error)}",
            notes=("what was finished before is kept",),
            helps=(f"once it can be written to, `ebm sample --resume {path}` goes on with it",),
        )
    )
