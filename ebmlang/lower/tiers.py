"""How an energy runs: which tier, and why.

| tier | what it is | when |
| --- | --- | --- |
| straight | emitted torch code | at once, for all energies, on all devices |
| native | C, compiled on this machine (`lower.native`) | on the CPU, where it saves time |

A tier is chosen once for a run, before its first point, from what is known then: the same run on
the same machine takes the same tier, whatever is in a cache. Where the native tier cannot be had
the straight one goes on in its place, and a note says so once. The environment's `EBM_TIER` asks
for one of them by name.
"""

import os
import sys
from dataclasses import dataclass
from enum import Enum

from ebmlang.graph import EnergyGraph
from ebmlang.source import Diagnostic, EbmError

VARIABLE = "EBM_TIER"


class Tier(Enum):
    """A way to run."""

    STRAIGHT = "straight"
    NATIVE = "native"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """The work that a run has ahead of it.

    Attributes:
        calls: How often it evaluates a batch of points, about.
        points: How many points a batch has.
    """

    calls: int
    points: int


PER_ITERATION = 8
"""Evaluations in an iteration of a sampler, about."""

PER_START = 750
"""Evaluations of a batch of starts until a solver is done with it, about: measured on circles in a
square."""

CALL = 3e-6
"""What a call of a torch operation takes, whatever its size [s]."""

ELEMENT = 0.5e-9
"""What the straight tier takes for an element of an operation, where there are many [s]."""

BUILD = 0.5
"""What the compiler takes for the shortest text [s]."""

LINE = 0.45e-3
"""What it takes for one statement more [s]."""


def asked_tier() -> Tier | None:
    """Return the tier that the environment asks for.

    Raises:
        EbmError: E0904 where it asks for one that does not exist.
    """
    asked = os.environ.get(VARIABLE, "")
    if not asked:
        return None
    known = [tier.value for tier in Tier]
    if asked not in known:
        raise EbmError(
            Diagnostic(
                code="E0904",
                headline=f"the environment's `{VARIABLE}` is `{asked}`, which is no tier",
                helps=(f"there are {', '.join(f'`{name}`' for name in known)}",),
            )
        )
    return Tier(asked)


def pays(ahead: Ahead, *, operations: int, elements: int, lines: int) -> bool:
    """Whether building machine code takes less than it saves.

    Args:
        ahead: The work that it would do.
        operations: How many torch operations an evaluation takes.
        elements: How many elements they compute for one point.
        lines: How many statements the C text has.
    """
    straight = ahead.calls * (operations * CALL + ahead.points * elements * ELEMENT)
    return straight > 2 * (BUILD + lines * LINE)


def count_operations(graph: EnergyGraph) -> int:
    """Return how many torch operations an evaluation takes, about: one for each node per chain.

    A loop of a recurrence takes those of its body in each of its steps.
    """
    return sum(
        node.option("steps") * count_operations(node.option("body"))
        if node.operator == "scan"
        else 1
        for node, varies in zip(graph.nodes, graph.varying, strict=True)
        if varies
    )


_said: set[str] = set()


def say_once(reason: str) -> None:
    """Tell people why a run goes on in the straight tier, once in a process."""
    if reason not in _said:
        _said.add(reason)
        print(f"note: running as torch code: {reason}", file=sys.stderr)
