"""What `solve` found: designs, each with what every term says of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebmlang.runs.certainty import Certainty


class Status(Enum):
    """How a search ended."""

    SOLVED = "solved"
    """At least one design holds every requirement."""
    INFEASIBLE = "infeasible"
    """None was found that does; this is no proof that there is none."""
    INTERRUPTED = "interrupted"
    """Stopped by the user; the designs are those found by then."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Design:
    """One point, and what the terms say of it, each by its path.

    Attributes:
        energy: The sum of the soft terms [nats].
        terms: Each soft term's share of the energy, weight included [nats].
        margins: For constraints, hard or soft, by how much they hold [tolerances].
        satisfied: For constraints, whether they hold.
        variables: The point itself.
        reports: The quantities that the spec derives.
        converged: Whether the search came to rest here; None where there was no search.
        share: Which share of the starts ended here, the size of its basin; None where there was
            no search.
        stationarity: Largest entry of the projected gradient, which vanishes at a minimum; None
            where there was no search.
        violated: What is required and does not hold.
    """

    energy: float
    terms: Mapping[str, float]
    margins: Mapping[str, float]
    satisfied: Mapping[str, bool]
    variables: Mapping[str, NDArray[np.generic]]
    reports: Mapping[str, NDArray[np.generic]]
    converged: bool | None = None
    share: float | None = None
    stationarity: float | None = None
    violated: tuple[str, ...] = ()

    def describe(self) -> dict[str, Any]:
        """Return the design as a dictionary, for JSON. Any: arrays and numbers."""
        searched = {
            "converged": self.converged,
            "share": self.share,
            "stationarity": self.stationarity,
        }
        return {
            "energy": self.energy,
            "terms": dict(self.terms),
            "margins": dict(self.margins),
            "satisfied": dict(self.satisfied),
            "violated": list(self.violated),
            "variables": dict(self.variables),
            "reports": dict(self.reports),
            **({} if self.share is None else searched),
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ends:
    """Where the starts of a search ended, in the order in which they were made.

    Attributes:
        energies: The energy of each [nats].
        feasible: Whether everything required holds there.
    """

    energies: NDArray[np.floating]
    feasible: NDArray[np.bool_]

    def describe(self) -> dict[str, Any]:
        """Return them as a dictionary, for JSON. Any: arrays."""
        return {"energies": self.energies, "feasible": self.feasible}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Designs:
    """The designs of one search, the best first; all hold every requirement.

    The best is that of the lowest energy; where the spec has a priority, that whose last tier is
    lowest, since the tiers before it are all as low as they can be, up to their slack.

    Attributes:
        status: How the search ended.
        designs: What was found; empty where nothing holds every requirement.
        nearest: Where nothing does, the point with the least violation.
        reason: Why the search ended, in words.
        certainty: How sure it is that the first design is the best; None where there is none.
        seed: What the starts were drawn with.
        starts: How many there were, in all rounds.
        versions: The programs it was made with.
        priority: The terms of each tier, where the spec orders them.
        ends: Where every start ended; None where that was not kept.

    Behaves as a sequence of its designs:

        best = model.solve()[0]
    """

    status: Status
    designs: tuple[Design, ...]
    nearest: Design | None
    reason: str
    certainty: Certainty | None
    seed: int
    starts: int
    versions: Mapping[str, str]
    priority: tuple[tuple[str, ...], ...] = ()
    ends: Ends | None = None

    def __len__(self) -> int:
        return len(self.designs)

    def __getitem__(self, number: int) -> Design:
        return self.designs[number]

    def describe(self) -> dict[str, Any]:
        """Return the whole as a dictionary, for JSON. Any: arrays and numbers."""
        found: dict[str, Any] = {
            "status": self.status.value,
            "designs": [design.describe() for design in self.designs],
        }
        if self.nearest is not None:
            found["nearest"] = self.nearest.describe()
        if self.priority:
            found["priority"] = [list(tier) for tier in self.priority]
        if self.ends is not None:
            found["ends"] = self.ends.describe()
        return {
            **found,
            "reason": self.reason,
            "certainty": None if self.certainty is None else self.certainty.describe(),
            "seed": self.seed,
            "starts": self.starts,
            "versions": dict(self.versions),
        }
