"""From a file, or a text, to a `Model`."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ebmlang.api.inputs import Extern
from ebmlang.api.model import Model
from ebmlang.api.origin import Origin, RecordingLoader
from ebmlang.check import Extern as Declared
from ebmlang.check import FolderLoader, ModuleLoader, check_file
from ebmlang.lang import Sort
from ebmlang.source import Diagnostic, EbmError, InternalError, Report, SourceText
from ebmlang.source.files import read_source
from ebmlang.syntax import parse_file
from ebmlang.syntax.allowances import check_allowances, drop_allowed

Constants = Mapping[str, int | float | bool]


def load(path: str | os.PathLike[str], *, constants: Constants | None = None) -> Model:
    """Read a spec from a file and check it.

    Args:
        path: The file; what it imports must lie in its folder, below it, or in `std`.
        constants: Values that stand in for those of the file's `const`s.

    Raises:
        EbmError: With all that is wrong with the spec.
    """
    name = os.fspath(path)
    return build_model(read_source(name), loader=FolderLoader(Path(name)), constants=constants)


def loads(text: str, *, name: str = "<text>", constants: Constants | None = None) -> Model:
    r"""Check a spec that is a text; it can import from `std` only.

    Args:
        text: The spec.
        name: What messages call it.
        constants: Values that stand in for those of the text's `const`s.

    Raises:
        EbmError: With all that is wrong with the spec.

    >>> loads("var x: real\nminimize low: x^2", name="low.ebm").name
    'low'
    """
    return build_model(SourceText(name, text), constants=constants)


def build_model(
    source: SourceText,
    *,
    loader: ModuleLoader | None = None,
    constants: Constants | None = None,
    externs: Mapping[str, tuple[Sort, Extern]] | None = None,
) -> Model:
    """Parse and check a text, and close it into a model.

    Args:
        source: The text.
        loader: Finds what it imports.
        constants: Values that stand in for those of its `const`s.
        externs: Functions from Python that it may call, each with the sort of its result.
    """
    report = Report()
    file = parse_file(source, report)
    check_allowances(file, report)
    recorder = None if loader is None else RecordingLoader(loader)
    plain = _plain(constants or {})
    declared = {name: Declared(name=name, sort=sort) for name, (sort, _) in (externs or {}).items()}
    program = check_file(file, report, constants=plain, loader=recorder, externs=declared)
    found = drop_allowed(report.diagnostics, file)
    if report.has_errors:
        raise EbmError(*found)
    if program is None:
        raise InternalError("the checker gave up without a message")
    return Model(
        file=file,
        program=program,
        origin=Origin(
            main=source, imports=() if recorder is None else recorder.found, constants=plain
        ),
        diagnostics=found,
        externs={name: function for name, (_, function) in (externs or {}).items()},
    )


def _plain(constants: Constants) -> dict[str, int | float | bool]:
    """Return constants as Python's own numbers and truth values.

    Raises:
        EbmError: E0903 where one is neither.
    """
    plain = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in constants.items()
    }
    for name, value in plain.items():
        if not isinstance(value, int | float):
            raise EbmError(
                Diagnostic(
                    code="E0903",
                    headline=f"the constant `{name}` is {value!r}, not a number or a truth value",
                )
            )
    return plain
