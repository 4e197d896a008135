"""What the analysis of propriety answers: three questions, each with a proof or a witness."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from numpy.typing import NDArray

from ebmlang.source import Span


class Question(Enum):
    """What is asked of an energy E over its domain, under everything required."""

    BOUNDED_BELOW = "bounded below"
    HAS_MINIMIZER = "has a minimizer"
    INTEGRABLE = "exp(-E) integrable"

    @property
    def denial(self) -> str:
        """What is said where the answer is no."""
        return _DENIALS[self]


_DENIALS = {
    Question.BOUNDED_BELOW: "not bounded below",
    Question.HAS_MINIMIZER: "has no minimizer",
    Question.INTEGRABLE: "exp(-E) not integrable",
}


class Answer(Enum):
    """PROPER and IMPROPER are proved; UNKNOWN says that neither was."""

    PROPER = "proper"
    IMPROPER = "improper"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reason:
    """One numbered line of a proof: a sentence without a final stop, and the text it is about."""

    text: str
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """A way out of the domain, or towards a singular point, along which E does not grow enough.

    The points are `start + t * rates`, for t to infinity; or for t to 0, where `towards_zero`.

    Attributes:
        start, rates: By variable, arrays of the variable's shape; float64, so Any is float64.
        towards_zero: Whether t goes to 0 (a singular point) instead of infinity.
        log_rate: E is at most `log_rate * log(t)` plus a constant along it (and near it); 0 where
            it stays bounded. Negative infinity where it falls without bound.
        dimensions: Of the cone around it on which that holds; integrable means log_rate above it.
    """

    start: Mapping[str, NDArray[Any]]
    rates: Mapping[str, NDArray[Any]]
    towards_zero: bool = False
    log_rate: float = 0.0
    dimensions: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer to one question.

    Attributes:
        question: What was asked.
        answer: What was found.
        because: The proof, or what stands in its way: numbered lines of a message.
        direction: For IMPROPER, the witness.
        variables: For IMPROPER, the paths of the variables that move along the witness.
        terms: For UNKNOWN, the paths of the terms to blame.
        helps: Text to paste that would mend it.
    """

    question: Question
    answer: Answer
    because: tuple[Reason, ...] = ()
    direction: Direction | None = None
    variables: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    helps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Propriety:
    """The answers to all three."""

    bounded_below: Verdict
    has_minimizer: Verdict
    integrable: Verdict
