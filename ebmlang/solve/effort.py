"""How long a search goes on: rounds of starts, until enough of them agree on the best energy.

| effort | rounds go on until |
| --- | --- |
| quick | the first is done |
| normal | one round confirms the best energy; 3 at most |
| thorough | three rounds in a row confirm it; 24 at most |

A round confirms the best energy of all rounds when two or more of its starts reach it. So a
problem where many starts end at the same minimum takes one round by `normal`, and one whose best
minimum is hard to find gets more starts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ebmlang.source import Diagnostic, EbmError


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """When a search has looked enough.

    Attributes:
        rounds: Most rounds.
        confirming: Rounds in a row that must confirm the best energy for it to end before; 0
            where it does not end before.
    """

    rounds: int
    confirming: int


QUICK = Effort(rounds=1, confirming=0)
"""One round, whatever it finds."""

EFFORTS: Mapping[str, Effort] = MappingProxyType(
    {
        "quick": QUICK,
        "normal": Effort(rounds=3, confirming=1),
        "thorough": Effort(rounds=24, confirming=3),
    }
)
"""By the name that a user gives."""

NORMAL = "normal"
"""Where nobody says otherwise."""


def require_effort(name: str) -> Effort:
    """Return an effort by its name.

    Raises:
        EbmError: E0903.
    """
    if name not in EFFORTS:
        raise EbmError(
            Diagnostic(
                code="E0903",
                headline=f"`{name}` is no effort",
                helps=(f"there are {', '.join(f'`{known}`' for known in EFFORTS)}",),
            )
        )
    return EFFORTS[name]
