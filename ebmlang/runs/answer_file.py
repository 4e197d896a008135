"""Answers by row in a file: as text that grows while the run goes on, or as arrays at its end.

| ending | written | holds after a crash |
| --- | --- | --- |
| `.csv` | chunk by chunk | every chunk that was finished, and no part of a line |
| `.npz` | once, at the end | nothing |
"""

import csv
import io
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

from ebmlang.runs.answers import Answers
from ebmlang.runs.store import require_writable, show_reason, write_atomically
from ebmlang.source import Diagnostic, EbmError


class AnswerFile(Protocol):
    """Where answers go as they are found."""

    def add(self, chunk: Answers) -> None:
        """Take the next rows."""

    def close(self, whole: Answers) -> None:
        """Take the whole, once there is no more."""


@final
class CsvFile:
    """A table that grows by whole chunks.

    The file is open only while a chunk is written, so that others can read it meanwhile.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = 0
        self._rows = 0
        self._is_new = True

    def add(self, chunk: Answers) -> None:
        """Append the rows of a chunk.

        Raises:
            EbmError: E0805 where that fails; the chunks before are kept.
        """
        columns = list(chunk.columns())
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if self._is_new:
            writer.writerow([name for name, _ in columns])
        writer.writerows(zip(*(_cells(values) for _, values in columns), strict=True))
        try:
            self._append(text.getvalue().encode())
        except OSError as error:
            raise self._stop(error) from None
        self._rows += len(chunk)

    def close(self, whole: Answers) -> None:
        """Do nothing: all is written."""

    def _append(self, data: bytes) -> None:
        # Without a buffer, which would be written once more when the file is closed.
        with self._path.open("wb" if self._is_new else "ab", buffering=0) as file:
            self._is_new = False
            try:
                left = memoryview(data)
                while left:
                    left = left[file.write(left) :]
                if self._path.is_file():
                    os.fsync(file.fileno())
            except OSError:
                if self._path.is_file():
                    # What did not fit must not leave a part of a line.
                    os.truncate(self._path, self._size)
                raise
        self._size += len(data)

    def _stop(self, error: OSError) -> EbmError:
        return EbmError(
            Diagnostic(
                code="E0805",
                headline=f"the answers cannot be written any further: {show_reason(error)}",
                notes=(f"`{self._path}` holds the first {self._rows} rows",),
            )
        )


@final
class NpzFile:
    """An archive of arrays by path, written once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, chunk: Answers) -> None:
        """Do nothing: an archive cannot grow."""

    def close(self, whole: Answers) -> None:
        """Write all rows.

        Raises:
            EbmError: E0804.
        """
        arrays: dict[str, NDArray[np.generic]] = {
            "row": np.arange(len(whole)),
            "status": whole.words,
            "energy": whole.energy,
            "feasible": whole.feasible,
            "converged": whole.converged,
            **whole.variables,
            **whole.reports,
        }
        write_atomically(self._path, lambda path: _save(path, arrays))


@final
class NoFile:
    """Nowhere: the answers are kept in memory alone."""

    def add(self, chunk: Answers) -> None:
        """Do nothing."""

    def close(self, whole: Answers) -> None:
        """Do nothing."""


_FILES: Mapping[str, Callable[[Path], AnswerFile]] = {".csv": CsvFile, ".npz": NpzFile}


def open_answers(path: Path | None) -> AnswerFile:
    """Return the file of a run's answers, sure that it can be written.

    Raises:
        EbmError: E0804 where it cannot, or its format is not known.
    """
    if path is None:
        return NoFile()
    make = _FILES.get(path.suffix.lower())
    if make is None:
        raise EbmError(
            Diagnostic(
                code="E0804",
                headline=f"the answers of a table cannot be written to `{path}`",
                helps=("name a file that ends in `.csv` or `.npz`",),
            )
        )
    require_writable(path)
    return make(path)


def _cells(values: NDArray[np.generic]) -> list[object]:
    # Truth values are read back as numbers by everyone, `True` by few.
    shown = values.astype(np.int64) if values.dtype.kind == "b" else values
    return list(shown.tolist())


def _save(path: Path, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    with path.open("wb") as file:
        # mypy: the keyword of savez that is no array is not among the paths.
        np.savez(file, **dict(arrays))  # type: ignore[arg-type]
