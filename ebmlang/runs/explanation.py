"""What a point, or a run, is made of: each term, and the parts of it, with what they answer for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A quantity at one point, or its mean over many.

    Attributes:
        mean: The value, or the mean.
        sd: Its spread over the points; None of a single one.
        mcse: Monte Carlo standard error of the mean; None where the points are no draws, or the
            quantity is the same in all.
    """

    mean: float
    sd: float | None = None
    mcse: float | None = None

    def describe(self) -> float | dict[str, float | None]:
        """Return it for JSON: a number, or numbers by name."""
        if self.sd is None:
            return self.mean
        return {"mean": self.mean, "sd": self.sd, "mcse": self.mcse}


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A term, or a part of one, and what it answers for.

    Attributes:
        name: The path of a term; of a part, its words, with the element in front.
        kind: The role of a term; of a part `part` or `element`.
        joint: How its parts make it: `sum`, `max`, `noisy_or`, `min`, `mixture`, `softmin`; `leaf`
            without parts.
        place: Where it stands, as `desk.ebm:14:14`.
        energy: As it stands in the whole, weights included [nats]; of a `require`, what its
            violation costs on the way.
        margin: For constraints [tolerances].
        satisfied: For constraints, the share of the points where it holds.
        gradient: The length of the gradient of its energy by all unknowns.
        responsibility: Among its siblings; theirs sum to 1.
        share: The product of the responsibilities from the term down: its share of E.
        offset: What is added to its energy in the joint above it [nats].
        entropy: Of its parts' responsibilities, where exactly one of them is at work [nats].
        rest: What the elements that are not in `parts` add to its energy [nats].
        elements: How many elements it has, of which `parts` are those that matter most.
        parts: What it is made of.

    At one point the energy of what has parts is

    - of a `sum` the sum of its parts' energies, plus the rest,
    - of all other joints the sum of responsibility * (energy + offset) over its parts, plus the
      rest, minus the entropy, where parts of responsibility 0 add nothing.
    """

    name: str
    kind: str
    joint: str
    place: str
    energy: Estimate
    margin: Estimate | None
    satisfied: float | None
    gradient: Estimate
    responsibility: Estimate
    share: float
    offset: Estimate
    entropy: Estimate
    rest: Estimate
    elements: int | None = None
    parts: "tuple[Share, ...]" = ()

    def walk(self) -> Iterator["Share"]:
        """Yield this and all parts below it."""
        yield self
        for part in self.parts:
            yield from part.walk()

    def describe(self) -> dict[str, Any]:
        """Return it as a dictionary, for JSON. Any: numbers, texts, and the same of its parts."""
        constraint: dict[str, Any] = {}
        if self.margin is not None:
            constraint = {"margin": self.margin.describe(), "satisfied": self.satisfied}
        composed: dict[str, Any] = {}
        if self.parts:
            composed = {
                "entropy": self.entropy.describe(),
                "rest": self.rest.describe(),
                **({} if self.elements is None else {"elements": self.elements}),
                "parts": [part.describe() for part in self.parts],
            }
        return {
            "name": self.name,
            "kind": self.kind,
            "joint": self.joint,
            "place": self.place,
            "energy": self.energy.describe(),
            **constraint,
            "gradient": self.gradient.describe(),
            "responsibility": self.responsibility.describe(),
            "offset": self.offset.describe(),
            "share": self.share,
            **composed,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """A variable that leaves its domain.

    Attributes:
        path: Its path.
        reason: In words: `120.5 is above its upper bound 120`.
        points: At how many of the points.
    """

    path: str
    reason: str
    points: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Explanation:
    """One point, or all points of a run, taken apart.

    Attributes:
        kind: `point`, `designs` or `draws`.
        points: How many there are.
        energy: The sum of the soft terms [nats].
        feasible: The share of the points where every `require` holds.
        terms: In the order of the spec.
        outside: Variables that leave their domains somewhere.
        variables, reports: Of a single point, its values.
        stale: Whether the energies that the run holds are others than those computed here; None
            where it holds none.
    """

    kind: str
    points: int
    energy: Estimate
    feasible: float
    terms: tuple[Share, ...]
    outside: tuple[Outside, ...]
    variables: Mapping[str, NDArray[np.generic]]
    reports: Mapping[str, NDArray[np.generic]]
    stale: bool | None = None

    def describe(self) -> dict[str, Any]:
        """Return it as a dictionary, for JSON. Any: arrays, numbers and texts."""
        values = (
            {"stale": self.stale}
            if self.kind != "point"
            else {
                "variables": dict(self.variables),
                "reports": dict(self.reports),
            }
        )
        return {
            "kind": self.kind,
            "points": self.points,
            "energy": self.energy.describe(),
            "feasible": self.feasible,
            "outside": [
                {"path": one.path, "reason": one.reason, "points": one.points}
                for one in self.outside
            ],
            "terms": [term.describe() for term in self.terms],
            **values,
        }
