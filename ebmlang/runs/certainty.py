"""How sure it is that nothing is better than what was found, as a verdict with its reason."""

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ebmlang.solve.answers.agreement import Agreement


class Sureness(Enum):
    """The verdict."""

    GLOBAL = "global"
    """It is proved that no point is lower, up to the gap."""
    LIKELY = "likely"
    """Starts that know nothing of each other found the same best energy."""
    ALONE = "alone"
    """Only one start found it: there may well be something lower."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certainty:
    """How sure it is that the best design has the lowest energy.

    Attributes:
        sureness: The verdict.
        words: The verdict with its reason, as a sentence without its stop.
        gap: For what is proved, by how much a point could still be lower at most [nats]; else None.
        reached: Starts that ended with the best energy; of all parts, where there are any, those of
            the part where they are the smallest share.
        starts: Starts that there were, of that part.
        rounds: Rounds that these came in.
    """

    sureness: Sureness
    words: str
    gap: float | None
    reached: int
    starts: int
    rounds: int

    def describe(self) -> dict[str, object]:
        """Return it as a dictionary, for JSON."""
        return {
            "sureness": self.sureness.value,
            "words": self.words,
            "gap": self.gap,
            "reached": self.reached,
            "starts": self.starts,
            "rounds": self.rounds,
        }


def be_certain(agreement: "Agreement", gap: float, why: str) -> Certainty:
    """Return the verdict on what is proved.

    Args:
        agreement: Of the starts.
        gap: By how much a point could still be lower at most [nats].
        why: What the proof rests on, in a word or two.
    """
    return Certainty(
        sureness=Sureness.GLOBAL,
        words=f"global minimum ({why}; certificate {gap:.1g})",
        gap=gap,
        reached=agreement.reached,
        starts=agreement.starts,
        rounds=agreement.rounds,
    )


def weigh(agreement: "Agreement") -> Certainty:
    """Return the verdict on what starts alone speak for."""
    reached, starts, rounds = agreement.reached, agreement.starts, agreement.rounds
    alone = reached <= 1
    who = "only one" if alone else f"{reached}"
    words = f"the best energy was reached by {who} of {starts} starts"
    if rounds > 1:
        words += f" in {rounds} rounds"
    if alone:
        words += ": there may be a lower one"
    return Certainty(
        sureness=Sureness.ALONE if alone else Sureness.LIKELY,
        words=words,
        gap=None,
        reached=reached,
        starts=starts,
        rounds=rounds,
    )
