"""Writing results so that a file is either whole or not there at all."""

import os
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
        raise _refuse(path, "it is a folder")
    folder = path.parent
    if not folder.is_dir():
        raise _refuse(path, f"there is no folder `{folder}`")
    if path.exists():
        if not os.access(path, os.W_OK):
            raise _refuse(path, "it is there and cannot be changed")
        if not path.is_file():
            return
    try:
        # Rights alone do not tell: the disk may be full, or read-only.
        with tempfile.NamedTemporaryFile(dir=folder, prefix=f".{path.name}."):
            pass
    except OSError as error:
        raise _refuse(path, (error.strerror or str(error)).lower()) from None


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file beside its place, and move it there once it is whole.

    Args:
        path: Where the file belongs; a device, such as `/dev/stdout`, is written directly.
        write: Writes the whole content to the path that it gets.

    Raises:
        EbmError: E0804.
    """
    if path.exists() and not path.is_file():
        write(path)
        return
    unfinished = path.with_name(f".{path.name}.{os.getpid()}{path.suffix}")
    try:
        write(unfinished)
        unfinished.replace(path)
    except OSError as error:
        raise _refuse(path, (error.strerror or str(error)).lower()) from None
    finally:
        unfinished.unlink(missing_ok=True)


def _refuse(path: Path, reason: str) -> EbmError:
    return EbmError(
        Diagnostic(
            code="E0804",
            headline=f"the results cannot be written to `{path}`: {reason}",
            helps=("name a file in a folder that exists, such as `--out result.json`",),
        )
    )
