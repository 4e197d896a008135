"""What cannot hold together, and what would mend it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebmlang.runs.design import Design
from ebmlang.source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One conjunct of a conflict.

    Attributes:
        path: The `require` that it is of.
        text: Its words, with the element in front where a quantifier is around it.
        span: Where they stand.
        margin: At the nearest point [tolerances].
    """

    path: str
    text: str
    span: Span
    margin: float

    def describe(self) -> dict[str, Any]:
        """Return it for JSON. Any: numbers and texts."""
        return {
            "path": self.path,
            "text": self.text,
            "place": str(self.span),
            "margin": self.margin,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Conflicting:
    """A smallest set of requirements that cannot hold together.

    Attributes:
        members: Without any one of them the others can hold.
        without: For each, by variable, a point where the others hold.
        bounds: Paths of the variables whose bounds are needed for the conflict.
        proved: Whether it is proved; else the search found no point, which is evidence.
        reason: Why they cannot hold together, in words.
        nearest: The point that violates them least.
    """

    members: tuple[Member, ...]
    without: tuple[Mapping[str, NDArray[np.generic]], ...]
    bounds: tuple[str, ...]
    proved: bool
    reason: str
    nearest: Design

    def describe(self) -> dict[str, Any]:
        """Return it for JSON. Any: arrays, numbers and texts."""
        return {
            "status": "conflict",
            "proved": self.proved,
            "reason": self.reason,
            "members": [
                {**member.describe(), "without": dict(point)}
                for member, point in zip(self.members, self.without, strict=True)
            ],
            "bounds": list(self.bounds),
            "nearest": self.nearest.describe(),
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Satisfiable:
    """A point where everything required holds."""

    design: Design

    def describe(self) -> dict[str, Any]:
        """Return it for JSON. Any: arrays and numbers."""
        return {"status": "satisfiable", "point": self.design.describe()}
