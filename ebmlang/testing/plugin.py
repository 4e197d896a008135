"""The pytest plugin: collects `test_*.ebm`, with an item for each property and each example.

It is loaded by name whenever pytest starts, so nothing of ebmlang is imported before there is a
file to collect.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest._code.code import ExceptionInfo, TerminalRepr, TracebackStyle

    from ebmlang.api import Model
    from ebmlang.check.claims import Claim


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "SpecFile | None":
    """Take files named `test_*.ebm`, and those named on the command line."""
    if file_path.suffix != ".ebm":
        return None
    if not (file_path.name.startswith("test_") or parent.session.isinitpath(file_path)):
        return None
    return SpecFile.from_parent(parent, path=file_path)


class SpecFile(pytest.File):
    """A spec whose properties and examples are tests."""

    def collect(self) -> Iterator["ClaimItem"]:
        """Yield an item for each claim, in the order of the file."""
        from ebmlang.api import load
        from ebmlang.source import EbmError

        try:
            model = load(self.path)
        except EbmError as error:
            raise self.CollectError(_draw(error)) from None
        for claim in model.program.claims:
            yield ClaimItem.from_parent(self, name=claim.name, model=model, claim=claim)


class ClaimItem(pytest.Item):
    """One property or example."""

    # Any: pytest hands its own arguments through.
    def __init__(self, *, model: "Model", claim: "Claim", **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]
        self.model = model
        self.claim = claim

    def runtest(self) -> None:
        """Test the claim.

        Raises:
            EbmError: It does not hold, or data is missing.
        """
        from ebmlang.source import EbmError
        from ebmlang.testing.suite import run_test

        outcome = run_test(self.model, self.claim)
        if not outcome.passed:
            raise EbmError(*outcome.failures)

    def repr_failure(
        self, excinfo: "ExceptionInfo[BaseException]", style: "TracebackStyle | None" = None
    ) -> "str | TerminalRepr":
        """Return what is wrong, drawn at its place in the spec; a traceback for a bug of ours."""
        from ebmlang.source import EbmError

        if isinstance(excinfo.value, EbmError):
            return _draw(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the claim stands: file, line counted from 0, name."""
        span = self.claim.span
        line, _ = span.source.position(span.start)
        return self.path, line - 1, self.name


def _draw(error: Exception) -> str:
    from ebmlang.source import EbmError
    from ebmlang.source.draw import draw_diagnostics

    assert isinstance(error, EbmError)
    return draw_diagnostics(error.diagnostics)
