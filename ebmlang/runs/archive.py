"""Archives of arrays: NumPy's `.npz`, written the same bit for bit, and read without loading it.

Nothing in them is compressed: the last bits of draws are noise. So each array lies in one piece,
and can be mapped into memory where it stands in the file; what is then read of it is what is used.
"""

import math
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

LOCAL_HEADER = struct.Struct("<4s5H3I2H")
"""What stands before each file in a zip archive, up to its name.

Source: PKWARE, .ZIP File Format Specification 6.3.10, section 4.3.7."""


def write_archive(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays under any names. Any: of any dtype.

    Raises:
        OSError: It cannot be written.
    """
    # `numpy.savez` has a parameter called `file`, and a variable may have that name too.
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            # An entry that is made of its name alone has the same date, 1980, whenever it is made.
            entry = zipfile.ZipInfo(f"{name}.npy")
            with archive.open(entry, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array, order="C"), allow_pickle=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Where an array stands in a file.

    Attributes:
        path: The file.
        start: Where its numbers begin [bytes].
        shape, dtype: Of the array.
    """

    path: Path
    start: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def map(self) -> NDArray[Any]:
        """Return the array, mapped to the file. Any: of the dtype."""
        if 0 in self.shape:
            # There is nothing to map.
            return np.empty(self.shape, self.dtype)
        # An array without axes is mapped as one of a single number.
        shape = self.shape or (1,)
        mapped = np.memmap(self.path, dtype=self.dtype, mode="r", offset=self.start, shape=shape)
        return mapped.reshape(self.shape)


def index_archive(path: Path) -> dict[str, Entry]:
    """Return where the arrays of an archive stand, by name.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not an archive that `write_archive` has written, or it was cut short.
    """
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as file:
            size = path.stat().st_size
            return {
                entry.filename.removesuffix(".npy"): _find_entry(path, file, entry, size)
                for entry in archive.infolist()
            }
    except (zipfile.BadZipFile, struct.error) as error:
        raise ValueError(str(error)) from None


def map_archive(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of an archive, mapped to the file, by name. Any: of any dtype.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not an archive that `write_archive` has written, or it was cut short.
    """
    return {name: entry.map() for name, entry in index_archive(path).items()}


def _find_entry(path: Path, file: BinaryIO, entry: zipfile.ZipInfo, size: int) -> Entry:
    if entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError("its arrays are compressed")
    file.seek(entry.header_offset)
    *_, name, extra = LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))
    file.seek(name + extra, 1)
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError("its arrays are of a version that is not known")
    shape, in_columns, dtype = np.lib.format.read_array_header_1_0(file)
    if in_columns or dtype.hasobject:
        raise ValueError("its arrays are not plain numbers")
    start = file.tell()
    if start + dtype.itemsize * math.prod(shape) > size:
        raise ValueError("it was cut short")
    return Entry(path=path, start=start, shape=shape, dtype=dtype)
