"""Reading files from disk without trusting what is in them.

A source file is text in UTF-8, with or without a byte order mark, with line breaks of any
system.
"""

from pathlib import Path

from ebmlang.source.diagnostic import Diagnostic, EbmError, Label
from ebmlang.source.limits import FILE_BYTES
from ebmlang.source.text import SourceText


def read_source(path: str | Path) -> SourceText:
    """Read a source file; its messages will show the path just as it is given here.

    Raises:
        EbmError: E0801 no such file, E0802 it cannot be read, E0109 it is not text.
    """
    data = read_bytes(path, limit=FILE_BYTES + 1)
    if len(data) > FILE_BYTES:
        raise _unreadable(path, f"it is longer than {FILE_BYTES:,} bytes, the most of a spec")
    return decode_source(data, str(path))


def read_bytes(path: str | Path, *, limit: int = -1) -> bytes:
    """Read a file, or its first `limit` bytes.

    Raises:
        EbmError: E0801 no such file, E0802 it cannot be read.
    """
    place = Path(path)
    try:
        if place.is_dir():
            raise _unreadable(path, "it is a folder")
        with place.open("rb") as file:
            return file.read(limit)
    except FileNotFoundError:
        raise EbmError(_missing(place)) from None
    except OSError as error:
        raise _unreadable(path, (error.strerror or str(error)).lower()) from None
    except ValueError:
        # What Python says of a path with a zero byte in it.
        raise _unreadable(path, "its name has a zero byte in it") from None


def decode_source(data: bytes, name: str) -> SourceText:
    r"""Turn the bytes of a file into text, its line breaks into one line feed each.

    Raises:
        EbmError: E0109 where the bytes are not text in UTF-8.

    >>> decode_source(b"const a = 1\r\n", "a.ebm").text
    'const a = 1\n'
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


def _missing(path: Path) -> Diagnostic:
    headline = f"there is no file `{path}`"
    try:
        beside = sorted(p.name for p in path.parent.iterdir() if p.is_file())
    except OSError:
        return Diagnostic(
            code="E0801", headline=headline, notes=(f"there is no folder `{path.parent}`",)
        )
    # Needed only here, and it costs some milliseconds.
    from difflib import get_close_matches

    close = get_close_matches(path.name, beside, n=1)
    helps = (f"did you mean `{path.with_name(close[0])}`?",) if close else ()
    return Diagnostic(code="E0801", headline=headline, helps=helps)


def _unreadable(path: str | Path, reason: str) -> EbmError:
    return EbmError(Diagnostic(code="E0802", headline=f"`{path}` cannot be read: {reason}"))
