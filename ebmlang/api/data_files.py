"""Data files: JSON, NumPy's `.npz`, and CSV with a header, each to arrays by name.

JSON objects inside one another name the givens of parts: `{"left": {"k": 2}}` is `left.k`.
"""

import csv
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebmlang.api.inputs import Data, Source
from ebmlang.source import Diagnostic, EbmError
from ebmlang.source.files import read_bytes

Array = NDArray[Any]
"""Any: numbers or truth values; of which kind, the spec's `given` decides."""

_MOST_DEEP = 100
"""Deepest nesting of a JSON file [levels]; NumPy has at most 64 axes."""


def read_data(path: str | os.PathLike[str]) -> dict[str, Array]:
    """Read a data file as its ending says.

    Raises:
        EbmError: E0801 or E0802 where it cannot be read, E0803 where it is not what it says.
    """
    place = Path(path)
    read = _READERS.get(place.suffix.lower())
    if read is None:
        known = ", ".join(f"`{suffix}`" for suffix in _READERS)
        raise _wrong(f"`{place}` is not of a known format", f"data files end in {known}")
    return read(read_bytes(place), str(place))


def merge_data(data: Data) -> dict[str, Array]:
    """Return the data of files and mappings; of several, a later one wins over an earlier one.

    Mappings may hold anything that NumPy can make an array of.
    """
    merged: dict[str, Array] = {}
    for source in _list_sources(data):
        if isinstance(source, Mapping):
            merged |= {path: make_array(value, path) for path, value in source.items()}
        else:
            merged |= read_data(source)
    return merged


def _list_sources(data: Data) -> Iterable[Source]:
    if data is None:
        return ()
    return (data,) if isinstance(data, Mapping | str | os.PathLike) else data


def make_array(value: object, path: str, where: str = "the data") -> Array:
    """Return a value as an array of numbers or truth values.

    Raises:
        EbmError: E0803 where it is not one.
    """
    problem = f"{where} for `{path}` cannot be read as an array of numbers"
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError, OverflowError):
        raise _wrong(problem, "its rows differ in length, or it holds something else") from None
    if array.dtype.kind == "O" and array.ndim == 0:
        raise _wrong(problem, f"it is `{value!r}`"[:200])
    if array.dtype.kind not in "biuf":
        raise _wrong(problem, f"it holds `{array.ravel()[0]!r}`"[:200] if array.size else "")
    return array


def _read_json(data: bytes, name: str) -> dict[str, Array]:
    try:
        value = json.loads(data)
    except json.JSONDecodeError as error:
        raise _wrong(
            f"`{name}` is not JSON", f"line {error.lineno}, column {error.colno}: {error.msg}"
        ) from None
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        raise _wrong(f"`{name}` is not JSON", type(error).__name__) from None
    if not isinstance(value, dict):
        raise _wrong(f"`{name}` is not an object with a name for each value", 'as in {"y": [1, 2]}')
    return {path: make_array(item, path, f"`{name}`") for path, item in _flatten(value, "", 0)}


def _flatten(value: Mapping[str, object], prefix: str, depth: int) -> Iterable[tuple[str, object]]:
    for key, item in value.items():
        if isinstance(item, dict) and depth < _MOST_DEEP:
            yield from _flatten(item, f"{prefix}{key}.", depth + 1)
        else:
            yield f"{prefix}{key}", item


def _read_npz(data: bytes, name: str) -> dict[str, Array]:
    try:
        # Pickles can run code, so they are never read.
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise _wrong(f"`{name}` is not an archive of arrays", "write it with `numpy.savez`")
            return {path: make_array(archive[path], path, f"`{name}`") for path in archive.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, KeyError, TypeError):
        raise _wrong(
            f"`{name}` is not an archive of arrays", "write it with `numpy.savez`"
        ) from None


def _read_csv(data: bytes, name: str) -> dict[str, Array]:
    try:
        rows = [row for row in csv.reader(io.StringIO(data.decode("utf-8-sig"))) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise _wrong(f"`{name}` is not CSV", str(error)) from None
    if not rows:
        raise _wrong(f"`{name}` is empty", "its first line names the columns")
    header = [cell.strip() for cell in rows[0]]
    if any(_number(cell) is not None for cell in header):
        raise _wrong(f"`{name}` has no header", "its first line names the columns")
    if len(set(header)) < len(header):
        raise _wrong(f"`{name}` has two columns of one name", f"its header is `{rows[0]}`")
    columns: dict[str, list[float | int]] = {column: [] for column in header}
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise _wrong(
                f"row {line} of `{name}` has {len(row)} cells, and the header {len(header)}", ""
            )
        for column, cell in zip(header, row, strict=True):
            number = _number(cell.strip())
            if number is None:
                raise _wrong(
                    f"`{name}` holds `{cell}`, which is not a number",
                    f"row {line}, column `{column}`",
                )
            columns[column].append(number)
    return {column: np.asarray(values) for column, values in columns.items()}


def _number(cell: str) -> int | float | None:
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    # An empty cell is a missing number, and reported as such.
    return float("nan") if not cell else None


def _wrong(headline: str, note: str) -> EbmError:
    return EbmError(Diagnostic(code="E0803", headline=headline, notes=(note,) if note else ()))


_READERS: Mapping[str, Callable[[bytes, str], dict[str, Array]]] = MappingProxyType(
    {".json": _read_json, ".npz": _read_npz, ".csv": _read_csv}
)

SUFFIXES = tuple(_READERS)
"""What the names of data files end in."""
