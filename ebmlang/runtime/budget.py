"""What a run may spend."""

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """The moment at which a started budget is spent, on the monotonic clock [s]."""

    moment: float | None

    def is_over(self) -> bool:
        """Whether the time is spent."""
        return self.moment is not None and time.monotonic() >= self.moment

    def remaining(self) -> "Budget":
        """Return what is left of the budget."""
        if self.moment is None:
            return UNLIMITED
        return Budget(seconds=max(0.0, self.moment - time.monotonic()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A limit on wall-clock time; None is no limit [s].

    A loop looks at it between rounds, so it ends at most one round late.
    """

    seconds: float | None = None

    def start(self) -> Deadline:
        """Start the clock."""
        return Deadline(moment=None if self.seconds is None else time.monotonic() + self.seconds)


UNLIMITED = Budget()
"""No limit."""
