"""What an evaluation took, by term and by step."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class TermTime:
    """What a term took; of what it shares, its part.

    Attributes:
        path: The term; empty for adding terms up.
        required: Whether it is a `require`, and in no energy.
        energy: For its value alone [s].
        gradient: For value and gradient together [s].
        memory: Of the values that are made on the way to the gradient [bytes].
    """

    path: str
    required: bool
    energy: float
    gradient: float
    memory: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What one evaluation of a batch took.

    Attributes:
        name: Of the spec.
        chains: Points in the batch.
        precision: Of numbers.
        terms: By term, in the order of the spec; all that is measured is in one of them.
        call: Of energy and gradient as a run calls them, without a clock in between [s].
        stacks: Time by where it went: the question, the term, the place, the step [s].
    """

    name: str
    chains: int
    precision: str
    terms: tuple[TermTime, ...]
    call: float
    stacks: Mapping[tuple[str, ...], float]

    @property
    def seconds(self) -> float:
        """Of E with its gradient, with a clock after each step."""
        return sum(term.gradient for term in self.terms if not term.required)

    def describe(self) -> dict[str, Any]:
        """Return it for JSON. Any: numbers and texts."""
        return {
            "name": self.name,
            "chains": self.chains,
            "precision": self.precision,
            "seconds": self.seconds,
            "call_seconds": self.call,
            "terms": [
                {
                    "path": term.path,
                    "required": term.required,
                    "energy_seconds": term.energy,
                    "gradient_seconds": term.gradient,
                    "share": None if term.required else term.gradient / self.seconds,
                    "memory_bytes": term.memory,
                }
                for term in self.terms
            ],
        }
