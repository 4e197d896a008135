"""What a model was made of: the text of its spec, of all that it imports, and its constants.

A run keeps it, so that it can go on where the files have changed or are gone.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, final

from ebmlang.check import ModuleLoader
from ebmlang.source import SourceText

MAIN = "main"
"""What the main file is called among those that import."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """One import of a file.

    Attributes:
        by: The name of the file that imports it.
        path: As written there: `.parts.lamp`.
        source: Its text.
    """

    by: str
    path: str
    source: SourceText


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The texts and constants of a model.

    Attributes:
        main: The text of the spec.
        imports: What it imports, and what that imports, but for the standard library.
        constants: Values that stand in for those of its `const`s.
    """

    main: SourceText
    imports: tuple[Imported, ...]
    constants: Mapping[str, int | float | bool]

    @property
    def hash(self) -> str:
        """A fingerprint that changes with the texts and the constants, and with nothing else."""
        described = self.describe()
        content = [
            self.main.text,
            sorted([entry["by"], entry["path"], entry["text"]] for entry in described["imports"]),
            sorted(self.constants.items()),
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def describe(self) -> dict[str, Any]:
        """Return it as plain data, for JSON (hence Any), free of the folders of this machine."""
        folder = os.path.dirname(self.main.name) or os.curdir

        def show(name: str) -> str:
            return MAIN if name == self.main.name else _relative(name, folder)

        return {
            "name": PurePath(self.main.name).name,
            "text": self.main.text,
            "constants": dict(self.constants),
            "imports": [
                {
                    "by": show(one.by),
                    "path": one.path,
                    "name": show(one.source.name),
                    "text": one.source.text,
                }
                for one in self.imports
            ],
        }


def read_origin(described: Mapping[str, Any]) -> Origin:
    """Return what `describe` has described. Any: as JSON has it."""
    main = SourceText(described["name"], described["text"])
    return Origin(
        main=main,
        imports=tuple(
            Imported(
                by=main.name if one["by"] == MAIN else one["by"],
                path=one["path"],
                source=SourceText(one["name"], one["text"]),
            )
            for one in described["imports"]
        ),
        constants=described["constants"],
    )


@final
class RecordingLoader:
    """Loads modules as another loader does, and remembers them."""

    def __init__(self, inner: ModuleLoader) -> None:
        self._inner = inner
        self._found: dict[tuple[str, str], Imported] = {}

    def load(self, importer: str, dots: int, words: Sequence[str]) -> SourceText:
        """Return the text of a module."""
        source = self._inner.load(importer, dots, words)
        path = _show(dots, words)
        self._found[importer, path] = Imported(by=importer, path=path, source=source)
        return source

    @property
    def found(self) -> tuple[Imported, ...]:
        """What has been loaded, in order."""
        return tuple(self._found.values())


@final
class RecordedLoader:
    """Loads the modules that were remembered, and no others."""

    def __init__(self, origin: Origin) -> None:
        self._known = {(one.by, one.path): one.source for one in origin.imports}

    def load(self, importer: str, dots: int, words: Sequence[str]) -> SourceText:
        """Return the text of a module."""
        # The texts are the same as when they were recorded, so they import the same.
        return self._known[importer, _show(dots, words)]


def _show(dots: int, words: Sequence[str]) -> str:
    return "." * dots + ".".join(words)


def _relative(name: str, folder: str) -> str:
    return PurePath(os.path.relpath(name, folder)).as_posix()
