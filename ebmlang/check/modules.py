"""Modules: imported files, and where they may lie.

An imported file lends its `const`, `fn` and `spec`; nothing of it is run. Files are read only
from the folder of the main file and from the standard library.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

from ebmlang.check.scope import Context, Scope
from ebmlang.check.session import Session
from ebmlang.check.unread import find_unread_words
from ebmlang.source import EbmError, Label, Report, SourceText, Span
from ebmlang.source.files import decode_source
from ebmlang.source.limits import FILE_BYTES
from ebmlang.syntax import tree

_STANDARD = Path(__file__).resolve().parent.parent / "std"
_STANDARD_PREFIX = "std/"


class ModuleError(Exception):
    """A module cannot be used; the caller knows where it was asked for."""

    def __init__(
        self, code: str, headline: str, label: str = "", candidates: Sequence[str] = ()
    ) -> None:
        super().__init__(headline)
        self.code = code
        self.headline = headline
        self.label = label
        self.candidates = candidates


class ModuleLoader(Protocol):
    """Turns the path of a relative import into text."""

    def load(self, importer: str, dots: int, words: Sequence[str]) -> SourceText:
        """Return the text of a module.

        Args:
            importer: The name of the source that imports it.
            dots: How many dots open the path; one means the importer's folder.
            words: The words between the dots.

        Raises:
            ModuleError: There is none, or it must not be read.
        """
        ...


class FolderLoader:
    """Reads modules from the folder of a main file, and from nowhere else."""

    def __init__(self, main: Path, name: str | None = None) -> None:
        """Serve the imports of a main file.

        Args:
            main: The main file.
            name: The name of its source, where that is not its path as written.
        """
        self._root = main.resolve().parent
        self._shown = Path(name or str(main)).parent
        self._paths = {name or str(main): main.resolve()}

    def load(self, importer: str, dots: int, words: Sequence[str]) -> SourceText:
        """Return the text of a module beside the importing file, or below."""
        folder = self._paths[importer].parent
        for _ in range(dots - 1):
            folder = folder.parent
        written = folder.joinpath(*words[:-1], f"{words[-1]}.ebm")
        path = written.resolve()
        if not path.is_relative_to(self._root):
            raise ModuleError(
                "E0207", "an import leads out of the folder of the main file", "not followed"
            )
        if not path.is_file():
            near = written.parent
            inside = near.resolve().is_relative_to(self._root) and near.is_dir()
            candidates = [p.stem for p in sorted(near.glob("*.ebm"))] if inside else []
            shown = self._shown / written.relative_to(self._root) if inside else written.name
            raise ModuleError(
                "E0206", f"there is no module `{words[-1]}`", f"no file `{shown}`", candidates
            )
        name = str(self._shown / path.relative_to(self._root))
        self._paths[name] = path
        return read_module(path, name)


def read_module(path: Path, name: str) -> SourceText:
    """Return the text of a module's file under the name that messages show.

    Raises:
        ModuleError: It is too large, not readable or not text.
    """
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES + 1)
        if len(data) > FILE_BYTES:
            raise ModuleError("E0206", f"`{path.name}` is too large to be a module")
        return decode_source(data, name)
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise ModuleError("E0206", f"`{path.name}` cannot be read", reason) from None
    except EbmError as error:
        (problem,) = error.diagnostics
        raise ModuleError(problem.code, problem.headline, *problem.notes[:1]) from None


def load_import(statement: tree.Import, scope: Scope) -> Scope | None:
    """Return the names of the module that an import speaks of; None, and reported, if none."""
    session = scope.session
    words = tuple(word.name for word in statement.path)
    span = statement.path[0].span.to(statement.path[-1].span) if words else statement.span
    importer = statement.span.source.name
    standard = importer.startswith(_STANDARD_PREFIX) and scope.context.standard
    try:
        if statement.dots == 0 and words[0] != "std":
            raise ModuleError("E0206", f"there is no library `{words[0]}`", "not a library")
        if statement.dots == 0 or standard:
            inner = words if statement.dots else words[1:]
            if not inner:
                raise ModuleError("E0206", "an import names a module", "a library, not a module")
            return load_standard(inner, session)
        if session.loader is None:
            raise ModuleError(
                "E0206",
                f"there is no module `{words[-1]}`",
                "a text without a folder has no modules beside it",
            )
        return _open(session.loader.load(importer, statement.dots, words), span, session)
    except ModuleError as error:
        name = words[-1] if words else ""
        meant = session.closest(name, error.candidates) if error.candidates else None
        helps = (f"did you mean `{meant}`?",) if meant else ()
        if error.code == "E0206" and statement.dots == 0 and words[0] != "std":
            helps = (f"a file beside this one is `from .{'.'.join(words)} import ...`",)
        session.error(error.code, error.headline, span, error.label, helps=helps, calls=False)
        return None


def load_standard(words: tuple[str, ...], session: Session) -> Scope | None:
    """Return the names of a module of the standard library.

    Raises:
        ModuleError: There is none.
    """
    name = _STANDARD_PREFIX + "/".join(words) + ".ebm"
    if name not in session.modules:
        session.modules[name] = _declare(_parse_standard(words), session, standard=True)
    return session.modules[name]


@cache
def _parse_standard(words: tuple[str, ...]) -> tree.File:
    from ebmlang.syntax import parse_file

    path = _STANDARD.joinpath(*words[:-1], f"{words[-1]}.ebm")
    if not path.is_file():
        modules = [p.stem for p in sorted(_STANDARD.glob("*.ebm"))]
        label = "the standard library does not have it"
        raise ModuleError("E0206", f"there is no module `{'.'.join(words)}`", label, modules)
    report = Report()
    source = read_module(path, _STANDARD_PREFIX + "/".join(words) + ".ebm")
    file = parse_file(source, report)
    report.raise_if_errors()
    return file


def _open(source: SourceText, span: Span, session: Session) -> Scope | None:
    from ebmlang.syntax import parse_file

    if source.name in session.loading:
        circle = session.loading[session.loading.index(source.name) :]
        chain = " imports ".join(f"`{name}`" for name in [*circle, source.name])
        session.error("E0205", "files import each other in a circle", span, chain, calls=False)
        return None
    if source.name not in session.modules:
        session.modules[source.name] = None
        session.loading.append(source.name)
        try:
            file = parse_file(source, session.report)
            session.muted |= find_unread_words(file, session.report)
            session.modules[source.name] = _declare(file, session, standard=False)
        finally:
            session.loading.pop()
    return session.modules[source.name]


def _declare(file: tree.File, session: Session, *, standard: bool) -> Scope:
    context = Context(definitions=session.shared, imported=True, standard=standard)
    scope = Scope(session, context)
    frames: tuple[Label, ...]
    frames, session.frames = session.frames, ()
    try:
        session.declare(file.statements, scope)
    finally:
        session.frames = frames
    return scope
