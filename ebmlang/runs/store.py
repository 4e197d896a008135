"""Writing results so that a file is either whole or not there at all, whatever happens when."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from ebmlang.source import Diagnostic, EbmError


def require_writable(path: Path) -> None:
    """Raise unless a file can be written here; asked before long work, not after it.

    Raises:
        EbmError: E0804.
    """
    if path.is_dir():
        raise refuse_to_write(path, "it is a folder")
    folder = path.parent
    if not folder.is_dir():
        raise refuse_to_write(path, f"there is no folder `{folder}`")
    if path.exists():
        if not os.access(path, os.W_OK):
            raise refuse_to_write(path, "it is there and cannot be changed")
        if not path.is_file():
            return
    try:
        # Rights alone do not tell: the disk may be full, or read-only.
        with tempfile.NamedTemporaryFile(dir=folder, prefix=f".{path.name}."):
            pass
    except OSError as error:
        raise refuse_to_write(path, show_reason(error)) from None


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file, or a folder of files, beside its place, and move it there once it is whole.

    Args:
        path: Where the file belongs; a device, such as `/dev/stdout`, is written directly.
        write: Writes the whole content to the path that it gets.

    Raises:
        EbmError: E0804.
    """
    if path.exists() and not path.is_file():
        write(path)
        return
    try:
        write_durably(path, write)
    except OSError as error:
        raise refuse_to_write(path, show_reason(error)) from None


def write_durably(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file beside its place, and move it there once the disk has all of it.

    After a crash, of the process or of the machine, there is the file before or the file after,
    and never a part of one. What is left of one that was not finished begins with a dot.

    Raises:
        OSError: It cannot be written; there is then nothing new.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}{path.suffix}")
    try:
        write(unfinished)
        inside = unfinished.rglob("*") if unfinished.is_dir() else [unfinished]
        for file in inside:
            _flush(file)
        unfinished.replace(path)
        _flush(path.parent)
    finally:
        if unfinished.is_dir():
            shutil.rmtree(unfinished)
        else:
            unfinished.unlink(missing_ok=True)


def show_reason(error: OSError) -> str:
    """Return why a file cannot be used, in the words of the system."""
    return (error.strerror or str(error)).lower()


def refuse_to_write(path: Path, reason: str) -> EbmError:
    """Return the error of a result that cannot be written where it should."""
    return EbmError(
        Diagnostic(
            code="E0804",
            headline=f"the results cannot be written to `{path}`: {reason}",
            helps=("name a file in a folder that exists, such as `--out result.json`",),
        )
    )


def _flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    if os.name == "nt" and path.is_dir():
        # Windows opens no folders; it writes their names by itself.
        return
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
