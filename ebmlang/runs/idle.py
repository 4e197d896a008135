"""What never acts on the points of a run."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from ebmlang.source import Span


class Idleness(Enum):
    """Why something is taken to be idle."""

    FAR = "far"
    """A constraint that holds everywhere, and whose boundary is far from all points."""
    CONSTANT = "constant"
    """An energy that is the same everywhere."""
    BRANCH = "branch"
    """A branch of an OR that is never the reason that the OR holds, or nearly does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """A term, or a part of one, that never acts.

    Attributes:
        path: Of the term.
        text: Of the part, in its words; of a whole term its path.
        span: Where it stands.
        kind: Why.
        amount: The least margin [tolerances]; of a branch, its largest responsibility; of a
            constant energy its value [nats].
        reason: The same as a sentence.
    """

    path: str
    text: str
    span: Span
    kind: Idleness
    amount: float
    reason: str

    def describe(self) -> dict[str, Any]:
        """Return it for JSON. Any: numbers and texts."""
        return {
            "path": self.path,
            "text": self.text,
            "place": str(self.span),
            "kind": self.kind.value,
            "amount": self.amount,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleTerms:
    """All that never acts on a run.

    Attributes:
        points: How many points the run has.
        kind: `draws` or `designs`.
        idle: In the order of the spec.
        stale: Whether the energies that the run holds are others than those computed here; None
            where it holds none.
    """

    points: int
    kind: str
    idle: tuple[Idle, ...]
    stale: bool | None = None

    def describe(self) -> dict[str, Any]:
        """Return it for JSON. Any: numbers and texts."""
        return {
            "kind": self.kind,
            "points": self.points,
            "stale": self.stale,
            "idle": [one.describe() for one in self.idle],
        }
