"""Points from files: values by path, or one design of what `ebm solve` has written."""

import json
import os
from pathlib import Path

from ebmlang.api.data_files import read_data
from ebmlang.source import Diagnostic, EbmError
from ebmlang.source.files import read_bytes


def read_point(path: str | os.PathLike[str], design: str = "1") -> dict[str, object]:
    """Return the values by path of a point in a file.

    Args:
        path: A data file, or a result of `solve`.
        design: Of a result, which design; the first is 1. A result without designs gives its
            nearest point.

    Raises:
        EbmError: E0801-E0803 for the file, E0710 where it has no such design.
    """
    name = os.fspath(path)
    if name.endswith(".json"):
        try:
            content = json.loads(read_bytes(name))
        except (ValueError, RecursionError):
            content = None
        if isinstance(content, dict):
            picked = _pick(content, name, design) if "designs" in content else content
            variables = picked.get("variables")
            if isinstance(variables, dict):
                return variables
    # A file that is not there is said to be missing, whatever its ending.
    if not Path(name).exists():
        read_bytes(name)
    return dict(read_data(name))


def _pick(result: dict[str, object], name: str, design: str) -> dict[str, object]:
    listed = result["designs"]
    designs = listed if isinstance(listed, list) else []
    if not designs and isinstance(result.get("nearest"), dict):
        designs = [result["nearest"]]
    number = int(design) if design.isascii() and design.isdigit() else 0
    if not 1 <= number <= len(designs) or not isinstance(designs[number - 1], dict):
        count = f"{len(designs)} designs" if len(designs) != 1 else "one design"
        raise EbmError(
            Diagnostic(code="E0710", headline=f"`{name}` has {count}, and no design `{design}`")
        )
    found: dict[str, object] = designs[number - 1]
    return found
