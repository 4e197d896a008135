"""What would make everything required possible, as text to paste."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebmlang.source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A piece of the text, and what to write in its place."""

    span: Span
    text: str

    def describe(self) -> dict[str, Any]:
        """Return it for JSON. Any: texts."""
        return {"place": str(self.span), "old": self.span.text, "new": self.text}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing to be loosened.

    Attributes:
        path: The `require`, or the variable, that gives.
        old, new: Its words, before and after.
        slack: What it gives: tolerances of a relation; for bounds, in the variable's own unit.
        edits: What to change in the text; they can all be made together.
    """

    path: str
    old: str
    new: str
    slack: float
    edits: tuple[Edit, ...]

    def describe(self) -> dict[str, Any]:
        """Return it for JSON. Any: numbers and texts."""
        return {
            "path": self.path,
            "old": self.old,
            "new": self.new,
            "slack": self.slack,
            "edits": [edit.describe() for edit in self.edits],
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Way:
    """Changes that together make everything required possible.

    Attributes:
        changes: All of them are needed.
        point: A point, by variable, where everything holds once they are made.
    """

    changes: tuple[Change, ...]
    point: Mapping[str, NDArray[np.generic]]

    @property
    def slack(self) -> float:
        """The sum of what is given."""
        return sum(change.slack for change in self.changes)

    def describe(self) -> dict[str, Any]:
        """Return it for JSON. Any: arrays, numbers and texts."""
        return {
            "slack": self.slack,
            "changes": [change.describe() for change in self.changes],
            "point": dict(self.point),
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Repair:
    """Ways to make everything required possible.

    Attributes:
        smallest: The one of least sum of slacks of requirements; None where the search found
            none.
        alone: For each `require` of a smallest conflict, by its words, the change of it alone;
            None where it alone is not enough.
        bounds: Likewise for each variable whose bounds take part.
    """

    smallest: Way | None
    alone: Mapping[str, Way | None]
    bounds: Mapping[str, Way | None]

    def describe(self) -> dict[str, Any]:
        """Return it for JSON. Any: arrays, numbers and texts."""

        def each(ways: Mapping[str, Way | None]) -> dict[str, Any]:
            return {name: None if way is None else way.describe() for name, way in ways.items()}

        return {
            "status": "repaired" if self.smallest is not None else "unrepaired",
            "smallest": None if self.smallest is None else self.smallest.describe(),
            "alone": each(self.alone),
            "bounds": each(self.bounds),
        }
