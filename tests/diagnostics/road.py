"""What a user is told about a program, from its text to its graph and to what analyses find."""

from pathlib import Path

from ebmlang.api.check import check_model, require_sound
from ebmlang.api.load import build_model
from ebmlang.check import FolderLoader
from ebmlang.graph.build import build_graph
from ebmlang.source import Diagnostic, EbmError, SourceText

SIZE = 3
"""What every size that only data would bind is taken to be."""

CHECKED = {"analyses": False, "pedantic": True}
"""Folders whose programs are analyzed too, and whether all advice is wanted on them."""


def find_diagnostics(path: Path) -> tuple[Diagnostic, ...]:
    """Return the messages about a file and the modules beside it."""
    text = path.read_text(encoding="utf-8")
    loader = FolderLoader(path, path.name)
    if path.parent.name in CHECKED:
        return find_in_model(text, path.name, loader, pedantic=CHECKED[path.parent.name])
    return find_in_text(text, path.name, loader)


def find_in_text(
    text: str, name: str = "test.ebm", loader: FolderLoader | None = None
) -> tuple[Diagnostic, ...]:
    """Return the messages about a text; its graph is built where the check finds no error."""
    try:
        model = build_model(SourceText(name, text), loader=loader)
    except EbmError as error:
        return error.diagnostics
    try:
        build_graph(model.program, dict.fromkeys(model.program.sizes, SIZE))
    except EbmError as error:
        return (*model.diagnostics, *error.diagnostics)
    return model.diagnostics


def find_in_model(
    text: str,
    name: str = "test.ebm",
    loader: FolderLoader | None = None,
    *,
    pedantic: bool = False,
    verb: str = "check",
) -> tuple[Diagnostic, ...]:
    """Return the messages about a text and about its energy.

    Args:
        text: The program.
        name: Of its file.
        loader: Finds what it imports.
        pedantic: Whether all advice is wanted.
        verb: What is to be done with it: `check`, `solve` or `sample`.
    """
    try:
        model = build_model(SourceText(name, text), loader=loader)
        if verb == "check":
            return check_model(model, pedantic=pedantic)
        return (*model.diagnostics, *require_sound(model, verb))
    except EbmError as error:
        return error.diagnostics
