"""Reading source files from disk, without trusting what is in them.

A file is text in UTF-8, with or without a byte order mark, with line breaks of any system.
Imports stay inside the folder of the main file and the standard library, whatever links and
dots a path has in it.
"""

from collections.abc import Sequence
from pathlib import Path

from ebmlang.source.diagnostic import Diagnostic, EbmError, Label
from ebmlang.source.limits import FILE_BYTES
from ebmlang.source.text import SourceText

SUFFIX = ".ebm"
"""The ending of source files."""

STANDARD_LIBRARY = Path(__file__).resolve().parent.parent / "std"
"""The folder of the modules `std.…`."""


def read_source(path: str | Path) -> SourceText:
    """Read a source file; its messages will show the path just as it is given here.

    Raises:
        EbmError: E0801 no such file, E0802 it cannot be read, E0109 it is not text.
    """
    return decode_source(read_bytes(path, limit=FILE_BYTES), str(path))


def read_bytes(path: str | Path, *, limit: int) -> bytes:
    """Read a file of at most `limit` bytes.

    Raises:
        EbmError: E0801 no such file, E0802 it cannot be read, E0109 it is longer.
    """
    place = Path(path)
    try:
        if place.is_dir():
            raise _unreadable(path, "it is a folder")
        with place.open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        raise EbmError(_missing(place)) from None
    except (OSError, ValueError) as error:
        # ValueError: a path with a NUL in it.
        reason = getattr(error, "strerror", None) or str(error)
        raise _unreadable(path, reason.lower()) from None
    if len(data) > limit:
        raise EbmError(
            Diagnostic(
                code="E0109",
                headline=f"`{path}` is longer than the {limit:,} bytes that a file may have",
            )
        )
    return data


def decode_source(data: bytes, name: str) -> SourceText:
    """Turn the bytes of a file into text, its line breaks into one line feed each.

    Raises:
        EbmError: E0109 where the bytes are not text in UTF-8.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise EbmError(
            Diagnostic(
                code="E0109",
                headline=f"`{name}` is not text in UTF-8",
                notes=(f"line {line} has the byte 0x{data[error.start]:02x}",),
                helps=("save the file as UTF-8",),
            )
        ) from None
    source = SourceText(name, text.replace("\r\n", "\n").replace("\r", "\n"))
    zero = source.text.find("\0")
    if zero >= 0:
        raise EbmError(
            Diagnostic(
                code="E0109",
                headline=f"`{name}` has a zero byte in it, so it is not text",
                primary=Label(source.span(zero, zero + 1), "here"),
            )
        )
    return source


class FolderModules:
    """Finds the files behind imports: inside one folder, and in the standard library.

    >>> modules = FolderModules(Path("."))
    >>> modules.load(("std", "nowhere"), dots=0) is None
    True
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def load(self, path: Sequence[str], *, dots: int, importer: str = "") -> SourceText | None:
        """Return the text of a module, or None where there is no such file.

        Args:
            path: The words between the dots of the import.
            dots: How many dots it begins with; one is the folder of the importing file.
            importer: The name of the importing file's text; the main file's when empty.

        Raises:
            EbmError: E0207 where the file would lie outside the main file's folder; E0802
                and E0109 as for the main file.
        """
        if dots == 0 and path and path[0] == STANDARD_LIBRARY.name:
            root, start, words = STANDARD_LIBRARY, STANDARD_LIBRARY, path[1:]
        else:
            start = Path(importer).resolve().parent if importer else self._folder
            root, words = self._folder, path
            for _ in range(dots - 1):
                start = start.parent
        wanted = start.joinpath(*words).with_suffix(SUFFIX) if words else None
        if wanted is None:
            return None
        # Links are followed before the check, so that none can lead outside.
        real = wanted.resolve()
        if not real.is_relative_to(root):
            raise EbmError(
                Diagnostic(
                    code="E0207",
                    headline=f"`{'.' * dots}{'.'.join(path)}` is outside the folder of this spec",
                    helps=("move the module beside the spec, or below it",),
                )
            )
        return read_source(_shown(real)) if real.is_file() else None


def _shown(path: Path) -> Path:
    """Return the shorter way to write a path: from the working folder where it is below it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _missing(path: Path) -> Diagnostic:
    helps: tuple[str, ...] = ()
    try:
        beside = sorted(p.name for p in path.parent.iterdir() if p.is_file())
    except OSError:
        return Diagnostic(
            code="E0801",
            headline=f"there is no file `{path}`",
            notes=(f"the folder `{path.parent}` does not exist or cannot be read",),
        )
    # difflib costs a few milliseconds, and is needed only here.
    from difflib import get_close_matches  # noqa: PLC0415

    close = get_close_matches(path.name, beside, n=1)
    if close:
        helps = (f"there is `{path.parent / close[0]}`",)
    return Diagnostic(code="E0801", headline=f"there is no file `{path}`", helps=helps)


def _unreadable(path: str | Path, reason: str) -> EbmError:
    return EbmError(Diagnostic(code="E0802", headline=f"`{path}` cannot be read: {reason}"))
