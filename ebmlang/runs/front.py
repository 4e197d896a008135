"""A front: designs of which none is better in one of some terms without loss in another."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ebmlang.runs.design import Design, Status


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Front:
    """The designs along a front, from the best in the first term to the worst.

    Attributes:
        status: How the search ended.
        terms: What is traded: paths of terms, or of parts for all soft terms in them.
        designs: What was found; empty where nothing holds every requirement.
        values: For each design, the energy of each of the terms [nats].
        ideal: The least that each term comes to by itself [nats].
        worst: The most that each comes to where another one is least [nats].
        untraded: The other soft terms, which only decide among designs that are equal in these.
        nearest: Where nothing holds every requirement, the point with the least violation.
        reason: Why the search ended, in words.
        seed: What the starts were drawn with.
        starts: How many there were.
        versions: The programs it was made with.
    """

    status: Status
    terms: tuple[str, ...]
    designs: tuple[Design, ...]
    values: tuple[tuple[float, ...], ...]
    ideal: tuple[float, ...]
    worst: tuple[float, ...]
    untraded: tuple[str, ...]
    nearest: Design | None
    reason: str
    seed: int
    starts: int
    versions: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.designs)

    def __getitem__(self, number: int) -> Design:
        return self.designs[number]

    def describe(self) -> dict[str, Any]:
        """Return the whole as a dictionary, for JSON. Any: arrays and numbers."""
        found: dict[str, Any] = {
            "status": self.status.value,
            "terms": list(self.terms),
            "ideal": dict(zip(self.terms, self.ideal, strict=True)),
            "worst": dict(zip(self.terms, self.worst, strict=True)),
            "untraded": list(self.untraded),
            "designs": [
                {"values": dict(zip(self.terms, row, strict=True)), **design.describe()}
                for row, design in zip(self.values, self.designs, strict=True)
            ],
        }
        if self.nearest is not None:
            found["nearest"] = self.nearest.describe()
        return {
            **found,
            "reason": self.reason,
            "seed": self.seed,
            "starts": self.starts,
            "versions": dict(self.versions),
        }
