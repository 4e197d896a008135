"""What has come of one property or example."""

from dataclasses import dataclass
from typing import Any

from ebmlang.source import Diagnostic
from ebmlang.source.draw import describe_diagnostic


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of one test of a spec.

    Attributes:
        kind: `property` or `example`.
        name: Its name in the file.
        points: How many points were looked at.
        failures: What does not hold, each with its place; none where all is well.
        counterexample: For a property that fails, an `example` to paste into the file.
    """

    kind: str
    name: str
    points: int
    failures: tuple[Diagnostic, ...] = ()
    counterexample: str | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return not self.failures

    def describe(self) -> dict[str, Any]:
        """Return the outcome as plain data for JSON, so Any."""
        return {
            "kind": self.kind,
            "name": self.name,
            "passed": self.passed,
            "points": self.points,
            "counterexample": self.counterexample,
            "diagnostics": [describe_diagnostic(failure) for failure in self.failures],
        }


def show_margin(margin: float) -> str:
    """Say what a margin is, in words where it is not a number."""
    if margin != margin:
        return "the margin is not a number"
    return f"the margin is {margin:.4g}"
