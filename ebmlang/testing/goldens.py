"""Goldens: texts that people read, kept in files that tests compare with."""

import difflib
import os
from pathlib import Path

WRITE = "EBM_WRITE_GOLDENS"
"""The environment variable under which goldens are written anew instead of compared."""


def assert_golden(path: str | os.PathLike[str], text: str) -> None:
    """Assert that a text is the one in a file.

    With `EBM_WRITE_GOLDENS=1` in the environment the file is written instead; then read what has
    changed as its readers would.

    Args:
        path: The file.
        text: The text.

    Raises:
        AssertionError: They differ; the lines that do are shown.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "desk.txt")
    ...     _ = file.write_text("as it was")
    ...     assert_golden(file, "as it was")
    """
    file = Path(path)
    if os.environ.get(WRITE):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return
    kept = file.read_text(encoding="utf-8") if file.exists() else ""
    if kept == text:
        return
    lines = difflib.unified_diff(
        kept.splitlines(), text.splitlines(), str(file), "the text", lineterm=""
    )
    listed = "\n".join(lines) or "only the line breaks differ"
    raise AssertionError(f"{listed}\n\nif this is wanted, run again with {WRITE}=1")
